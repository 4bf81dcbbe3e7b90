// The selected payment: its status, why and what is next, its time line, event and item.

import { byId, make, setAttribute, setProse, setText, sync } from "/_page/dom.js";
import { ahead, counted, duration } from "/_page/format.js";

const SOURCES = {
  api: "app", event: "bus", fault: "fault", gateway: "gateway", queue: "queue", stored: "table", subscriber: "subscriber",
};
const JUST_NOW_MS = 5000;
const MIN_FOLDED = 3;
const NONE = "None yet. Start one here, or with curl: the newest payment is opened by itself.";
let shown = null;
let known = new Set();
let unfolded = false;

byId("unfold").addEventListener("click", () => {
  unfolded = true;
  byId("query").focus();
});

/**
 * Show `payment` as it is `now` (epoch milliseconds); the entries that are new since the last call.
 * Of a payment that is opened these are those of the last 5 s: it may have been started and paid between two polls.
 */
export function showPayment(payment, now) {
  byId("watched").hidden = !payment;
  byId("nothing").hidden = Boolean(payment);
  byId("status").hidden = !payment;
  setText(byId("nothing"), NONE);
  if (!payment) return [];
  const first = shown !== payment.payId;
  if (first) {
    known = new Set();
    unfolded = false;
  }
  shown = payment.payId;
  showStatus(payment, now);
  const added = showTimeline(payment, now, first);
  showEvent(payment);
  showItem(payment.item);
  setText(byId("curl"), curl(payment));
  return added;
}

function showStatus({ payId, item, explained, played }, now) {
  const today = new Date(now).toISOString().slice(0, 10);
  const text = (lines = []) => lines.join(" ").replaceAll(`${today} `, "");
  const status = item.status ?? "not stored";
  setText(byId("shown"), payId);
  setText(byId("status"), status);
  setAttribute(byId("status"), "data-status", status);
  setProse(byId("why"), text(explained.why));
  setProse(byId("next"), text(explained.next) || "Nothing.");
  setProse(byId("person"), text([...(explained.person ?? []), ...firstOf(explained)]));
  byId("person-title").hidden = byId("person").hidden = !explained.attention;
  setText(byId("rule"), played?.rule ? `Your reply does not count, by the rule: ${played.rule}.` : "");
}

/** With which payment the order of a DUPLICATE was paid before. */
function firstOf({ attention, order }) {
  const first = attention === "DUPLICATE" && order?.firstPayId;
  return first ? [`The first payment of its order is ${first}.`] : [];
}

function showTimeline({ payId, item, timeline, explained }, now, first) {
  const start = timeline[0]?.at ?? now;
  const entries = unfolded ? [...timeline] : fold(timeline);
  byId("unfold").hidden = unfolded || entries.length === timeline.length;
  if (item.nextCheckAt !== undefined) entries.push(upcoming(item, explained, now));
  sync(byId("timeline"), entries, (entry) => `${payId} ${entry.key}`, createEntry, (child, entry) => {
    child.className = `${entry.kind}${known.has(entry.key) || first ? "" : " new"}`;
    const time = child.querySelector("time");
    setText(time, `${entry.at < start ? "−" : "+"}${duration(Math.abs(entry.at - start) / 1000, 2)}`);
    setAttribute(time, "datetime", new Date(entry.at).toISOString());
    setText(child.querySelector("strong"), entry.title);
    setText(child.querySelector("small"), entry.text);
  });
  return announce(payId, timeline, now, first);
}

/** The entries; of more than four equal answers in a row, one line stands for those between the first and the last. */
function fold(timeline) {
  const same = (a, b) => a?.kind === "gateway" && b?.kind === "gateway" && a.title === b.title && a.text === b.text;
  const found = [];
  for (let end, start = 0; start < timeline.length; start = end) {
    end = start + 1;
    while (same(timeline[start], timeline[end])) end += 1;
    const run = timeline.slice(start, end);
    const hidden = run.slice(1, -1);
    if (hidden.length < MIN_FOLDED) found.push(...run);
    else found.push(run[0], { ...hidden[0], title: `${hidden.length} times the same answer`, text: "" }, run.at(-1));
  }
  return found;
}

function upcoming({ nextCheckAt }, { answeredChecks, maxAnsweredChecks }, now) {
  const text = maxAnsweredChecks ? `${answeredChecks} of at most ${counted(maxAnsweredChecks, "answered check")} used` : "";
  return { key: "next", kind: "next", at: nextCheckAt, title: `Next check ${ahead(nextCheckAt, now)}`, text };
}

function createEntry({ kind }) {
  const source = make("span", { class: "source" }, SOURCES[kind] ?? "planned");
  return make("li", {}, make("time"), source, make("div", {}, make("strong"), make("small")));
}

/** Announce new entries to screen readers in one line; nothing when a payment is opened. */
function announce(payId, timeline, now, first) {
  const added = timeline.filter((entry) => !known.has(entry.key));
  for (const entry of added) known.add(entry.key);
  if (first) return added.filter((entry) => entry.at > now - JUST_NOW_MS);
  if (!added.length) return [];
  setText(byId("news"), `${payId}: ${added.map((entry) => entry.title).join(", ")}`);
  return added;
}

function showEvent({ event, item, timeline, subscriber }) {
  const arrived = timeline.filter((entry) => entry.key.startsWith("arrived-")).length;
  const times = arrived === 1 ? "arrived once" : `arrived ${arrived} times`;
  const state = item.eventState === "PENDING" ? "Unsent in the table" : "Sent";
  setText(byId("event-note"), event ? `${state}; ${arrived ? times : "not arrived yet"}.` : noEvent(item));
  byId("event").parentElement.hidden = !event;
  setText(byId("event"), event ? JSON.stringify(event, null, 2) : "");
  byId("subscriber").hidden = subscriber === undefined;
  if (subscriber !== undefined) setText(byId("subscriber-note"), subscriber);
}

function noEvent(item) {
  if (item.status === "REVIEW") return "None: the amount is not the registered one.";
  return "None: only a paid payment has an event.";
}

function showItem(item) {
  const pairs = Object.entries(item).flatMap(([name, value]) => [
    { key: `${name}:`, tag: "dt", text: name },
    { key: name, tag: "dd", text: readable(name, value) },
  ]);
  sync(byId("item"), pairs, (pair) => pair.key, (pair) => make(pair.tag), (child, pair) => {
    setText(child, pair.text);
  });
}

function readable(name, value) {
  if (Array.isArray(value)) return value.map((each) => readable("", each)).join("\n");
  if (typeof value === "object") {
    return Object.entries(value).map(([key, each]) => `${key} ${readable(key, each)}`).join(", ");
  }
  return typeof value === "number" && /(^a|A)t$/.test(name) ? new Date(value).toISOString() : String(value);
}

function curl({ payId, item }) {
  const { orderId, expectedAmount, currency } = item;
  const body = JSON.stringify({ orderId, expectedAmount, currency }).replaceAll("'", "\\u0027");
  const url = `${location.origin}/payments/${payId}`;
  return `curl -X PUT ${url} -H 'Content-Type: application/json' -d '${body}'\ncurl ${url}`;
}
