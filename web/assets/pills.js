// The filters as pills. Each can be set aside, turned round and removed; a value of several can be removed alone.

import { button, element, inert, short, unseen, visible } from "./text.js";
import { changeFilters, groups, inGroup, query, search } from "./state.js";
import { pick } from "./picker.js";
import { label, shows } from "./vocabulary.js";

const list = document.getElementById("pills");
const most = 4; // values that a pill shows

export function show() {
  const all = groups();
  const q = query().get("q");
  list.replaceChildren(...(q ? [words(q)] : []), ...all.map(pill), ...(all.length + (q ? 1 : 0) > 1 ? [clear()] : []));
}

const verbs = { "": "is", not: "is not", glob: "is like", "not glob": "is not like" };
const verb = (group) => verbs[[group.not && "not", group.glob && "glob"].filter(Boolean).join(" ")];

// sentence is a group as a screen reader says it.
const sentence = (group) => `${inert(label(group.name))} ${verb(group)} ${group.values.map((v) => inert(shows(group.name, v))).join(" or ")}`;

function pill(group) {
  const said = short(sentence(group), 200);
  const values = group.values.slice(0, most).flatMap((v, i) => [...(i ? [element("i", {}, " or ")] : []), value(group, v)]);
  const rest = group.values.length - most;
  const change = (f) => changeFilters((other) => (inGroup(other, group) ? f(other) : other));
  const li = element("li", { className: (group.not ? "not " : "") + (group.off ? "off" : "") });
  const turn = button(verb(group), () => change((f) => ({ ...f, not: !f.not })), {
    className: "verb", name: `Turn round filter: ${said}`, title: group.not ? "Show only these instead" : "Leave these out instead",
  });
  const rename = button(visible(label(group.name)), () => pick(li, group.name), { className: "of", name: `Pick values of ${inert(label(group.name))}` });
  const off = button([group.off ? "off" : "on", unseen(`: ${said}`)], () => change((f) => ({ ...f, off: !f.off })), {
    className: "switch", title: group.off ? "Use this filter again" : "Set this filter aside",
  });
  off.setAttribute("aria-pressed", String(!group.off));
  const remove = button("×", () => change(() => null), { className: "remove", name: `Remove filter: ${said}` });
  li.append(rename, turn, element("span", { className: "values", title: inert(group.values.join("\n")) }, ...values, ...(rest > 0 ? [element("i", {}, ` or ${rest} more`)] : [])), off, remove);
  return li;
}

function value(group, v) {
  const text = element("b", {}, ...visible(group.glob && v === "*" ? "anything" : shows(group.name, v)));
  if (group.values.length === 1) return text;
  const drop = (f) => (inGroup(f, group) && f.value === v ? null : f);
  return button(text, () => changeFilters(drop), { className: "one", name: `Remove value: ${short(inert(v), 100)}`, title: `Remove ${inert(v)}` });
}

function words(q) {
  const remove = button("×", () => search((next) => next.delete("q")), { className: "remove", name: `Remove search: ${inert(q)}` });
  return element("li", {}, element("span", { className: "of" }, "Text"), element("span", { className: "verb" }, "has"), element("span", { className: "values" }, element("b", {}, ...visible(q))), remove);
}

function clear() {
  const all = button("Clear all", () => search((next) => ["f", "off", "q"].forEach((name) => next.delete(name))), { className: "quiet" });
  return element("li", { className: "plain" }, all);
}
