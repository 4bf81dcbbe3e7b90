// Replies of the user's own: the form, and what is played now.

import { byId, make, setAttribute, setText, sync } from "/_page/dom.js";
import { call } from "/_page/net.js";

const ALL = "*";
const MAX_CALL_BYTES = 1048576;

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
