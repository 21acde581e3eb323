// The columns of the list: those of AWS's console and the ones that can be added. The chosen ones are in the address.

import { element, short, visible } from "./text.js";
import { query, zone } from "./state.js";
import { outcome, zoned } from "./words.js";

const text = (value) => (value ? visible(short(value, 300)) : [element("span", { className: "none absent", textContent: "–" })]);

function user(event) {
  const by = event.role && event.role !== event.user ? event.role : event.invokedBy !== event.user ? event.invokedBy : "";
  return [...text(event.user), ...(by ? [" ", element("small", { title: "the role, or the service that called for the user" }, ...visible(short(by, 300)))] : [])];
}

// source is the service, then what all of AWS's services end with.
function source(event) {
  const [, service, rest] = /^([^]*?)(\.amazonaws\.com)?$/.exec(event.source);
  return [...text(service), ...(rest ? [element("span", { className: "none" }, rest)] : [])];
}

// brief is what an ARN names, without the service, the region and the account.
const brief = (name) => /^arn:(?:[^:]*:){4}(.+)$/s.exec(name)?.[1] ?? name;

function resources(event) {
  const [first, ...others] = event.resources;
  if (!first) return text("");
  const more = others.length > 0 ? [element("small", { className: "more" }, ` +${others.length}`)] : [];
  return [element("span", { className: "clip" }, ...text(brief(first.name))), ...more];
}

// all are the columns. name is the filter that a cell's value makes, width a track of the table's grid; fit 0 stays
// beside an open detail, 1 where the list is narrow, 2 where it is wide.
export const all = [
  { id: "name", fit: 0, label: "Event name", name: "eventName", width: "minmax(150px, 1.6fr)", of: (e) => e.name },
  { id: "outcome", fit: 0, label: "Outcome", name: "outcome", width: "minmax(100px, 1.6fr)", of: (e) => e.outcome, show: result },
  { id: "time", fit: 0, label: "Event time", name: "", get width() { return zone() === "utc" ? "186px" : "206px"; }, of: () => "", show: (e) => [zoned(e.time, zone())] },
  { id: "user", fit: 0, label: "User name", name: "user", width: "minmax(110px, 1.1fr)", of: (e) => e.user, show: user },
  { id: "source", fit: 2, label: "Event source", name: "eventSource", width: "minmax(108px, .7fr)", of: (e) => e.source, show: source },
  { id: "resourceType", fit: 2, label: "Resource type", name: "resourceType", width: "minmax(100px, 1fr)", of: (e) => e.resources[0]?.type },
  { id: "resources", fit: 2, label: "Resource name", name: "resourceName", width: "minmax(110px, 1.3fr)", of: (e) => e.resources[0]?.name, show: resources },
  { id: "sourceIp", fit: 1, label: "Source IP address", name: "sourceIp", width: "minmax(110px, .9fr)", of: (e) => e.sourceIp },
  { id: "accessKey", fit: 1, label: "AWS access key", name: "accessKey", width: "minmax(150px, 1fr)", of: (e) => e.accessKey },
  { id: "region", fit: 1, label: "AWS region", name: "region", width: "minmax(90px, .6fr)", of: (e) => e.region },
  { id: "account", fit: 1, label: "Account", name: "account", width: "minmax(100px, .6fr)", of: (e) => e.account },
  { id: "errorCode", fit: 1, label: "Error code", name: "errorCode", width: "minmax(120px, 1fr)", of: (e) => e.errorCode },
  { id: "readOnly", fit: 1, label: "Read-only", name: "readOnly", width: "minmax(70px, .4fr)", of: (e) => String(e.readOnly) },
  { id: "identity", fit: 1, label: "Identity type", name: "identity", width: "minmax(100px, .7fr)", of: (e) => e.identity },
  { id: "role", fit: 1, label: "Role", name: "user", width: "minmax(110px, 1fr)", of: (e) => e.role },
  { id: "session", fit: 1, label: "Session", name: "session", width: "minmax(140px, 1.2fr)", of: (e) => e.session },
  { id: "userAgent", fit: 1, label: "User agent", name: "userAgent", width: "minmax(140px, 1.3fr)", of: (e) => e.userAgent },
  { id: "id", fit: 1, label: "Event ID", name: "eventId", width: "minmax(140px, 1fr)", of: (e) => e.id },
  { id: "requestId", fit: 1, label: "Request ID", name: "requestId", width: "minmax(140px, 1fr)", of: (e) => e.requestId },
];

const usual = ["name", "outcome", "time", "user", "source", "resourceType", "resources"];

function result(event) {
  const why = event.errorCode || event.reason;
  return [outcome(event), ...(why ? [" ", element("small", {}, ...visible(short(why, 300)))] : [])];
}

// chosen are the columns to show. The event's name and its outcome are always there.
export function chosen() {
  const wanted = query().get("cols")?.split(",") ?? usual;
  return all.filter((c) => c.id === "name" || c.id === "outcome" || wanted.includes(c.id));
}

// written is the choice of columns as the address has it, empty for the usual ones.
export function written(ids) {
  const picked = all.map((c) => c.id).filter((id) => ids.includes(id));
  return picked.join() === usual.join() ? "" : picked.join();
}

export const content = (column, event) => column.show?.(event) ?? text(column.of(event));
