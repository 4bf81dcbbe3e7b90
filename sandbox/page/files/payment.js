// The selected payment: its status, timeline, event, item, and what the subscriber did.

import { byId, make, setAttribute, setText, sync } from "/_page/dom.js";

const SOURCES = {
  gateway: "gateway", stored: "table", event: "bus", subscriber: "subscriber", fault: "fault",
};
let shown = null;
let known = new Set();

/** Show `payment` as it is `now` (the sandbox's clock, epoch milliseconds). */
export function showPayment(payment, now) {
  byId("watched").hidden = !payment;
  if (!payment) return;
  const first = shown !== payment.payId;
  if (first) known = new Set();
  shown = payment.payId;
  showStatus(payment, now);
  showTimeline(payment, now, first);
  showEvent(payment);
  showItem(payment.item);
}

function showStatus({ payId, item, timeline }, now) {
  const status = item.status ?? "not in the table";
  setText(byId("status"), status);
  setAttribute(byId("status"), "data-status", status);
  const checks = timeline.filter((entry) => entry.kind === "gateway").length;
  const counted = `${checks || item.checks || 0} ${checks === 1 ? "check" : "checks"}`;
  setText(byId("status-note"), `${payId}, ${counted}${next(item, now)}`);
}

function next(item, now) {
  if (item.nextCheckAt === undefined) return "";
  return `, next ${waiting(item, now)}`;
}

function waiting({ nextCheckAt }, now) {
  const seconds = Math.ceil((nextCheckAt - now) / 1000);
  return seconds > 0 ? `in ${duration(seconds)}` : "now";
}

/** A duration with its unit: `90 s`, `59 min`, `24 h`. */
function duration(seconds, digits = 0) {
  if (seconds < 120) return `${seconds.toFixed(digits)} s`;
  return seconds < 7200 ? `${Math.round(seconds / 60)} min` : `${Math.round(seconds / 3600)} h`;
}

function showTimeline({ payId, item, timeline }, now, first) {
  const start = timeline[0]?.at ?? now;
  const entries = [...timeline];
  if (item.nextCheckAt !== undefined) entries.push(upcoming(item, now));
  sync(byId("timeline"), entries, (entry) => `${payId} ${entry.key}`, createEntry, (child, entry) => {
    child.className = `${entry.kind}${known.has(entry.key) || first ? "" : " new"}`;
    const time = child.querySelector("time");
    setText(time, `${entry.at < start ? "−" : "+"}${duration(Math.abs(entry.at - start) / 1000, 2)}`);
    setAttribute(time, "datetime", new Date(entry.at).toISOString());
    setText(child.querySelector("strong"), entry.title);
    setText(child.querySelector("p"), entry.text);
  });
  announce(payId, timeline, first);
}

function upcoming(item, now) {
  const title = `Next check ${waiting(item, now)}`;
  const text = item.lastError ? `after ${item.lastError.kind}` : "";
  return { key: "next", kind: "next", at: item.nextCheckAt, title, text };
}

function createEntry({ kind }) {
  const source = make("span", { class: "source" }, SOURCES[kind] ?? "planned");
  const head = make("div", { class: "head" }, make("time"), source, make("strong"));
  return make("li", {}, head, make("p"));
}

/** Announce new entries to screen readers in one line; nothing when a payment is opened. */
function announce(payId, timeline, first) {
  const added = timeline.filter((entry) => !known.has(entry.key));
  for (const entry of added) known.add(entry.key);
  if (!first && added.length) {
    setText(byId("news"), `${payId}: ${added.map((entry) => entry.title).join(", ")}`);
  }
}

function showEvent({ event, item, timeline, subscriber }) {
  const arrived = timeline.filter((entry) => entry.key.startsWith("arrived-")).length;
  const times = arrived === 1 ? "arrived once" : `arrived ${arrived} times`;
  const state = item.eventState === "PENDING" ? "Unsent in the table" : "Sent";
  setText(byId("event-note"), event ? `${state}; ${arrived ? times : "not arrived yet"}.` : noEvent(item));
  byId("event").hidden = !event;
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
