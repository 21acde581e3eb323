// The picker: the values of an attribute with their counts, one click to take or leave out, and a field for any other.

import { button, element, inert, unseen, visible } from "./text.js";
import { ask, giveUp, givenUp } from "./ask.js";
import { said as lacking } from "./lacks.js";
import { addFilter, filters, listQuery, written } from "./state.js";
import { openAt } from "./popover.js";
import { attributes, attribute, label, shows } from "./vocabulary.js";
import { pair } from "./values.js";
import { count, number } from "./words.js";

const $ = (id) => document.getElementById(id);
const box = $("picker");
const which = $("picker-attribute");
const field = $("picker-value");
const list = $("picker-values");
const said = $("picker-said");
let timer = 0;

// pick opens the picker beside an element, at an attribute.
export function pick(beside, name = "eventName") {
  which.replaceChildren(...attributes().map((a) => element("option", { value: a.name, textContent: a.label })));
  which.value = name;
  field.value = "";
  openAt(box, beside);
  field.focus();
  load();
}

async function load() {
  const name = which.value;
  field.placeholder = attribute(name)?.example ? `such as ${attribute(name).example}` : "a value";
  giveUp("picker");
  if (!attribute(name)?.counted) return offer(name);
  said.textContent = "Loading …";
  // The values among the events of the other filters: those of this attribute would leave nothing else to pick.
  const query = listQuery();
  const others = filters(query).filter((f) => f.name !== name);
  query.delete("f");
  others.forEach((f) => query.append("f", written(f)));
  query.append("by", name);
  query.set("most", 100);
  if (field.value.trim()) query.set("like", field.value.trim());
  try {
    const answer = await ask("picker", "/api/values?" + query);
    draw(name, answer);
  } catch (error) {
    if (!givenUp(error)) said.replaceChildren(...visible(`The values could not be read: ${error.message}`));
  }
}

// offer is what an attribute has whose values are not counted: its few fixed ones, or none.
function offer(name) {
  const words = attribute(name)?.words ?? [];
  list.replaceChildren(...words.map(({ value }) => item(name, value)));
  said.textContent = words.length > 0 ? "" : "Write the whole value. These are not counted: nearly every event has its own.";
}

function item(name, value, ...tail) {
  const face = element("span", { className: "clip" }, ...visible(shows(name, value)));
  const choose = button([face, ...tail], () => take(name, value), { className: "choice", title: inert(value) });
  return element("li", {}, choose, pair(name, value, take));
}

function draw(name, { facets: [facet], base, exact, lacks }) {
  // Of the few values of some attributes all are offered.
  for (const { value } of attribute(name)?.words ?? []) {
    if (!field.value && !facet.values.some((v) => v.value === value)) facet.values.push({ value, count: 0 });
  }
  list.replaceChildren(...facet.values.map((v) => {
    const li = item(name, v.value, element("small", {}, number(v.count), unseen(v.count === 1 ? " event" : " events")));
    li.firstChild.style.setProperty("--share", `${base ? (100 * v.count) / base : 0}%`);
    return li;
  }));
  const of = base === 0 ? "counted in the whole store" : exact || lacks ? `counted in ${count(base, "event")}` : `counted in the newest ${number(base)} events`;
  const typed = field.value.trim();
  if (facet.values.length > 0) said.textContent = `${count(facet.values.length, "value")}${facet.more ? ", the most frequent" : ""}; ${of}`;
  else said.replaceChildren(typed ? "No such value; Enter filters by what you typed all the same." : `No ${label(name).toLowerCase()} in these events.`);
  if (lacks) said.append(" ", ...visible(lacking(lacks)));
}

function take(name, value, not = false) {
  box.hidePopover();
  addFilter(name, value, not);
}

// typed filters by what was typed; a * in it stands for any text.
function typed(name, value, not) {
  box.hidePopover();
  addFilter(name, value, not, value.includes("*") && attribute(name)?.counted && !attribute(name).words);
}

$("picker-form").addEventListener("submit", (e) => {
  e.preventDefault();
  const value = field.value.trim();
  if (value) typed(which.value, value, e.submitter?.value === "not");
});
which.addEventListener("change", () => {
  field.value = "";
  load();
});
field.addEventListener("input", () => {
  clearTimeout(timer);
  timer = setTimeout(load, 120);
});
field.addEventListener("keydown", (e) => {
  if (e.key !== "ArrowDown") return;
  e.preventDefault();
  list.querySelector("button")?.focus();
});
list.addEventListener("keydown", (e) => {
  const step = { ArrowDown: "nextElementSibling", ArrowUp: "previousElementSibling" }[e.key];
  if (!step) return;
  e.preventDefault();
  (e.target.closest("li")?.[step]?.querySelector("button") ?? field).focus();
});
box.addEventListener("toggle", (e) => {
  if (e.newState === "closed") {
    clearTimeout(timer);
    giveUp("picker");
  }
});
