// The payment that is watched: its status, time line, event, subscriber's act and item.

import { byId, make, setAttribute, setText, sync } from "/_page/dom.js";

const WHO = {
  gateway: "gateway", stored: "table", event: "bus", act: "subscriber", fault: "fault",
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
  showLine(payment, now, first);
  showEvent(payment);
  showItem(payment.item);
}

function showStatus({ payId, item, line }, now) {
  const status = item.status ?? "not in the table";
  setText(byId("status"), status);
  setAttribute(byId("status"), "data-status", status);
  const checks = line.filter((entry) => entry.kind === "gateway").length;
  const counted = `${checks || item.checks || 0} ${checks === 1 ? "check" : "checks"}`;
  setText(byId("status-note"), `${payId}, ${counted}${next(item, now)}`);
}

function next(item, now) {
  if (item.nextCheckAt === undefined) return "";
  return `, the next ${waiting(item, now)}`;
}

function waiting({ nextCheckAt }, now) {
  const seconds = Math.ceil((nextCheckAt - now) / 1000);
  return seconds > 0 ? `in ${lasting(seconds)}` : "now";
}

/** Seconds as people say them: `90 s`, `59 min`, `24 h`. */
function lasting(seconds, digits = 0) {
  if (seconds < 120) return `${seconds.toFixed(digits)} s`;
  return seconds < 7200 ? `${Math.round(seconds / 60)} min` : `${Math.round(seconds / 3600)} h`;
}

function showLine({ payId, item, line }, now, first) {
  const start = line[0]?.at ?? now;
  const entries = [...line];
  if (item.nextCheckAt !== undefined) entries.push(upcoming(item, now));
  sync(byId("line"), entries, (entry) => `${payId} ${entry.key}`, createEntry, (child, entry) => {
    child.className = `${entry.kind}${known.has(entry.key) || first ? "" : " new"}`;
    const time = child.querySelector("time");
    setText(time, `${entry.at < start ? "−" : "+"}${lasting(Math.abs(entry.at - start) / 1000, 2)}`);
    setAttribute(time, "datetime", new Date(entry.at).toISOString());
    setText(child.querySelector("strong"), entry.title);
    setText(child.querySelector("p"), entry.text);
  });
  announce(payId, line, first);
}

function upcoming(item, now) {
  const title = `Next check ${waiting(item, now)}`;
  const text = item.lastError ? `after ${item.lastError.kind}` : "";
  return { key: "next", kind: "next", at: item.nextCheckAt, title, text };
}

function createEntry({ kind }) {
  const who = make("span", { class: "who" }, WHO[kind] ?? "planned");
  const head = make("div", { class: "head" }, make("time"), who, make("strong"));
  return make("li", {}, head, make("p"));
}

/** Tell a screen reader what is new, in one polite line; nothing when a payment is opened. */
function announce(payId, line, first) {
  const fresh = line.filter((entry) => !known.has(entry.key));
  for (const entry of fresh) known.add(entry.key);
  if (!first && fresh.length) {
    setText(byId("news"), `${payId}: ${fresh.map((entry) => entry.title).join(", ")}`);
  }
}

function showEvent({ event, item, line, act }) {
  const arrived = line.filter((entry) => entry.key.startsWith("arrived-")).length;
  const times = arrived === 1 ? "arrived once" : `arrived ${arrived} times, with one id`;
  const state = item.eventState === "PENDING" ? "Waits in the table for stream or sweeper" : "Sent";
  setText(byId("event-note"), event ? `${state}; ${arrived ? times : "not arrived so far"}.` : noEvent(item));
  byId("event").hidden = !event;
  setText(byId("event"), event ? JSON.stringify(event, null, 2) : "");
  byId("subscriber").hidden = act === undefined;
  if (act !== undefined) setText(byId("act"), act);
}

function noEvent(item) {
  if (item.status === "REVIEW") return "None: it is paid, but not with the registered amount.";
  return "None: there is one only for a payment that is paid.";
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
