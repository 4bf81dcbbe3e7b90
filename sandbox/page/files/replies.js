// Replies of the user's own: the form, what is played now, and what payresult makes of it.

import { byId, make, setAttribute, setText, sync } from "/_page/dom.js";
import { call } from "/_page/net.js";

const ALL = "*";
const MAX_CALL_BYTES = 1048576;
let explained = "";

/** The payment field belongs to one of the choices. */
export function wireReplyForm() {
  byId("reply-to").addEventListener("change", () => {
    const one = byId("reply-to").value === "one";
    byId("reply-pay-id-line").hidden = !one;
    byId("reply-pay-id").disabled = !one;
  });
  byId("reply-to").dispatchEvent(new Event("change"));
}

/** Play what is in the form; the response has the payId of the payment that was registered. */
export async function play() {
  const request = {
    to: byId("reply-to").value,
    status: byId("reply-status").value.trim() === "" ? 200 : Number(byId("reply-status").value),
    headers: byId("reply-headers").value,
    body: byId("reply-body").value,
  };
  if (request.to === "one") request.payId = byId("reply-pay-id").value;
  if (new Blob([JSON.stringify(request)]).size > MAX_CALL_BYTES) {
    throw new Error("body: may have at most 1 MiB, with what JSON adds; curl can send more");
  }
  return call("POST", "/_page/play", request);
}

/** Show the replies that are played, each with a button that clears it. */
export function showPlaying(playing, refresh) {
  const create = ({ payId }) => {
    const button = make("button", { type: "button" }, "Clear");
    button.addEventListener("click", async () => {
      await call("POST", "/_page/clear", payId).catch(() => null);
      byId("play").querySelector("[type=submit]").focus();
      refresh();
    });
    return make("li", {}, make("span"), " ", button);
  };
  sync(byId("playing"), playing, ({ payId }) => payId, create, (child, { payId, status, bodyBytes }) => {
    const name = payId === ALL ? "every payment" : payId;
    setText(child.querySelector("span"), `${name}: HTTP ${status}, ${bodyBytes} bytes`);
    setAttribute(child.querySelector("button"), "aria-label", `Clear the reply for ${name}`);
  });
}

/** For a payment with a played reply: the rule that it broke, and the words of `payresult explain`. */
export async function showVerdict(payment) {
  byId("verdict-of-reply").hidden = !payment?.played;
  if (!payment?.played) return;
  const { payId, item, timeline, played } = payment;
  setText(byId("rule"), played.rule ? `The reply does not count, by the rule: ${played.rule}.` : "");
  const checks = timeline.filter((entry) => entry.kind === "gateway").length;
  const key = `${payId} ${item.status} ${checks} ${item.nextCheckAt}`;
  if (key === explained) return;
  explained = key;
  const lines = await call("POST", "/_page/explain", payId).catch(() => null);
  if (key !== explained) return;
  if (lines) setText(byId("why"), lines.join(" "));
  else explained = "";
}
