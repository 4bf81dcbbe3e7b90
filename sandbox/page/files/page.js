// Connects the parts of the page: the user's actions, and the state that is polled.

import { showDiagram } from "/_page/diagram.js";
import { byId, setText } from "/_page/dom.js";
import { showFaults, wireFaults } from "/_page/faults.js";
import { showGuarantees } from "/_page/guarantees.js";
import { call, follow } from "/_page/net.js";
import { showPayment } from "/_page/payment.js";
import { showPayments, shownRows, wireFilters } from "/_page/payments.js";
import { play, showPlaying, wireReplyForm } from "/_page/replies.js";

const PAY_ID = /^[A-Za-z0-9_][A-Za-z0-9._:~-]{0,127}$/;
let watched = payIdOfAddress(); // null: the newest payment, whichever that is
let shown = null;
let lastResponse = null;

function payIdOfAddress() {
  const payId = new URLSearchParams(location.search).get("payId") ?? "";
  return PAY_ID.test(payId) ? payId : null;
}

function watch(payId) {
  if (payId === watched) return;
  watched = payId;
  setText(byId("result"), "");
  history.replaceState(null, "", `?payId=${payId}`);
  refresh();
}

/** Show a payment that the user chose; on a phone it is far below the table. */
function open(payId) {
  watch(payId);
  const title = byId("payment-title");
  if (title.getBoundingClientRect().top > innerHeight / 2) title.scrollIntoView();
}

/** Whoever uses the panel of a payment keeps it, though there are newer ones. */
function keepShown() {
  if (watched === null && shown !== null) watch(shown);
}

function show(state) {
  lastResponse = new Date();
  setText(byId("error"), "");
  byId("scenarios").hidden = !state.simulated;
  byId("external").hidden = state.simulated;
  byId("pay-id").disabled = state.simulated;
  byId("play-section").hidden = !state.simulated;
  byId("to-play").hidden = !state.simulated;
  showPlaying(state.playing, refresh);
  showFaults(state, mend);
  showGuarantees(state.guarantees);
  const shownNow = state.payment?.payId ?? null;
  showPayments(state.payments, watched ?? shownNow, state.now, open);
  if (watched !== null && watched !== shownNow) return;
  shown = shownNow;
  showDiagram(state, showPayment(state.payment, state.now));
}

async function mend(fault) {
  if (fault === "*") await call("POST", "/_page/clear", fault).catch(() => null);
  else await call("PUT", `/_page/faults/${fault}`, false).catch(() => null);
  refresh();
}

function fail() {
  const since = lastResponse ? ` The data shown is from ${lastResponse.toISOString().slice(11, 19)}Z.` : "";
  setText(byId("error"), `The sandbox does not respond.${since} Retrying every 2 seconds.`);
}

const statePath = () => `/_page/state?${new URLSearchParams({ ...shownRows(), ...(watched && { payId: watched }) })}`;
const refresh = follow(statePath, show, fail);

/** Run `action` on each `event` of a button or form, one at a time; show its result in `output`. */
function wire(element, event, output, action) {
  const button = element.querySelector("[type=submit]") ?? element;
  element.addEventListener(event, async (received) => {
    received.preventDefault();
    if (button.getAttribute("aria-disabled") === "true") return;
    button.setAttribute("aria-disabled", "true");
    setText(output, "Sending …");
    try {
      setText(output, await action());
    } catch (error) {
      setText(output, `Failed: ${error.message}`);
    } finally {
      button.removeAttribute("aria-disabled");
      refresh();
    }
  });
}

function startRequest() {
  const channel = byId("channel").value;
  if (!byId("external").hidden) return { payId: byId("pay-id").value, channel };
  return { scenario: byId("scenario").value, check: byId("check").valueAsNumber, channel };
}

wire(byId("start"), "submit", byId("started"), async () => {
  const { payId, sent, got } = await call("POST", "/_page/start", startRequest());
  open(payId);
  return `${sent}: ${got}`;
});
wire(byId("play"), "submit", byId("play-result"), async () => {
  const { payId, sent, got } = await play();
  if (payId) watch(payId);
  return `${sent}: ${got}`;
});
for (const action of ["query", "wait"]) {
  wire(byId(action), "click", byId("result"), async () => {
    const { sent, status, body } = await call("POST", `/_page/${action}`, shown);
    const what = body.status ? `${body.status}${body.stale ? ", stale: the gateway did not reply" : ""}` : body.title;
    return `${sent}: HTTP ${status}, ${what}`;
  });
}
wire(byId("sweep"), "click", byId("result"), async () => {
  return (await call("POST", "/_page/sweep", shown)).got;
});
wireFaults(async (name, on) => {
  await call("PUT", `/_page/faults/${name}`, on);
  refresh();
});

wireFilters(() => refresh());
for (const event of ["pointerdown", "focusin"]) byId("watched").addEventListener(event, keepShown);
wireReplyForm();
byId("scenario").addEventListener("change", () => {
  const paidLater = "paidLater" in byId("scenario").selectedOptions[0].dataset;
  byId("check-line").hidden = !paidLater;
  byId("check").disabled = !paidLater;
});
byId("scenario").dispatchEvent(new Event("change"));
