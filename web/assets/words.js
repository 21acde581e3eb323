// The names of filters, and times and outcomes as words.

import { element, inert } from "./text.js";

// attributes are the filters. own: it has a field of its own; of: its values in an event; values: all it can be.
export const attributes = {
  eventName: { label: "Event name", own: true },
  user: { label: "User name", own: true },
  resourceName: { label: "Resource name", own: true },
  eventSource: { label: "Event source", of: (e) => e.source },
  accessKey: { label: "AWS access key", of: (e) => e.accessKey },
  readOnly: { label: "Read-only", values: ["true", "false"] },
  outcome: { label: "Outcome", values: ["success", "failure", "denied"] },
  resourceType: { label: "Resource type", of: (e) => e.resources.map((r) => r.type) },
  errorCode: { label: "Error code", of: (e) => e.errorCode },
  sourceIp: { label: "Source IP address", of: (e) => e.sourceIp },
  region: { label: "AWS region", of: (e) => e.region },
  account: { label: "Account", of: (e) => e.account },
  identity: { label: "Identity type", of: (e) => e.identity },
  session: { label: "Session", of: (e) => e.session },
  eventId: { label: "Event ID", of: (e) => e.id },
};

export const label = (name) => (Object.hasOwn(attributes, name) ? attributes[name].label : name);

const two = (n) => String(n).padStart(2, "0");

// stamp is a time with its offset.
function stamp(at, zone) {
  const offset = zone === "utc" ? 0 : -at.getTimezoneOffset();
  const moved = new Date(at.getTime() + offset * 60000).toISOString();
  const suffix = zone === "utc" ? "UTC" : `${offset < 0 ? "−" : "+"}${two(Math.floor(Math.abs(offset) / 60))}:${two(Math.abs(offset) % 60)}`;
  return `${moved.slice(0, 10)} ${moved.slice(11, 19)} ${suffix}`;
}

function ago(at) {
  const seconds = Math.round((Date.now() - at) / 1000);
  const [unit, length] = [["day", 86400], ["hour", 3600], ["minute", 60], ["second", 1]].find(([, n]) => Math.abs(seconds) >= n) ?? ["second", 1];
  return new Intl.RelativeTimeFormat("en").format(-Math.trunc(seconds / length), unit);
}

// zoned is a time in the chosen zone; its title has the other one.
export function zoned(text, zone) {
  const at = new Date(text || NaN);
  if (Number.isNaN(at.getTime())) return element("span", { textContent: "no time" });
  const other = zone === "utc" ? "local" : "utc";
  return element("time", { dateTime: text, textContent: stamp(at, zone), title: `${stamp(at, other)}, ${ago(at)}` });
}

// outcome says how an event's call ended, by icon and word.
export function outcome(event) {
  const icon = { success: "✓", failure: "✕", denied: "⊘" }[event.outcome];
  const mark = element("span", { className: "icon", textContent: icon ?? "?" });
  mark.setAttribute("aria-hidden", "true");
  const word = { success: "Success", failure: "Failure", denied: "Denied" }[event.outcome] ?? "Unknown";
  return element("span", { className: "outcome", title: inert(event.reason) }, mark, word);
}
