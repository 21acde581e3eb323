// The questions of an investigation. Each is a query: choosing one shows its filters as pills, to be changed like others.

import { element, visible } from "./text.js";
import { opens } from "./popover.js";
import { query } from "./state.js";
import { questions } from "./vocabulary.js";

const box = document.getElementById("questions");
const list = document.getElementById("questions-list");
const banner = document.getElementById("question");

const own = (parameters) => JSON.stringify([parameters.getAll("f").sort(), parameters.get("q") ?? ""]);

// address is the page for a question. The range, the zone and the columns stay.
function address(question) {
  const next = query();
  for (const name of ["f", "off", "q", "ev", "view", "tick", "limit", "cursor"]) next.delete(name);
  for (const [name, value] of new URLSearchParams(question.query)) next.append(name, value);
  return "?" + next;
}

// current is the question that the address asks, undefined when it asks none.
export function current() {
  const asked = own(query());
  return questions().find((q) => own(new URLSearchParams(q.query)) === asked);
}

// show says which question the list answers.
export function show() {
  const question = current();
  banner.hidden = !question;
  if (box.matches(":popover-open")) fill(); // it was opened before the questions were there
  if (question) banner.replaceChildren(element("h2", {}, question.title), element("p", {}, question.description));
}

function fill() {
  const asked = current();
  list.replaceChildren(...questions().map((q) => {
    const link = element("a", { href: address(q) }, element("b", {}, ...visible(q.title)), element("small", {}, ...visible(q.description)));
    if (q === asked) link.setAttribute("aria-current", "true");
    return element("li", {}, link);
  }));
}

list.addEventListener("click", (e) => e.target.closest("a") && box.hidePopover());
opens(document.getElementById("ask"), box, fill);
