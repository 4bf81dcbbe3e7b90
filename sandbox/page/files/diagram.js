// The parts of the system as an inline SVG: those that the payment has reached, lit as it happens.

import { byId, setAttribute, setText } from "/_page/dom.js";
import { ahead, counted } from "/_page/format.js";

const SVG = "http://www.w3.org/2000/svg";
const STEP_MS = 250;
const LIT_MS = 1200;
const MAX_STEPS = 12;
const WIDE = matchMedia("(min-width: 64rem)");

/** Of each part: its name, and x, y, width in the wide and in the narrow drawing. */
const PARTS = {
  app: ["app", [4, 12, 130], [6, 6, 150]],
  orders: ["order service", [4, 92, 130], [184, 6, 150]],
  payresult: ["payresult", [262, 50, 160], [95, 96, 150]],
  gateway: ["gateway", [550, 4, 170], [184, 190, 150]],
  table: ["table", [550, 100, 170], [6, 190, 150]],
  bus: ["event bus", [806, 100, 170], [6, 274, 150]],
  subscriber: ["subscriber", [1052, 100, 170], [184, 274, 150]],
};
const HEIGHT = 48;
const LINES = ["app-payresult", "orders-payresult", "payresult-gateway", "payresult-table", "table-bus", "bus-subscriber"];
const SIZES = { true: [1226, 156], false: [340, 328] };

/** What an entry of the time line lights, by its kind. */
const PATHS = {
  api: ["app", "app-payresult", "payresult"],
  queue: ["orders", "orders-payresult", "payresult"],
  fault: ["orders", "orders-payresult"],
  gateway: ["payresult", "payresult-gateway", "gateway"],
  stored: ["payresult", "payresult-table", "table"],
  event: ["table-bus", "bus", "bus-subscriber", "subscriber"],
  subscriber: ["subscriber"],
};
let drawn = null;
let steps = [];
let running = false;

/** Draw `state`; light what the `added` entries of the time line tell, one after the other. */
export function showDiagram(state, added) {
  if (drawn !== WIDE.matches) draw();
  const entries = state.payment?.timeline ?? [];
  const reached = new Set(entries.flatMap(path));
  for (const element of byId("diagram").querySelectorAll("[data-part]")) {
    element.classList.toggle("reached", reached.has(element.dataset.part));
  }
  note(state, entries);
  steps = [...steps, ...added.map(path)].slice(-MAX_STEPS);
  if (!running) light();
}

function path({ kind, text, key }) {
  if (key !== "stored-0") return PATHS[kind] ?? [];
  return [...PATHS[text.includes("HTTP API") ? "api" : "queue"], ...PATHS.stored];
}

function light() {
  const step = steps.shift();
  running = step !== undefined;
  if (!running) return;
  for (const name of step) {
    const element = byId("diagram").querySelector(`[data-part="${name}"]`);
    element.classList.add("lit");
    setTimeout(() => element.classList.remove("lit"), LIT_MS);
  }
  setTimeout(light, STEP_MS);
}

/** The second line of each part, and what is broken. */
function note({ faults, events, now, payment, payments, waitingMessages, simulated }, entries) {
  const failed = entries.filter(({ kind, title }) => kind === "gateway" && title.startsWith("No answer")).length;
  const asked = entries.filter(({ kind }) => kind === "gateway").length;
  const broken = faults.gateway || faults.maintenance;
  const state = faults.gateway ? "down" : "HTML page";
  const notes = {
    app: "HTTP",
    orders: `SQS, ${waitingMessages} waiting`,
    payresult: "signs, asks, decides",
    gateway: broken ? `${state}: ${failed} failed` : counted(asked, "query", "queries"),
    table: "payment + its event",
    bus: faults.stream ? "stream stopped" : `${events} PaymentSucceeded`,
    subscriber: payment?.subscriber === undefined ? "this page listens" : "acts once per order",
  };
  for (const [name, text] of Object.entries(notes)) setText(byId(`part-${name}`), text);
  const mark = (name, on) => byId("diagram").querySelector(`[data-part="${name}"]`).classList.toggle("broken", on);
  mark("gateway", Boolean(broken));
  mark("payresult-gateway", Boolean(broken));
  mark("table-bus", Boolean(faults.stream));
  const next = payment?.item.nextCheckAt;
  setText(byId("loop"), next === undefined ? "" : `next check ${ahead(next, now)}`);
  const where = simulated ? "the simulated gateway" : "your gateway";
  const last = entries.at(-1);
  const text = last ? `${payment.payId}: ${last.title}` : "no payment yet";
  setAttribute(byId("diagram").firstElementChild, "aria-label",
    `App and order service call payresult, which asks ${where} and writes the table; its event goes to the bus and to subscribers. ${text}.`);
}

function draw() {
  drawn = WIDE.matches;
  const [width, height] = SIZES[drawn];
  const svg = shape("svg", { viewBox: `0 0 ${width} ${height}`, role: "img", class: drawn ? "wide" : "narrow" });
  for (const name of LINES) svg.append(shape("path", { "data-part": name, class: "line", d: line(name) }));
  svg.append(shape("path", { class: "loop", d: loop() }), loopText());
  for (const name of Object.keys(PARTS)) svg.append(part(name));
  byId("diagram").replaceChildren(svg);
}

function shape(tag, attributes, text = "") {
  const element = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.textContent = text;
  return element;
}

const place = (name) => PARTS[name][drawn ? 1 : 2];

function part(name) {
  const [x, y, width] = place(name);
  const group = shape("g", { "data-part": name, class: "part" });
  group.append(
    shape("rect", { x, y, width, height: HEIGHT, rx: 8 }),
    shape("text", { x: x + width / 2, y: y + 20 }, PARTS[name][0]),
    shape("text", { x: x + width / 2, y: y + 37, class: "small", id: `part-${name}` }),
  );
  return group;
}

/** A curve from the right to the left side, or where there is no room from the bottom to the top. */
function line(name) {
  const [from, to] = name.split("-").map(place);
  if (to[0] >= from[0] + from[2]) {
    const [x, y, endX, endY] = [from[0] + from[2], from[1] + HEIGHT / 2, to[0], to[1] + HEIGHT / 2];
    const middle = (x + endX) / 2;
    if (drawn || y === endY) return `M${x} ${y}C${middle} ${y} ${middle} ${endY} ${endX} ${endY}`;
  }
  const [x, y, endX, endY] = [from[0] + from[2] / 2, from[1] + HEIGHT, to[0] + to[2] / 2, to[1]];
  const middle = (y + endY) / 2;
  return `M${x} ${y}C${x} ${middle} ${endX} ${middle} ${endX} ${endY}`;
}

/** payresult sends itself the next check by the queue. */
function loop() {
  const [x, y, width] = place("payresult");
  if (drawn) return `M${x + width / 2} ${y + HEIGHT}C${x + width / 2} ${y + 100} 190 150 134 124`;
  return `M${x + width} ${y + 30}C310 ${y + 30} 300 80 290 54`;
}

function loopText() {
  const [x, y] = drawn ? [480, 138] : [336, 164];
  return shape("text", { x, y, class: "small end", id: "loop" });
}

draw();
