// When the events were: bars over time, a brush to choose a part by pointer or by keys, and the same as a table.

import { element } from "./text.js";
import { ask, givenUp } from "./ask.js";
import { said, tell } from "./lacks.js";
import { listQuery, search, set, zone } from "./state.js";
import { count, iso, number, parts, span, stamp } from "./words.js";

const $ = (id) => document.getElementById(id);
const chart = $("bars");
const slider = $("brush");
const height = 56;
const svg = (name, attributes, ...children) => {
  const e = document.createElementNS("http://www.w3.org/2000/svg", name);
  for (const [key, value] of Object.entries(attributes)) e.setAttribute(key, value);
  e.append(...children);
  return e;
};

let bars = []; // {from, to, count, failed}, times as Date, to is not part of the bar
let asked = null;
let at = 0; // the bar the keys are on
let anchor = -1; // where a selection began, -1 when there is none

// show draws the histogram of the address's query, and says how many events there are. told hears {total, failed, exact}.
export async function show(told, again = false) {
  const from = listQuery();
  const wanted = from + zone();
  if (wanted === asked && !again) return;
  asked = wanted;
  $("histogram").classList.add("stale");
  try {
    const answer = await ask("histogram", "/api/histogram?" + from);
    bars = answer.bars.map((b) => ({ ...b, from: new Date(b.from), to: new Date(b.to) }));
    at = Math.max(0, bars.length - 1);
    anchor = -1;
    draw();
    const part = answer.exact || answer.lacks ? "" : `The bars are of the newest ${count(answer.total, "event")} only.`;
    tell($("histogram-lacks"), said(answer.lacks), part);
    told(answer);
  } catch (error) {
    if (givenUp(error)) return;
    asked = null;
    bars = [];
    draw();
    tell($("histogram-lacks"), `When the events were cannot be shown: ${error.message}`);
    told({ error });
  }
  $("histogram").classList.remove("stale");
}

function draw() {
  // The room stays while it is unknown what comes: rows must not jump away from the pointer.
  $("histogram").hidden = bars.length === 0;
  if (bars.length === 0) return;
  const highest = Math.max(1, ...bars.map((b) => b.count));
  const y = (n) => (n === 0 ? 0 : Math.max(2, (n / highest) * height));
  const wide = Math.min(0.84, bars.length * 0.07); // a single bar must not be a wall
  const across = (i) => ({ x: i + (1 - wide) / 2, width: wide });
  chart.setAttribute("viewBox", `0 0 ${bars.length} ${height}`);
  chart.replaceChildren(
    svg("rect", { id: "selection", y: 0, height, width: 0 }),
    ...bars.flatMap((b, i) => [
      svg("rect", { class: "all", ...across(i), y: height - y(b.count), height: y(b.count) }, svg("title", {}, says(b))),
      ...(b.failed ? [svg("rect", { class: "failed", ...across(i), y: height - y(b.failed), height: y(b.failed) })] : []),
    ]),
  );
  slider.setAttribute("aria-valuemax", bars.length - 1);
  axis();
  point();
  if (!$("bars-table").hidden) tabulate();
}

function axis() {
  const { day, clock } = parts(bars[0].from, zone());
  const last = parts(bars.at(-1).to, zone());
  const step = (bars[0].to - bars[0].from) / 1000;
  $("axis-from").textContent = `${day} ${clock}`;
  $("axis-step").textContent = `a bar is ${span(step)}`;
  $("axis-to").textContent = `${last.day === day ? "" : last.day + " "}${last.clock} ${last.offset}`;
}

const says = (b) => `${stamp(b.from, zone())}: ${count(b.count, "event")}, ${number(b.failed)} failed`;

// selected is the first and last bar of the selection.
const selected = () => (anchor < 0 ? [at, at] : [Math.min(at, anchor), Math.max(at, anchor)]);

function point() {
  const [first, last] = selected();
  const selection = $("selection");
  selection.setAttribute("x", first);
  selection.setAttribute("width", last - first + 1);
  const all = bars.slice(first, last + 1);
  const text = first === last ? says(bars[at]) : `${stamp(bars[first].from, zone())} to ${stamp(bars[last].to, zone())}: ${count(all.reduce((n, b) => n + b.count, 0), "event")}`;
  slider.setAttribute("aria-valuenow", at);
  slider.setAttribute("aria-valuetext", text);
  $("brush-says").textContent = text;
}

// choose makes the selection the time range.
function choose() {
  const [first, last] = selected();
  anchor = -1;
  const until = new Date(bars[last].to - 1000); // both bounds of a range are included, to the second
  search((next) => {
    set(next, "from", iso(bars[first].from));
    set(next, "to", iso(until < bars[first].from ? bars[first].from : until));
  });
}

const keys = {
  ArrowLeft: () => at - 1, ArrowRight: () => at + 1, ArrowDown: () => at - 1, ArrowUp: () => at + 1,
  Home: () => 0, End: () => bars.length - 1, PageUp: () => at + 10, PageDown: () => at - 10,
};

slider.addEventListener("keydown", (e) => {
  if (bars.length === 0 || e.ctrlKey || e.metaKey || e.altKey) return;
  if (e.key === "Enter") {
    e.preventDefault();
    choose();
  } else if (e.key === "Escape" && anchor >= 0) {
    e.stopPropagation();
    anchor = -1;
    point();
  } else if (keys[e.key]) {
    e.preventDefault();
    if (e.shiftKey && anchor < 0) anchor = at;
    if (!e.shiftKey) anchor = -1;
    at = Math.min(bars.length - 1, Math.max(0, keys[e.key]()));
    point();
  }
});

const barAt = (e) => {
  const box = slider.getBoundingClientRect();
  return Math.min(bars.length - 1, Math.max(0, Math.floor(((e.clientX - box.left) / box.width) * bars.length)));
};

slider.addEventListener("pointerdown", (e) => {
  if (e.button !== 0 || bars.length === 0) return;
  slider.setPointerCapture(e.pointerId);
  at = anchor = barAt(e);
  point();
});
slider.addEventListener("pointermove", (e) => {
  if (bars.length === 0) return;
  at = barAt(e);
  if (!slider.hasPointerCapture(e.pointerId)) anchor = -1;
  point();
});
slider.addEventListener("pointerup", (e) => {
  if (!slider.hasPointerCapture(e.pointerId)) return;
  slider.releasePointerCapture(e.pointerId);
  choose();
});
slider.addEventListener("pointercancel", () => {
  anchor = -1;
  point();
});

function tabulate() {
  const body = $("bars-table").querySelector("tbody");
  body.replaceChildren(...bars.filter((b) => b.count > 0).map((b) => {
    const tr = element("tr", {}, element("th", { scope: "row", textContent: stamp(b.from, zone()) }));
    tr.append(element("td", { textContent: number(b.count) }), element("td", { textContent: number(b.failed) }));
    return tr;
  }));
}

$("bars-as-table").addEventListener("click", () => {
  const hidden = $("bars-table").toggleAttribute("hidden");
  $("bars-as-table").setAttribute("aria-expanded", String(!hidden));
  if (!hidden) tabulate();
});
