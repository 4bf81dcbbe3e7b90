// Joins the parts: what the visitor does, and what the sandbox says again and again.

import { byId, setText } from "/_page/dom.js";
import { call, follow } from "/_page/net.js";
import { showFaults, showPromises, showRecent, wireFaults } from "/_page/panels.js";
import { showPayment } from "/_page/payment.js";

const PAY_ID = /^[A-Za-z0-9_-]{1,64}$/;
let watched = payIdOfAddress();
let lastAnswer = null;

function payIdOfAddress() {
  const told = new URLSearchParams(location.search).get("payId") ?? "";
  return PAY_ID.test(told) ? told : null;
}

function watch(payId) {
  if (payId === watched) return;
  watched = payId;
  setText(byId("told"), "");
  history.replaceState(null, "", `?payId=${payId}`);
  refresh();
}

function show(state) {
  lastAnswer = new Date();
  setText(byId("trouble"), "");
  byId("fates").hidden = !state.simulated;
  byId("other").hidden = state.simulated;
  byId("pay-id").disabled = state.simulated;
  showFaults(state.faults, state.copies);
  showPromises(state.promises);
  showRecent(state.recent, watched, watch);
  if (watched === (state.payment?.payId ?? null)) showPayment(state.payment, state.now);
}

function fail() {
  const since = lastAnswer ? ` What you see is from ${lastAnswer.toLocaleTimeString()}.` : "";
  setText(byId("trouble"), `The sandbox does not answer.${since} Trying again every 2 seconds.`);
}

const statePath = () => `/_page/state${watched ? `?payId=${watched}` : ""}`;
const refresh = follow(statePath, show, fail);

/** Let a button or form do `act` once at a time, and tell what came of it in `output`. */
function wire(element, event, output, act) {
  const button = element.querySelector("[type=submit]") ?? element;
  element.addEventListener(event, async (happened) => {
    happened.preventDefault();
    if (button.getAttribute("aria-disabled") === "true") return;
    button.setAttribute("aria-disabled", "true");
    setText(output, "Asking …");
    try {
      setText(output, await act());
    } catch (error) {
      setText(output, `That did not work: ${error.message}`);
    } finally {
      button.removeAttribute("aria-disabled");
      refresh();
    }
  });
}

function wish() {
  const way = document.querySelector("[name=way]:checked").value;
  if (!byId("other").hidden) return { payId: byId("pay-id").value, way };
  return { fate: byId("fate").value, check: byId("check").valueAsNumber, way };
}

wire(byId("start"), "submit", byId("started"), async () => {
  const told = await call("POST", "/_page/start", wish());
  watch(told.payId);
  return `${told.sent}: ${told.got}`;
});
wire(byId("ask"), "click", byId("told"), async () => {
  const { sent, status, body } = await call("POST", "/_page/ask", watched);
  const what = body.status ? `${body.status}${body.stale ? ", stale: the gateway did not answer" : ""}` : body.title;
  return `${sent}: HTTP ${status}, ${what}`;
});
wire(byId("sweep"), "click", byId("told"), async () => {
  return (await call("POST", "/_page/sweep", watched)).got;
});
wireFaults(async (name, on) => {
  await call("PUT", `/_page/faults/${name}`, on);
  refresh();
});

byId("fate").addEventListener("change", () => {
  const lasting = "lasting" in byId("fate").selectedOptions[0].dataset;
  byId("check-line").hidden = !lasting;
  byId("check").disabled = !lasting;
});
byId("fate").dispatchEvent(new Event("change"));
