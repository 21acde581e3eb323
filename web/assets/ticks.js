// Events that are ticked to be compared: two to five. They are in the address.

import { button, element } from "./text.js";
import { go, query } from "./state.js";
import { count } from "./words.js";

export const most = 5;
const bar = document.getElementById("ticked");

export const ticked = () => query().getAll("tick");

// tick ticks an event, or takes the tick back.
export function tick(id) {
  const all = ticked();
  if (!all.includes(id) && all.length >= most) {
    changedTicks(`Five events can be compared at once: take one away first.`);
    return;
  }
  write(all.includes(id) ? all.filter((other) => other !== id) : [...all, id]);
}

function write(ids) {
  go((to) => {
    to.delete("tick");
    ids.forEach((id) => to.append("tick", id));
  }, { replace: true });
}

export const compare = () => go((to) => to.set("view", "compare"), { mark: { opened: true } });

// changedTicks shows the ticks of the address in the list and in the bar.
export function changedTicks(said = "") {
  const all = ticked();
  for (const tr of document.querySelectorAll("#events tbody tr")) {
    tr.querySelector(".box input").checked = all.includes(tr.dataset.id);
  }
  bar.hidden = all.length === 0;
  if (all.length === 0) return;
  const start = button("Compare", compare, { className: "primary" });
  start.disabled = all.length < 2;
  const text = said || (all.length < 2 ? "1 event ticked: tick another to compare" : `${count(all.length, "event")} ticked`);
  bar.replaceChildren(element("span", { role: "status" }, text), start, button("Clear", () => write([])));
}
