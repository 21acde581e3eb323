// Keys for those who leave the mouse alone. None of them works while something is typed, and single keys can be turned off.

import { across, open, step } from "./list.js";
import { close, walk } from "./detail.js";
import { query, addFilter } from "./state.js";
import { tick } from "./ticks.js";
import { heldBy } from "./values.js";
import { keep, kept } from "./theme.js";

const $ = (id) => document.getElementById(id);
const help = $("help");
const single = $("single-keys");
const focused = () => document.activeElement;
const onRow = () => focused()?.closest?.("#events tbody tr");

function filterBy(not) {
  const value = heldBy(focused());
  if (!value) return false;
  addFilter(value.name, value.value, not);
}

// Each does what its key says; false leaves the key to the browser.
const singles = {
  "/": () => $("search").elements.q.focus(),
  "?": () => help.showModal(),
  j: () => step(1),
  k: () => step(-1),
  "[": () => walk(-1),
  "]": () => walk(1),
  "+": () => filterBy(false),
  "=": () => filterBy(false),
  "-": () => filterBy(true),
  x: () => onRow() ? tick(onRow().dataset.id) : false,
  f: () => $("add").click(),
  t: () => $("range").click(),
  r: () => $("refresh").click(),
};

const others = {
  ArrowDown: () => (onRow() ? step(1) : false),
  ArrowUp: () => (onRow() ? step(-1) : false),
  ArrowLeft: () => (onRow() ? across(-1) : false),
  ArrowRight: () => (onRow() ? across(1) : false),
  Enter: () => (onRow() && focused().matches("td") ? open(onRow().dataset.id) : false),
  Escape: () => ($("detail").open && $("detail").dataset.modal === "false" ? close() : false),
};

const typing = (e) => e.target.closest?.("input:not([type=checkbox], [type=radio]), select, textarea, [contenteditable]");

document.addEventListener("keydown", (e) => {
  if (e.defaultPrevented || e.ctrlKey || e.metaKey || e.altKey || e.isComposing) return;
  if (typing(e)) {
    if (e.key === "Escape" && e.target.closest("#search")) e.target.blur();
    return;
  }
  if (document.querySelector(":popover-open") || document.querySelector("dialog:modal:not(#detail)")) return;
  const does = others[e.key] ?? (single.checked ? singles[e.key] : undefined);
  done = does !== undefined && does() !== false;
  if (done) e.preventDefault();
});

// A key that did something must not be typed into what it has focused.
let done = false;
document.addEventListener("keypress", (e) => done && e.key !== "Enter" && e.preventDefault());
document.addEventListener("keyup", () => (done = false));

single.checked = kept("keys") !== "off";
single.addEventListener("change", () => keep("keys", single.checked ? "on" : "off"));
$("help-open").addEventListener("click", () => help.showModal());
$("help-close").addEventListener("click", () => help.close());
