// What an event says in a sentence and in a table.

import { element, folded, short, visible } from "./text.js";
import { child, leaves, shown } from "./json.js";
import { words, worth } from "./values.js";
import { shows } from "./vocabulary.js";
import { outcome, plain, zoned } from "./words.js";

const strong = (text) => element("b", {}, ...visible(short(text, 200)));

// happened says who did what from where, and how it ended.
export function happened(event, zone) {
  const who = event.user ? strong(event.user) : element("b", {}, "Somebody");
  const as = event.role && event.role !== event.user ? [" as ", strong(event.role)] : [];
  const via = event.invokedBy && event.invokedBy !== event.user ? [" through ", strong(event.invokedBy)] : [];
  const from = event.sourceIp ? [" from ", strong(event.sourceIp)] : [];
  const what = element("p", {}, who, ...as, " called ", strong(event.name || "something"), " of ", strong(event.source || "an unknown service"), ...via, ...from, ", ", zoned(event.time, zone), ".");
  const why = [];
  if (event.outcome !== "success") {
    const said = plain(event);
    if (said) why.push(element("p", {}, said));
    if (event.reason) why.push(reason(event.reason));
  }
  return element("div", { className: `happened ${event.outcome}` }, outcome(event), what, ...why);
}

// reason is the error as AWS wrote it. EC2 appends a blob that only AWS can read: it is folded.
function reason(text) {
  const blob = text.match(/^([^]*?Encoded authorization failure message: )(\S{80,})([^]*)$/);
  if (!blob) return element("p", { className: "reason" }, ...folded(text));
  const [, before, encoded, after] = blob;
  const fold = element("details", {}, element("summary", {}, "encoded message"), element("code", {}, ...visible(encoded)));
  return element("div", { className: "reason" }, ...visible(before), fold, ...visible(after));
}

export function summary(event, zone) {
  const list = element("dl", {});
  const add = (term, ...content) => list.append(element("div", {}, element("dt", {}, term), element("dd", {}, ...content)));
  const field = (term, name, value) => add(term, worth(name, value));
  const maybe = (term, name, value) => value && field(term, name, value);
  add("Timestamp", zoned(event.time, zone));
  field("User name", "user", event.user);
  maybe("Role", "user", event.role);
  field("Identity type", "identity", event.identity);
  field("AWS access key", "accessKey", event.accessKey);
  maybe("Session", "session", event.session);
  maybe("Called through", "invokedBy", event.invokedBy);
  field("Service", "eventSource", event.source);
  field("Source IP address", "sourceIp", event.sourceIp);
  field("User agent", "userAgent", event.userAgent);
  field("AWS region", "region", event.region);
  field("Account", "account", event.account);
  add("Outcome", worth("outcome", event.outcome, outcome(event)));
  maybe("Error code", "errorCode", event.errorCode);
  field("Read-only", "readOnly", String(event.readOnly));
  maybe("MFA", "mfa", event.mfa);
  if (event.traits) add("Found", ...event.traits.map((t) => worth("trait", t, ...visible(shows("trait", t)))));
  field("Event ID", "eventId", event.id);
  maybe("Request ID", "requestId", event.requestId);
  maybe("Event type", "eventType", event.type);
  maybe("Event category", "category", event.category);
  return list;
}

const written = ["caller", "resource"]; // whose tags stand in the record, so that it is found by their words

// tags are those of the caller and of the resources: what the store has, and what the record has.
export function tags(event, root) {
  const found = (event.tags ?? []).map((t) => [t.of, t.key, t.value]);
  for (const [of, key] of [["caller", "principalTags"], ["resource", "resourceTags"]]) {
    const node = child(root, "eventContext", "tagContext", key);
    if (node?.items) found.push(...leaves(node).filter(([path]) => path.length > 0).map(([path, leaf]) => [of, path.join("."), shown(leaf)]));
  }
  if (found.length === 0) return [];
  const list = element("dl", { className: "tags" });
  for (const [of, key, value] of found) {
    list.append(element("div", {}, element("dt", {}, ...visible(key), " ", element("small", {}, of)), element("dd", {}, worth("", value), ...(written.includes(of) ? [words(value)] : []))));
  }
  return [element("section", {}, element("h3", {}, "IAM tags"), list)];
}
