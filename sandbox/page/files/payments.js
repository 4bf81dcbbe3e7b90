// The table of payments with its filter and search, and the totals.

import { byId, make, setAttribute, setText, sync } from "/_page/dom.js";
import { ahead } from "/_page/format.js";

const TYPING_MS = 200;
const tabs = [...document.querySelectorAll("[data-show]")];
const view = { show: "all", find: "" };

/** Which rows are shown, as parameters of the state. */
export const shownRows = () => view;

/** Call `change` when the filter or the search was changed. */
export function wireFilters(change) {
  for (const tab of tabs) {
    tab.addEventListener("click", () => {
      view.show = tab.dataset.show;
      for (const each of tabs) each.setAttribute("aria-pressed", String(each === tab));
      change();
    });
  }
  let timer;
  byId("find").addEventListener("input", () => {
    clearTimeout(timer);
    timer = setTimeout(() => {
      view.find = byId("find").value;
      change();
    }, TYPING_MS);
  });
}

/** Show the rows and totals; `open` is called with the payId that was clicked. */
export function showPayments({ rows, matching, totals }, watched, now, open) {
  for (const tab of tabs) setText(tab.querySelector("span"), String(totals[tab.dataset.show]));
  const parts = Object.entries(totals.status).map(([status, number]) => `${number}\u00a0${status}`);
  setText(byId("totals"), parts.join(" · "));
  setText(byId("more"), remark(rows.length, matching, totals.all));
  sync(byId("payments"), rows, ({ payId }) => payId, (row) => create(row, open), (child, row) => {
    const [link, order, status, checks, next] = child.querySelectorAll("a, .order, .status, .checks, .next");
    setAttribute(link, "aria-current", row.payId === watched ? "true" : null);
    setText(order, row.orderId ?? "");
    setAttribute(order, "title", row.orderId ?? null);
    setText(status, row.status);
    setAttribute(status, "data-status", row.status);
    setText(checks, String(row.checks ?? 0));
    setText(next, upcoming(row, now));
  });
}

function remark(shown, matching, all) {
  if (!all) return "Payments that are started here, with curl or by the queue appear here.";
  if (!matching) return "No payment matches.";
  return shown < matching ? `${shown} of ${matching} are shown; the search finds the others.` : "";
}

function create({ payId }, open) {
  const link = make("a", { href: `?payId=${payId}`, title: payId }, payId);
  link.addEventListener("click", (event) => {
    if (event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    open(payId);
  });
  return make("tr", {},
    make("th", { scope: "row" }, link),
    make("td", { class: "order" }),
    make("td", {}, make("strong", { class: "status" })),
    make("td", { class: "checks" }),
    make("td", { class: "next" }));
}

function upcoming({ attention, eventState, nextCheckAt }, now) {
  if (attention) return "needs a person";
  if (eventState) return eventState === "PENDING" ? "event unsent" : "event sent";
  return nextCheckAt === undefined ? "nothing" : ahead(nextCheckAt, now);
}
