// The page: what it shows follows from its address.

import { visible } from "./text.js";
import { ask, giveUp } from "./ask.js";
import { said, tell } from "./lacks.js";
import { listQuery, onChange, query, search } from "./state.js";
import * as compare from "./compare.js";
import * as detail from "./detail.js";
import * as facets from "./facets.js";
import * as histogram from "./histogram.js";
import * as list from "./list.js";
import * as noise from "./noise.js";
import * as pills from "./pills.js";
import * as questions from "./questions.js";
import * as range from "./range.js";
import * as tools from "./tools.js";
import { changedTicks } from "./ticks.js";
import { learn } from "./vocabulary.js";
import { count, number, stamp } from "./words.js";
import "./keys.js";
import "./links.js";
import "./theme.js";

const $ = (id) => document.getElementById(id);
let total = null; // how many events the query has, null when that is not known
let slow = 0;

function show() {
  range.show();
  tools.show();
  pills.show();
  questions.show();
  noise.press();
  list.show();
  detail.show();
  compare.show();
  changedTicks();
}

// Rows first, bars and values after: what is read first must not wait.
list.onList((what, arg) => {
  clearTimeout(slow);
  $("working").hidden = true;
  if (what === "loading") return loading();
  tell($("list-lacks"), said(list.lacking()));
  if (what === "failed") return failed(arg);
  $("message").hidden = true;
  if (what === "loaded") {
    tools.learn(arg.command);
    rest();
  }
  detail.show();
  says();
});

function loading() {
  total = null;
  searching("Searching …");
}

function searching(text) {
  $("status").textContent = text;
  clearTimeout(slow);
  slow = setTimeout(() => ($("working").hidden = false), 400);
}

function rest(again = false) {
  histogram.show((answer) => {
    total = answer.error ? null : answer;
    says();
  }, again);
  facets.show(again);
  noise.show(again);
}

function says() {
  const n = list.shown().length;
  if (n === 0) return list.looking() ? searching("Searching further …") : empty();
  const all = list.atEnd() ? `${list.lacking() ? "at least " : ""}${count(n, "event")}` : total ? `${total.exact ? "" : "at least "}${count(total.total, "event")}` : "";
  const failed = total?.failed ? `, ${number(total.failed)} failed` : "";
  $("status").textContent = all ? `${all}${failed}, ${number(n)} shown` : `${count(n, "event")} shown`;
}

function failed(error) {
  $("status").textContent = "";
  say(`The events could not be shown: ${error.message}`, "Try again", () => again());
}

function say(text, action, does) {
  const [p, button] = $("message").children;
  p.replaceChildren(...visible(text));
  button.textContent = action;
  button.onclick = does;
  button.hidden = !action;
  $("message").hidden = false;
}

function empty() {
  $("status").textContent = "No event";
  const now = query();
  const stored = range.stored();
  const lies = stored ? ` The stored events are of ${stamp(stored.oldest, "utc")} to ${stamp(stored.newest, "utc")}.` : "";
  const all = () => search((next) => ["f", "q", "from", "to"].forEach((name) => next.delete(name)));
  if (!list.atEnd()) {
    say("None of the events looked at so far passes these filters. There are more to look at.", "Look further", further);
  } else if (list.lacking()) {
    say("No event was found where it was possible to look.", "Look again", () => again());
  } else if (now.has("f") || now.has("q")) {
    say("No stored event passes these filters. A value must match as a whole, capital letters included; set filters aside to see which one is too strict.", "Show all events", all);
  } else if (now.has("from") || now.has("to")) {
    say(`No event is stored for this time range.${lies}`, "Show all events", all);
  } else {
    say("No event is stored yet. Events appear here when trailship has read them.", "Look again", () => again());
  }
}

function further() {
  $("message").hidden = true;
  searching("Searching further …");
  list.grow();
}

async function about() {
  try {
    const words = await learn();
    range.learn(words.extent);
    $("store").replaceChildren(...visible(words.store));
    progress(words.extent);
    pills.show();
    questions.show();
    if (!$("message").hidden && list.shown().length === 0 && $("status").textContent === "No event") empty();
    facets.show(true);
  } catch {
    // the list says that trailship does not answer
  }
}

// progress says how far a load has come, and asks again until it is done.
function progress({ loading, events }) {
  const bar = $("progress");
  const wasLoading = !bar.hidden;
  bar.hidden = !loading;
  $("loading").textContent = "";
  if (!loading) return wasLoading && again();
  if (loading.files > 0) {
    bar.max = loading.files;
    bar.value = loading.filesDone;
    $("loading").textContent = `Reading: ${number(loading.filesDone)} of ${count(loading.files, "file")}, ${count(events, "event")}${loading.refused ? `, ${number(loading.refused)} refused` : ""}`;
  } else {
    bar.removeAttribute("value");
    $("loading").textContent = "Looking for files …";
  }
  setTimeout(async () => {
    try {
      const extent = await ask("extent", "/api/extent");
      range.learn(extent);
      progress(extent);
      if (list.shown().length === 0) again();
    } catch {
      // the list says that trailship does not answer
    }
  }, 1000);
}

function again() {
  list.show(true);
  about();
  rest(true);
}

$("refresh").addEventListener("click", again);
$("give-up").addEventListener("click", () => {
  ["events", "histogram", "facets", "noise readOnly", "noise service"].forEach(giveUp);
  list.forget();
  clearTimeout(slow);
  $("working").hidden = true;
  for (const e of document.querySelectorAll(".stale")) e.classList.remove("stale");
  $("status").textContent = "Given up. What is shown is what was found before.";
});
// The panel of facets is there at first where it has room.
const roomy = matchMedia("(min-width: 1000px)");

function panel(shown) {
  $("facets").hidden = !shown;
  $("panel").setAttribute("aria-expanded", String(shown));
}

function togglePanel(shown) {
  panel(shown);
  facets.show();
}

$("panel").addEventListener("click", () => togglePanel($("facets").hidden));
roomy.addEventListener("change", () => togglePanel(roomy.matches));
panel(roomy.matches);
onChange(show);
show();
about();
