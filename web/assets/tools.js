// The tools above the list: the search field, the columns, the zone, and taking the events away.

import { element } from "./text.js";
import { all, chosen, written } from "./columns.js";
import { copier } from "./save.js";
import { opens } from "./popover.js";
import { pick } from "./picker.js";
import { addFilter, go, listQuery, query, search, set, zone } from "./state.js";
import { attribute } from "./vocabulary.js";

const $ = (id) => document.getElementById(id);
const form = $("search");

export function show() {
  if (document.activeElement !== form.elements.q) form.elements.q.value = query().get("q") ?? "";
  for (const b of $("zones").children) b.setAttribute("aria-pressed", String(b.dataset.tz === zone()));
}

// What begins with the name of an attribute and a colon is a filter; all else is free text.
form.addEventListener("submit", (e) => {
  e.preventDefault();
  const text = form.elements.q.value.trim();
  const [, not, name, glob, value] = /^(-?)(\w+)(\*?):(.+)$/.exec(text) ?? [];
  if (attribute(name)) {
    form.elements.q.value = query().get("q") ?? "";
    addFilter(name, value.trim(), not !== "", glob !== "");
  } else {
    search((next) => set(next, "q", text));
  }
});
form.elements.q.addEventListener("search", () => form.elements.q.value === "" && search((next) => next.delete("q")));

$("add").addEventListener("click", () => pick($("add")));

$("zones").addEventListener("click", ({ target }) => {
  if (target.dataset.tz) go((next) => set(next, "tz", target.dataset.tz === "utc" ? "" : target.dataset.tz));
});

function columns() {
  const ids = chosen().map((c) => c.id);
  $("columns-list").replaceChildren(...all.map((c) => {
    const box = element("input", { type: "checkbox", value: c.id, checked: ids.includes(c.id), disabled: c.id === "name" || c.id === "outcome" });
    return element("label", {}, box, " ", c.label);
  }));
}
$("columns-list").addEventListener("change", () => {
  const ids = [...$("columns-list").querySelectorAll("input:checked")].map((box) => box.value);
  go((next) => set(next, "cols", written(ids)), { replace: true });
});
$("columns-usual").addEventListener("click", () => {
  go((next) => next.delete("cols"), { replace: true });
  columns();
});
opens($("columns"), $("columns-box"), columns);

let command = "";

// learn hears the command that gives the same as the list.
export const learn = (text) => (command = text ?? "");

function taking() {
  const from = listQuery();
  for (const link of $("take-box").querySelectorAll("a")) {
    const to = new URLSearchParams(from);
    to.set("format", link.dataset.format);
    link.href = "/api/export?" + to;
  }
  $("command").textContent = command;
}
opens($("take"), $("take-box"), taking);
$("copy-command").append(...copier("Copy", () => command, () => getSelection().selectAllChildren($("command")), "Copy the command"));
