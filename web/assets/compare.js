// Two to five events side by side, with the differences marked.

import { button, element, folded, short, visible } from "./text.js";
import { ask, givenUp } from "./ask.js";
import { go, query, zone } from "./state.js";
import { leaves, shown, tree } from "./json.js";
import { most, ticked } from "./ticks.js";
import { count, outcome, zoned } from "./words.js";

const $ = (id) => document.getElementById(id);
const dialog = $("compare");
const body = $("compare-body");
const only = $("compare-only");

let current = "";

export async function show() {
  const ids = query().get("view") === "compare" ? ticked().slice(0, most) : [];
  if (ids.length === 0) {
    current = "";
    if (dialog.open) dialog.close();
    return;
  }
  if (!dialog.open) dialog.showModal();
  const wanted = [...ids, zone()].join("\n");
  if (wanted === current) return;
  current = wanted;
  body.textContent = "Loading …";
  try {
    const found = await Promise.all(ids.map((id, i) => ask(`compare ${i}`, "/api/event/" + encodeURIComponent(id))));
    if (current === wanted) draw(found);
  } catch (error) {
    if (!givenUp(error)) body.replaceChildren(...visible(`The events could not be compared: ${error.message}`));
  }
}

// lines are what is compared: [path, text of each event, undefined where it has none], in the order of the records.
function lines(found) {
  const all = new Map();
  found.forEach(({ record }, i) => {
    for (const [path, leaf] of leaves(tree(record))) {
      const key = path.join(".");
      if (!all.has(key)) all.set(key, new Array(found.length).fill(undefined));
      all.get(key)[i] = shown(leaf);
    }
  });
  return [...all];
}

const differs = (texts) => texts.some((t) => t !== texts[0]);

function draw(found) {
  const all = lines(found);
  const different = all.filter(([, texts]) => differs(texts)).length;
  $("compare-says").textContent = `${count(different, "field differs", "fields differ")}, ${count(all.length - different, "is", "are")} the same`;
  if (found.some((f) => f.derived)) $("compare-says").textContent += "; records that were not kept are put together from fields, so that some may be missing";
  const head = element("tr", {}, element("th", { scope: "col" }, "Field"), ...found.map(({ event }) => element("th", { scope: "col" }, title(event))));
  const rows = all.map(([path, texts]) => {
    const unlike = differs(texts);
    const th = element("th", { scope: "row" }, ...visible(short(path, 300)), ...(unlike ? [" ", element("small", { className: "differs" }, "≠ differs")] : []));
    return element("tr", { className: unlike ? "unlike" : "like" }, th, ...texts.map(cell));
  });
  const table = element("table", {}, element("thead", {}, head), element("tbody", {}, ...rows));
  body.replaceChildren(table);
  filter();
}

function title(event) {
  const close = () => go((to) => {
    const rest = to.getAll("tick").filter((id) => id !== event.id);
    to.delete("tick");
    rest.forEach((id) => to.append("tick", id));
    if (rest.length < 2) to.delete("view");
  }, { replace: true });
  const away = button("×", close, { name: "Take this event away", className: "remove" });
  return element("div", {}, away, element("b", {}, ...visible(short(event.name, 200))), element("div", {}, outcome(event)), zoned(event.time, zone()), element("div", {}, ...visible(short(event.user, 200))));
}

const cell = (text) => (text === undefined ? element("td", { className: "none" }, "not there") : element("td", {}, ...folded(text)));

const filter = () => body.classList.toggle("only", only.checked);

function close() {
  if (history.state?.opened) history.back();
  else go((to) => to.delete("view"), { replace: true });
}

only.addEventListener("change", filter);
$("compare-close").addEventListener("click", close);
dialog.addEventListener("cancel", (e) => {
  e.preventDefault();
  close();
});
