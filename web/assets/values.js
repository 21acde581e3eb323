// Values that filter: + shows only events with the value, − leaves them out. One pair of buttons goes to whichever cell the
// pointer or the focus is on; where there is room each value has a pair of its own.

import { button, element, folded, inert, short } from "./text.js";
import { addFilter, search } from "./state.js";
import { label } from "./vocabulary.js";

const held = new WeakMap(); // element → {name, value}

// hold makes an element one whose value filters.
export function hold(e, name, value) {
  if (name && value) held.set(e, { name, value });
  return e;
}

export const heldBy = (e) => held.get(e?.closest?.("td, th, .holds"));

// pair is the two buttons for a value. does is what they do, addFilter unless told otherwise.
export function pair(name, value, does = addFilter) {
  const what = `${label(name)} ${short(inert(value), 80)}`;
  const plus = button("+", (e) => (e.stopPropagation(), does(name, value, false)), { className: "plus", name: `Show only ${what}` });
  const minus = button("−", (e) => (e.stopPropagation(), does(name, value, true)), { className: "minus", name: `Leave out ${what}` });
  return element("span", { className: "pair" }, plus, minus);
}

// words is the button for a value that no attribute has: it looks for its words.
export function words(value) {
  const what = short(inert(value), 80);
  const look = () => search((next) => next.set("q", [next.get("q"), `"${value.replaceAll('"', " ")}"`].filter(Boolean).join(" ")));
  return element("span", { className: "pair" }, button("+", look, { className: "plus", name: `Show only events with the text ${what}` }));
}

// worth is a value with its own pair of buttons.
export function worth(name, value, ...face) {
  if (!value) return element("span", { className: "none", textContent: "–" });
  const shown = element("span", { className: "worth" }, ...(face.length > 0 ? face : folded(value)));
  return element("span", { className: "value" }, shown, ...(name ? [pair(name, value)] : []));
}

// float lets one pair follow the pointer and the focus over the cells of a table.
export function float(table) {
  let pairOf = null;
  let cell = null;
  const leave = () => {
    pairOf?.remove();
    pairOf = cell = null;
  };
  const enter = ({ target }) => {
    const over = target.closest("td, tbody th");
    if (over === cell) return;
    leave();
    const value = held.get(over);
    if (!value) return;
    cell = over;
    pairOf = pair(value.name, value.value);
    for (const b of pairOf.children) b.tabIndex = -1;
    cell.append(pairOf);
  };
  table.addEventListener("pointerover", enter);
  table.addEventListener("focusin", enter);
  table.addEventListener("pointerleave", leave);
}
