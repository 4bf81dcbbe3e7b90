// The other panels: the latest payments, the faults, the guarantees.

import { byId, make, setAttribute, setText, sync } from "/_page/dom.js";

const VERDICTS = { true: "✓ kept", false: "✗ broken", null: "not measured" };

/** Buttons for the latest payments; `open` is called with the payId of the one clicked. */
export function showRecent(recent, watched, open) {
  byId("nothing").hidden = recent.length > 0 || watched !== null;
  const create = ({ payId }) => {
    const button = make("button", { type: "button" }, payId, make("span"));
    button.addEventListener("click", () => open(payId));
    return make("li", {}, button);
  };
  sync(byId("recent"), recent, ({ payId }) => payId, create, (child, { payId, status }) => {
    const mark = child.querySelector("span");
    setText(mark, status);
    setAttribute(mark, "data-status", status);
    setAttribute(child.firstElementChild, "aria-current", payId === watched ? "true" : null);
  });
}

/** Call `action` with name and state when a switch is used. */
export function wireFaults(action) {
  for (const line of document.querySelectorAll("[data-fault]")) {
    const box = line.querySelector("input");
    box.addEventListener("change", async () => {
      box.dataset.busy = "yes";
      try {
        await action(line.dataset.fault, box.checked);
      } catch {
        box.checked = !box.checked;
      } finally {
        delete box.dataset.busy;
      }
    });
  }
}

/** Show which faults are on; one that cannot be switched here is left out. */
export function showFaults(faults, copies) {
  for (const line of document.querySelectorAll("[data-fault]")) {
    const on = faults[line.dataset.fault];
    const box = line.querySelector("input");
    line.hidden = on === undefined;
    if (on !== undefined && !box.dataset.busy) box.checked = on;
  }
  const sent = copies === 1 ? "1 copy" : `${copies} copies`;
  const text = "Each step is processed once.";
  setText(byId("copies"), copies ? `${text} ${sent} sent so far.` : text);
}

/** Show each guarantee with its figures, and a summary at the top. */
export function showGuarantees(guarantees) {
  const count = (verdict) => guarantees.filter(({ kept }) => kept === verdict).length;
  const parts = [[count(false), "broken"], [count(true), "kept"], [count(null), "not measured"]];
  const summary = parts.filter(([number]) => number).map(([number, word]) => `${number} ${word}`);
  setText(byId("verdict"), `Guarantees: ${summary.join(", ")}`);
  setAttribute(byId("verdict"), "data-broken", String(count(false) > 0));
  const create = () => {
    const title = make("h3", {}, make("span"), make("span", { class: "verdict" }));
    return make("li", {}, title, make("p", { class: "figure" }), make("p"));
  };
  sync(byId("guarantees"), guarantees, ({ name }) => name, create, (child, guarantee) => {
    const [title, verdict] = child.querySelectorAll("span");
    const [figure, note] = child.querySelectorAll("p");
    setAttribute(child, "data-kept", String(guarantee.kept));
    setText(title, `${guarantee.name} ${guarantee.title}`);
    setText(verdict, VERDICTS[guarantee.kept]);
    setText(figure, guarantee.figure);
    setText(note, guarantee.note);
  });
}
