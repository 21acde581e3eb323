// One event: its summary, its resources and its record.

import { element, pretty, visible } from "./text.js";
import { attributes, label, outcome, zoned } from "./words.js";

const dialog = document.getElementById("detail");
const body = document.getElementById("detail-body");
const heading = document.getElementById("detail-name");

let current = ""; // the event and zone that are shown
let close = () => {};

export function closeDetail() {
  current = "";
  if (dialog.open) dialog.close();
}

// showDetail shows the event id. context has the zone, filterBy(name, value), and closed, called when the reader closes it.
export async function showDetail(id, context) {
  const wanted = id + " " + context.zone;
  close = context.closed;
  if (!dialog.open) dialog.showModal();
  if (current === wanted) return;
  current = wanted;
  heading.textContent = "Loading …";
  body.replaceChildren();
  try {
    const answer = await fetch("/api/event/" + encodeURIComponent(id));
    const found = await answer.json();
    if (current !== wanted) return;
    if (!answer.ok) throw new Error(found.error);
    heading.replaceChildren(...visible(found.event.name || "(no name)"));
    body.replaceChildren(summary(found.event, context), resources(found.event, context), record(found.record));
  } catch (error) {
    if (current !== wanted) return;
    heading.textContent = "No event";
    const reason = error instanceof TypeError ? "trailship does not answer; is it still running?" : error.message;
    body.replaceChildren(element("p", {}, ...visible(`The event ${id} could not be shown: ${reason}`)));
  }
}

// value is a text with a button that filters by it.
function value(name, text, context) {
  if (!text) return [element("span", { className: "none", textContent: "–" })];
  const shown = element("span", {}, ...visible(text));
  if (!attributes[name]) return [shown];
  const button = element("button", { type: "button", className: "by", textContent: "Filter" });
  button.setAttribute("aria-label", `Filter by this ${label(name)}`);
  button.onclick = () => context.filterBy(name, text);
  return [shown, button];
}

function summary(event, context) {
  const list = element("dl", { className: event.outcome });
  const add = (term, ...content) => list.append(element("div", {}, element("dt", { textContent: term }), element("dd", {}, ...content)));
  const field = (term, name, text) => add(term, ...value(name, text, context));
  add("Result", outcome(event), ...(event.reason ? [element("span", { className: "reason" }, ...visible(event.reason))] : []));
  add("Timestamp", zoned(event.time, context.zone));
  field("User name", "user", event.user);
  field("Identity type", "identity", event.identity);
  if (event.role) field("Role", "user", event.role);
  field("AWS access key", "accessKey", event.accessKey);
  if (event.invokedBy) field("On behalf, by", "", event.invokedBy);
  field("Service", "eventSource", event.source);
  field("Source IP address", "sourceIp", event.sourceIp);
  field("AWS region", "region", event.region);
  field("Account", "account", event.account);
  if (event.errorCode) field("Error code", "errorCode", event.errorCode);
  field("Read-only", "readOnly", String(event.readOnly));
  if (event.session) field("Session", "session", event.session);
  field("Event ID", "eventId", event.id);
  field("User agent", "", event.userAgent);
  return list;
}

function resources(event, context) {
  const all = event.resources;
  const section = element("section", {}, element("h3", { textContent: `Resources (${all.length})` }));
  if (all.length === 0) {
    section.append(element("p", { textContent: "The record names no resource." }));
    return section;
  }
  const list = element("ul", { className: "resources" });
  for (const r of all) list.append(element("li", {}, element("small", {}, ...visible(r.type || "unknown type")), ...value("resourceName", r.name, context)));
  section.append(list);
  return section;
}

function record(text) {
  const parts = pretty(text);
  const pre = element("pre", { tabIndex: 0 });
  pre.append(...parts.flatMap(([kind, part]) => {
    if (kind === "space" || kind === "mark") return [part];
    return [element("span", { className: kind }, ...visible(part))];
  }));
  pre.setAttribute("aria-label", "The record as JSON");
  const copy = element("button", { type: "button", textContent: "Copy" });
  const said = element("span", { className: "said" });
  said.setAttribute("role", "status");
  copy.onclick = async () => {
    try {
      await navigator.clipboard.writeText(parts.map(([, part]) => part).join(""));
      said.textContent = "Copied.";
    } catch {
      getSelection().selectAllChildren(pre);
      said.textContent = "Selected: press Ctrl+C.";
    }
  };
  return element("section", {}, element("div", { className: "head" }, element("h3", { textContent: "Event record" }), said, copy), pre);
}

document.getElementById("close").addEventListener("click", () => close());
dialog.addEventListener("cancel", (e) => {
  e.preventDefault();
  close();
});
dialog.addEventListener("close", () => current && close()); // by the browser itself
dialog.addEventListener("click", (e) => {
  if (e.target === dialog) close();
});
