// Times, numbers and outcomes as words.

import { element, inert, short } from "./text.js";

const two = (n) => String(n).padStart(2, "0");

export const number = (n) => n.toLocaleString("en");
export const count = (n, one, many = one + "s") => `${number(n)} ${n === 1 ? one : many}`;

const valid = (at) => !Number.isNaN(at.getTime());

// day, clock and offset are the parts of a time in a zone.
export function parts(at, zone) {
  const offset = zone === "utc" ? 0 : -at.getTimezoneOffset();
  const moved = new Date(at.getTime() + offset * 60000).toISOString();
  const far = Math.abs(offset);
  return {
    day: moved.slice(0, 10),
    clock: moved.slice(11, 19),
    offset: zone === "utc" ? "UTC" : `${offset < 0 ? "−" : "+"}${two(Math.floor(far / 60))}:${two(far % 60)}`,
  };
}

// stamp is a time with its offset.
export function stamp(at, zone) {
  const { day, clock, offset } = parts(at, zone);
  return `${day} ${clock} ${offset}`;
}

export function ago(at) {
  const seconds = Math.round((Date.now() - at) / 1000);
  const [unit, length] = [["year", 31557600], ["day", 86400], ["hour", 3600], ["minute", 60]].find(([, n]) => Math.abs(seconds) >= n) ?? ["second", 1];
  return new Intl.RelativeTimeFormat("en").format(-Math.trunc(seconds / length), unit);
}

// zoned is a time in the chosen zone; its title has the other one.
export function zoned(text, zone) {
  const at = new Date(text || NaN);
  if (!valid(at)) return element("span", { className: "none", textContent: "no time" });
  const { day, clock, offset } = parts(at, zone);
  const other = stamp(at, zone === "utc" ? "local" : "utc");
  return element("time", { dateTime: text, title: `${other}, ${ago(at)}` }, `${day} ${clock} `, element("small", {}, offset));
}

// span says a length of time in seconds in its largest unit.
export function span(seconds) {
  const [unit, length] = [["day", 86400], ["hour", 3600], ["minute", 60]].find(([, n]) => seconds >= n) ?? ["second", 1];
  return count(Math.round(seconds / length), unit);
}

// read reads a bound of a range as the server does, all but spans before now; null when it is none.
export function read(text) {
  let at = new Date(NaN);
  if (/^\d{1,12}$/.test(text)) at = new Date(text * 1000);
  else if (/^\d{4}-/.test(text)) at = new Date(/T[\d:.]+$/.test(text) ? text + "Z" : text);
  return valid(at) ? at : null;
}

// iso is a time as an address has it, to the second.
export const iso = (at) => at.toISOString().replace(/\.\d+Z$/, "Z");

const outcomes = { success: ["✓", "Success"], failure: ["✕", "Failure"], denied: ["⊘", "Denied"] };

// outcome says how an event's call ended, by icon and word.
export function outcome(event) {
  const [icon, word] = outcomes[event.outcome] ?? ["?", "Unknown"];
  const mark = element("span", { className: "icon", textContent: icon });
  mark.setAttribute("aria-hidden", "true");
  return element("span", { className: `outcome ${event.outcome}`, title: inert(short(event.reason, 1000)) }, mark, word);
}

// called is an event's name; insights have none.
export const called = (event) => event.name || `(${event.type || "no name"})`;

// reasons are error codes in plain words.
const reasons = [
  [/^AccessDenied|UnauthorizedOperation$|^AuthorizationError$|^NotAuthorized|^Forbidden/, "The caller was not allowed to do this."],
  [/^Throttl|RequestLimitExceeded$|TooManyRequests/, "There were too many calls in a short time; AWS asked to come back later."],
  [/NoSuch|NotFound|DoesNotExist/, "What the call was about is not there."],
  [/AlreadyExists|Duplicate|AlreadyOwnedByYou/, "What the call should make is there already."],
  [/DryRunOperation$/, "A dry run: the call would have been allowed, and did nothing."],
  [/^Invalid|Malformed|Validation|MissingParameter/, "The request was malformed, or a value in it was not valid."],
  [/Expired|InvalidClientTokenId|SignatureDoesNotMatch|UnrecognizedClient/, "The credentials were not valid, or no longer."],
  [/LimitExceeded|QuotaExceeded|InsufficientCapacity/, "A limit was reached."],
  [/Conflict|InUse|DependencyViolation|IncorrectState/, "What the call was about was in use or in a state that forbids it."],
  [/^Internal|ServiceUnavailable|ServerException/, "AWS itself had a problem."],
];

// plain says in words why a call failed; empty where only the code and the message can say it.
export function plain(event) {
  if (event.outcome === "success") return "";
  if (event.name === "ConsoleLogin") return "Somebody tried to sign in to the console and was refused.";
  return reasons.find(([pattern]) => pattern.test(event.errorCode))?.[1] ?? "";
}
