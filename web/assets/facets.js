// The panel of facets: the values that are most frequent among the events of the query.

import { button, element, inert, unseen, visible } from "./text.js";
import { ask, givenUp } from "./ask.js";
import { said, tell } from "./lacks.js";
import { addFilter, filters, listQuery } from "./state.js";
import { pick } from "./picker.js";
import { current } from "./questions.js";
import { pair } from "./values.js";
import { shows, label } from "./vocabulary.js";
import { count, number } from "./words.js";

const panel = document.getElementById("facets");
const names = ["outcome", "eventName", "user", "eventSource", "sourceIp", "errorCode", "resourceType", "region", "account", "accessKey", "identity", "readOnly"];
const lacks = document.getElementById("facets-lacks");
const most = 5;

let asked = null;
const folded = new Set(); // facets that the reader has folded

export async function show(again = false) {
  const from = listQuery().toString();
  if (panel.hidden || (from === asked && !again)) return;
  asked = from;
  panel.classList.add("stale");
  try {
    const query = new URLSearchParams(from);
    const first = current()?.by ?? []; // what answers the question that is asked
    new Set([...first, ...names]).forEach((name) => query.append("by", name));
    query.set("most", most);
    const answer = await ask("facets", "/api/values?" + query);
    draw(answer);
  } catch (error) {
    if (givenUp(error)) return;
    asked = null;
    tell(lacks);
    panel.lastElementChild.replaceChildren(element("p", { className: "none" }, ...visible(`No values: ${error.message}`)));
  }
  panel.classList.remove("stale");
}

function draw(answer) {
  const { facets, base, exact } = answer;
  const [head, , body] = panel.children;
  head.querySelector("small").textContent = exact || answer.lacks ? `of ${count(base, "event")}` : `of the newest ${number(base)}`;
  tell(lacks, said(answer.lacks));
  const chosen = filters().filter((f) => !f.off);
  body.replaceChildren(...facets.filter((f) => f.values.length > 0).map((f) => facet(f, base, chosen)));
}

function facet({ name, values, more }, base, chosen) {
  const list = element("ul", {}, ...values.map((v) => {
    const on = chosen.some((f) => f.name === name && f.value === v.value && !f.not);
    const face = element("span", { className: "clip" }, ...visible(shows(name, v.value)));
    const events = element("small", {}, number(v.count), unseen(v.count === 1 ? " event" : " events"));
    const choose = button([unseen(`${label(name)} `), face, events, ...(on ? [unseen(", chosen")] : [])], () => addFilter(name, v.value), {
      className: on ? "choice on" : "choice", title: inert(v.value),
    });
    choose.style.setProperty("--share", `${base ? (100 * v.count) / base : 0}%`);
    return element("li", {}, choose, pair(name, v.value));
  }));
  const all = button(more ? "More …" : "Find …", () => pick(all, name), { className: "quiet", name: `${more ? "More …" : "Find …"} of ${label(name)}` });
  const section = element("details", { open: !folded.has(name) }, element("summary", {}, element("h3", {}, label(name))), list, all);
  section.addEventListener("toggle", () => (section.open ? folded.delete(name) : folded.add(name)));
  return section;
}
