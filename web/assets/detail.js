// One event, beside the list where there is room and over it where there is not.

import { element, short, visible } from "./text.js";
import { ask, giveUp, givenUp } from "./ask.js";
import { go, query, wide, zone } from "./state.js";
import { beside, mark, open, rowOf } from "./list.js";
import { child, shown, tree } from "./json.js";
import { folding, knows } from "./tree.js";
import { around, session } from "./around.js";
import { record } from "./record.js";
import { resources } from "./resources.js";
import { happened, summary, tags } from "./summary.js";
import { called } from "./words.js";

const $ = (id) => document.getElementById(id);
const dialog = $("detail");
const body = $("detail-body");
const heading = $("detail-name");

let current = ""; // the event and the zone that are shown
let opened = ""; // the event that the focus goes back to

// show makes the detail what the address says.
export async function show() {
  const id = query().get("ev");
  mark(id);
  if (!id) return hide();
  const wanted = `${id}\n${zone()}`;
  place();
  if (current === wanted) return steps(id);
  const other = opened !== id;
  current = wanted;
  opened = id;
  steps(id);
  if (other) {
    heading.textContent = "Loading …";
    body.replaceChildren();
    dialog.scrollTop = 0;
  }
  try {
    const found = await ask("detail", "/api/event/" + encodeURIComponent(id));
    if (current === wanted) draw(found);
  } catch (error) {
    if (givenUp(error)) return;
    heading.textContent = "No event";
    body.replaceChildren(element("p", {}, ...visible(`The event ${id} could not be shown: ${error.message}`)));
  }
}

function draw({ event, record: text, derived, names, pivots }) {
  knows(names);
  heading.replaceChildren(...visible(short(called(event), 200)));
  const root = tree(text);
  // Of a record that was not kept there is the document, where these parts have other names.
  const part = (title, key, kept) => {
    const node = child(root, key) ?? child(root, "aws", "cloudtrail", "flattened", kept);
    if (!node || shown(node) === "null") return [];
    return [section(title, folding(node, [key]))];
  };
  body.replaceChildren(
    happened(event, zone()),
    around(event, pivots),
    section("Summary", summary(event, zone())),
    resources(event),
    ...session(event),
    ...tags(event, root),
    ...part("Request parameters", "requestParameters", "request_parameters"),
    ...part("Response elements", "responseElements", "response_elements"),
    ...part("Additional event data", "additionalEventData", "additional_eventdata"),
    ...part("Service event details", "serviceEventDetails", "service_event_details"),
    ...part("Insight details", "insightDetails", "insight_details"),
    record(event, text, root, derived),
  );
}

function section(title, ...content) {
  return element("section", {}, element("h3", {}, title), ...content);
}

// place opens the dialog: beside the list it lets the list be used, over the list it does not.
function place() {
  const modal = !wide.matches;
  if (dialog.open && dialog.dataset.modal === String(modal)) return;
  if (dialog.open) dialog.close();
  dialog.dataset.modal = String(modal);
  if (modal) dialog.showModal();
  else {
    const focus = document.activeElement;
    dialog.show();
    // The keys that walk the list go on walking it.
    if (focus?.closest("#events")) focus.focus({ preventScroll: true });
  }
}

function hide() {
  giveUp("detail");
  current = "";
  if (dialog.open) {
    dialog.close();
    rowOf(opened)?.querySelector("a")?.focus();
  }
  opened = "";
}

export function close() {
  if (history.state?.opened) history.back();
  else go((to) => to.delete("ev"), { replace: true });
}

// steps says which of the events before and after can be shown.
function steps(id) {
  $("previous").disabled = !beside(id, -1);
  $("following").disabled = !beside(id, 1);
}

// walk shows the event before or after.
export function walk(step) {
  const id = query().get("ev");
  const to = id && beside(id, step);
  if (!to) return;
  open(to.id);
  rowOf(to.id)?.scrollIntoView({ block: "nearest" });
}

$("previous").addEventListener("click", () => walk(-1));
$("following").addEventListener("click", () => walk(1));
$("close").addEventListener("click", close);
dialog.addEventListener("cancel", (e) => {
  e.preventDefault();
  close();
});
dialog.addEventListener("click", (e) => {
  if (e.target === dialog && dialog.dataset.modal === "true") close();
});
wide.addEventListener("change", () => query().has("ev") && place());
