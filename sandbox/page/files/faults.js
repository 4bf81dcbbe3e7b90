// The switches for faults, and the banner that says which are on and what they do to payments.

import { byId, make, setText, sync } from "/_page/dom.js";
import { counted } from "/_page/format.js";

const ALL = "*";
const WAIT = "nothing is lost, and no answered check is used up.";
const lines = [...document.querySelectorAll("[data-fault]")];

/** Call `action` with name and state when a switch is used. */
export function wireFaults(action) {
  for (const line of lines) {
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

/** Show which faults are on; `mend` ends one by its name, ALL ends the reply for every payment. */
export function showFaults(state, mend) {
  for (const line of lines) {
    const on = state.faults[line.dataset.fault];
    const box = line.querySelector("input");
    line.hidden = on === undefined;
    if (on !== undefined && !box.dataset.busy) box.checked = on;
  }
  const create = ({ name }) => {
    const button = make("button", { type: "button" }, "Switch off");
    button.addEventListener("click", () => {
      byId("main").focus();
      mend(name);
    });
    return make("li", {}, make("span"), " ", button);
  };
  sync(byId("banner"), notices(state), ({ name }) => name, create, (child, { text }) => {
    setText(child.querySelector("span"), text);
  });
}

function notices({ faults, copies, payments, playing }) {
  const { unfinished, unsent } = payments.totals;
  const waiting = `${counted(unfinished, "payment is", "payments are")} unfinished;`;
  const found = [];
  if (faults.gateway) found.push(["gateway", `Gateway down: every connection is cut. ${waiting} ${WAIT}`]);
  if (faults.maintenance) {
    found.push(["maintenance", `Maintenance: the gateway sends an HTML page to every query. ${waiting} ${WAIT}`]);
  }
  if (faults.stream) {
    const events = counted(unsent, "event waits", "events wait");
    found.push(["stream", `Stream stopped: ${events} in the table; the sweeper sends each within three minutes.`]);
  }
  if (faults.duplicates) {
    const sent = counted(copies, "copy was", "copies were");
    found.push(["duplicates", `Every message twice: ${sent} sent; each step counts once.`]);
  }
  const reply = playing.find(({ payId }) => payId === ALL);
  if (reply) found.push([ALL, `Your reply (HTTP ${reply.status}) is played for every payment.`]);
  return found.map(([name, text]) => ({ name, text }));
}
