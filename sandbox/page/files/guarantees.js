// The guarantees with their figures, and their summary at the top of the page.

import { byId, make, setAttribute, setProse, setText, sync } from "/_page/dom.js";

const VERDICTS = { true: "✓ kept", false: "✗ broken", null: "not measured" };

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
    setProse(note, guarantee.note);
  });
}
