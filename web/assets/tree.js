// JSON as a folding tree. Each leaf can be filtered by.

import { element, folded, inert, short, visible } from "./text.js";
import { shown } from "./json.js";
import { pair } from "./values.js";
import { byPath } from "./vocabulary.js";
import { count } from "./words.js";

const unfolded = 3; // levels that are open at first
const many = 100; // members that are shown at once
const longest = 4000; // characters of a leaf that an address takes
const free = ["requestParameters", "responseElements", "additionalEventData", "serviceEventDetails"]; // where any value filters

let names = new Set(); // the names of resources in the record that is shown

// knows sets the names of resources in the record.
export const knows = (all) => (names = new Set(all));

// folding is a tree of the members of a node. path is where the node is in its record.
export function folding(node, path) {
  if (!node.items) return element("ul", { className: "tree" }, leaf(node, path));
  return members(node, path, 0);
}

function members(node, path, depth) {
  const list = element("ul", { className: "tree" });
  const add = (from) => {
    list.append(...node.items.slice(from, from + many).map((n, i) => item(n, [...path, n.key ?? from + i], depth)));
    const left = node.items.length - from - many;
    if (left <= 0) return;
    const more = element("button", { type: "button", className: "quiet", textContent: `${left} more` });
    const li = element("li", {}, more);
    more.onclick = () => (li.remove(), add(from + many));
    list.append(li);
  };
  add(0);
  return list;
}

function item(node, path, depth) {
  if (!node.items || node.items.length === 0) return leaf(node, path);
  const what = count(node.items.length, node.kind === "array" ? "item" : "member");
  const summary = element("summary", {}, ...name(path), element("small", {}, ` ${what}`));
  const details = element("details", { open: depth < unfolded }, summary);
  // What is folded is made when it is opened: a record may be deep and wide.
  const fill = () => details.open && details.children.length === 1 && details.append(members(node, path, depth + 1));
  details.addEventListener("toggle", fill);
  fill();
  return element("li", {}, details);
}

const name = (path) => [element("span", { className: typeof path.at(-1) === "number" ? "index" : "key" }, ...visible(short(String(path.at(-1)), 200)))];

function leaf(node, path) {
  const text = shown(node);
  const value = element("span", { className: node.kind === "string" ? "string" : "word" }, ...folded(text));
  const filters = node.items || text === "" || (node.kind === "word" && text === "null") ? [] : filter(path, text);
  return element("li", { title: inert(short(path.join("."), 500)) }, ...name(path), ": ", value, ...filters);
}

// filter is the pair of a leaf: by the attribute that the path is, by the resource it names, else by the value itself. With +
// the list keeps the event that the leaf is of.
function filter(path, text) {
  const value = free.includes(path[0]) && text.length <= longest ? "value" : undefined;
  const name = byPath(path.join(".")) ?? (names.has(text) ? "resourceName" : value);
  return name ? [pair(name, text)] : [];
}
