// The list of events: a table that grows as it is scrolled.

import { button, element, inert, short, visible } from "./text.js";
import { ask, givenUp } from "./ask.js";
import { chosen, content } from "./columns.js";
import { go, listQuery, query, search, set, wide, zone } from "./state.js";
import { float, hold } from "./values.js";
import { called } from "./words.js";
import { changedTicks, tick } from "./ticks.js";

const usual = 50;
const most = 1000; // of one answer
const rounds = 5; // pages that are asked for by one wish for more, where a store answers with short or empty ones
const $ = (id) => document.getElementById(id);
const table = $("events");
const head = table.tHead.rows[0];
const rows = table.tBodies[0];
const more = $("more");

let events = [];
let next = ""; // where the next page begins
let lacks = new Set(); // what the pages lack
let growing = false; // more is being looked for
let turn = 0; // which list it is that is shown or asked for
let asked = null; // the query of the list that is shown
let faced = ""; // the columns and the zone it is shown with
let told = () => {};

export const shown = () => events;
export const atEnd = () => next === "";
export const lacking = () => [...lacks].join("; ");
export const looking = () => growing;
export const rowOf = (id) => [...rows.rows].find((row) => row.dataset.id === id);

// onList sets who hears of the list: told("loading" | "loaded" | "more" | "failed", error).
export const onList = (f) => (told = f);

// show makes the list what the address says. again asks even when the address is the same.
export async function show(again = false) {
  const wanted = listQuery().toString();
  if (wanted === asked && !again) return face();
  stop();
  const mine = turn;
  asked = wanted;
  told("loading");
  const size = Number(query().get("limit")) || usual;
  table.classList.add("stale");
  try {
    const from = listQuery();
    from.set("limit", query().get("limit") ?? size);
    const page = await ask("events", "/api/events?" + from);
    if (turn !== mine) return;
    ({ events, next } = page);
    lacks = new Set([page.lacks].filter(Boolean));
    growing = next !== "" && events.length < size;
    faced = "";
    face();
    told("loaded", page);
  } catch (error) {
    if (givenUp(error)) return;
    events = [];
    next = "";
    lacks.clear();
    rows.replaceChildren();
    told("failed", error);
  } finally {
    if (asked === wanted) table.classList.remove("stale");
    more.hidden = next === "";
  }
  if (growing) await further(size - events.length);
}

// forget makes the next show ask again.
export function forget() {
  stop();
  asked = null;
}

// stop ends looking for more.
function stop() {
  turn++;
  growing = more.disabled = false;
}

// face shows the events in the columns and the zone of the address.
function face() {
  const wanted = [query().get("cols"), query().get("order"), zone()].join("\n");
  if (wanted === faced) return;
  faced = wanted;
  const columns = chosen();
  const tracks = (shown) => ["28px", ...shown.map((c) => c.width)].join(" ");
  table.style.setProperty("--columns", tracks(columns));
  table.style.setProperty("--narrow", tracks(columns.filter((c) => c.fit < 2)));
  table.style.setProperty("--aside", tracks(columns.filter((c) => c.fit < 1)));
  head.replaceChildren(element("th", { scope: "col" }, element("span", { className: "unseen" }, "Compare")), ...columns.map(heading));
  for (const th of head.cells) th.setAttribute("role", "columnheader");
  rows.replaceChildren(...events.map(row));
  changedTicks();
}

function heading(column) {
  const th = element("th", { scope: "col", className: `fit${column.fit}` });
  if (column.id !== "time") {
    th.append(column.label);
    return th;
  }
  const oldest = query().get("order") === "oldest";
  th.setAttribute("aria-sort", oldest ? "ascending" : "descending");
  const offset = zone() === "utc" ? "(UTC)" : "(local)";
  const turn = () => search((next) => set(next, "order", oldest ? "" : "oldest"));
  th.append(button([column.label, " ", element("small", {}, offset), oldest ? " ↑" : " ↓"], turn, { className: "quiet", title: oldest ? "Show the newest first" : "Show the oldest first" }));
  return th;
}

function row(event) {
  const tr = element("tr", { className: event.outcome });
  tr.dataset.id = event.id;
  tr.setAttribute("role", "row");
  const box = element("input", { type: "checkbox", tabIndex: -1 });
  box.setAttribute("aria-label", `Compare ${inert(short(called(event), 200))}`);
  tr.append(cell("td", { className: "box" }, box), ...chosen().map((column) => columnCell(column, event)));
  return tr;
}

function cell(kind, properties, ...children) {
  const e = element(kind, properties, ...children);
  e.setAttribute("role", kind === "th" ? "rowheader" : "cell");
  return e;
}

function columnCell(column, event) {
  if (column.id === "name") {
    const link = element("a", { href: "?" + withEvent(event.id) }, ...visible(short(called(event), 300)));
    return hold(cell("th", { scope: "row", className: "name" }, link), column.name, event.name);
  }
  const value = column.of(event) ?? "";
  const td = cell("td", { className: `${column.id} fit${column.fit}`, tabIndex: -1, title: column.show ? "" : inert(short(value, 1000)) }, ...content(column, event));
  if (column.id === "resources") td.title = short(event.resources.map((r) => inert(`${r.type} ${r.name}`.trim())).join("\n"), 1000);
  td.dataset.label = column.label;
  return hold(td, column.name, value);
}

function withEvent(id) {
  const to = query();
  to.set("ev", id);
  return to;
}

// grow shows one page more.
export async function grow() {
  if (growing || next === "") return;
  growing = true;
  await further(usual);
}

// further asks for pages until there are so many events more, or for a few pages: where events must be looked at one by one,
// a store answers after some thousands, even with none.
async function further(wanted) {
  const mine = turn;
  more.disabled = true;
  try {
    for (let round = 1; growing; round++) {
      const from = listQuery();
      from.set("cursor", next);
      from.set("limit", Math.min(wanted, most));
      const page = await ask("events", "/api/events?" + from);
      if (turn !== mine) return;
      add(page);
      wanted -= page.events.length;
      growing = round < rounds && wanted > 0 && next !== "";
      told("more");
    }
  } catch (error) {
    if (turn !== mine) return;
    growing = false;
    if (!givenUp(error)) told("failed", error);
  } finally {
    if (turn === mine) {
      more.disabled = false;
      more.hidden = next === "";
    }
  }
}

function add(page) {
  next = page.next;
  if (page.lacks) lacks.add(page.lacks);
  if (page.events.length === 0) return;
  events = events.concat(page.events);
  rows.append(...page.events.map(row));
  // So that reload and Back show as many.
  const keep = query();
  set(keep, "limit", String(Math.min(events.length, most)));
  history.replaceState(history.state, "", "?" + keep);
  changedTicks();
}

// open opens an event's detail. from is false when another detail was open: Back then goes to the list.
export function open(id) {
  const was = query().has("ev");
  go((to) => {
    to.set("ev", id);
    to.delete("view");
  }, { replace: was, mark: { opened: true } });
}

// beside is the event before or after one in the list, undefined where there is none.
export function beside(id, step) {
  const at = events.findIndex((e) => e.id === id);
  return at < 0 ? undefined : events[at + step];
}

// step moves the focus by rows, within the column it is in; with an open detail beside the list the detail goes along.
export function step(by) {
  const at = document.activeElement?.closest?.("#events tbody tr") ?? rowOf(query().get("ev"));
  const to = at ? (by > 0 ? at.nextElementSibling : at.previousElementSibling) : rows.rows[0];
  if (!to) return by > 0 ? grow() : undefined;
  const column = document.activeElement?.closest?.("#events td, #events tbody th")?.cellIndex;
  focusCell(to, column ?? 1);
  if (query().has("ev") && wide.matches) open(to.dataset.id);
  if (!to.nextElementSibling) grow();
}

// across moves the focus by cells.
export function across(by) {
  const at = document.activeElement?.closest?.("#events tbody td, #events tbody th");
  const column = at ? at.cellIndex + by : 1;
  if (at && column >= 0 && column < at.parentElement.cells.length) focusCell(at.parentElement, column);
}

function focusCell(tr, column) {
  const cell = tr.cells[column];
  (cell.querySelector("a, input") ?? cell).focus();
  tr.scrollIntoView({ block: "nearest" });
}

// mark shows which event's detail is open.
export function mark(id) {
  for (const tr of rows.querySelectorAll("[aria-current]")) tr.removeAttribute("aria-current");
  if (id) rowOf(id)?.setAttribute("aria-current", "true");
}

rows.addEventListener("click", (e) => {
  const tr = e.target.closest("tr");
  if (!tr || e.target.closest("button")) return;
  if (e.target.closest(".box")) return tick(tr.dataset.id);
  if (e.ctrlKey || e.metaKey || e.shiftKey || e.altKey || String(getSelection())) return;
  e.preventDefault();
  open(tr.dataset.id);
});

more.addEventListener("click", async () => {
  const first = events.length;
  await grow();
  rows.rows[first]?.querySelector("a").focus({ preventScroll: true });
});
new IntersectionObserver(([seen]) => seen.isIntersecting && events.length > 0 && grow(), { rootMargin: "600px" }).observe(more);
float(table);
