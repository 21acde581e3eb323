// Where to look from one event: its neighbours in time, and all events that share its user, session, address, key or
// resource. The filters in use are set aside, so that one click brings them back.

import { button, element, inert, short, visible } from "./text.js";
import { ask, givenUp } from "./ask.js";
import { said } from "./lacks.js";
import { filters, href, withFilter, written, zone } from "./state.js";
import { open } from "./list.js";
import { ago, count, number, stamp } from "./words.js";

// aim is an address that asks for something else; change asks for it.
export function aim(change) {
  return href((next) => {
    const all = filters(next);
    for (const name of ["f", "off", "q", "from", "to"]) next.delete(name);
    for (const f of all) next.append("off", written(f));
    change(next, (name, value) => withFilter(next, name, value));
  });
}

// ask about is the address of a pivot: a question with a query of its own.
const pivot = (query) => aim((next) => {
  for (const [name, value] of new URLSearchParams(query)) next.append(name, value);
});

// around are the links from an event. Those about resources stand with the resources.
export function around(event, pivots) {
  const links = pivots.filter((p) => p.name !== "same-resource" && p.name !== "session-began");
  const nav = element("nav", { className: "around" }, ...links.map((p) => element("a", { href: pivot(p.query), title: inert(short(p.description, 200)) }, p.title)));
  nav.setAttribute("aria-label", "Events that share something with this one");
  return nav;
}

// session says how large the event's session is and leads up the chain of those who assumed it, one hop a click.
export function session(event) {
  const list = element("ol", { className: "chain" });
  list.setAttribute("aria-label", "Who began this session");
  const size = element("p", { className: "size" });
  if (event.session) measure(event, size);
  if (!event.session && !event.accessKey) return [];
  return [element("section", {}, element("h3", {}, "Session"), size, list, asker(event, longTerm(event) ? "Who made this access key?" : "Who began this session?", list))];
}

async function measure(event, p) {
  try {
    const { total, failed, bars, exact, lacks } = await ask("session", "/api/histogram?" + new URLSearchParams({ f: "session:" + event.session }));
    const begin = bars.length > 0 ? `, ${stamp(new Date(bars[0].from), zone())} to ${stamp(new Date(bars.at(-1).to), zone())}` : "";
    const kind = event.session === event.accessKey ? "An access key" : event.console ? "A console session" : "A session";
    p.replaceChildren(`${kind} of ${exact ? "" : "at least "}${count(total, "event")}, ${number(failed)} failed${begin}. `, element("a", { href: aim((_, only) => only("session", event.session)) }, "Show them"), ...visible(lacks ? ` ${said(lacks)}` : ""));
  } catch (error) {
    if (!givenUp(error)) p.replaceChildren(...visible(error.message));
  }
}

function asker(event, face, list) {
  const b = button(face, () => hop(event, list, b), { className: "quiet" });
  return b;
}

// hop finds the newest call, not after the event, that has made its credentials.
async function hop(event, list, b) {
  b.disabled = true;
  const query = new URLSearchParams({ limit: 1 });
  for (const made of [event.accessKey, event.session]) if (made) query.append("f", "issued:" + made);
  if (event.time) query.set("to", event.time);
  try {
    const found = await newest(query);
    b.remove();
    const [made] = found.events;
    list.append(made && made.id !== event.id ? step(made, list) : end(event, found));
  } catch (error) {
    b.disabled = false;
    if (!givenUp(error)) list.append(element("li", { className: "none" }, ...visible(error.message)));
  }
}

// newest asks for the newest event of a query. Where events must be looked at one by one, it may stand behind empty pages.
async function newest(query) {
  for (let round = 1; ; round++) {
    const found = await ask("chain", "/api/events?" + query);
    if (found.events.length > 0 || found.next === "" || round === 5) return found;
    query.set("cursor", found.next);
  }
}

const longTerm = (event) => event.accessKey.startsWith("AKIA");

function end(event, { next, lacks, events }) {
  if (events.length === 0 && (next || lacks)) {
    const so = "Not found among the events that were looked at: there may be a call that made these credentials all the same.";
    return element("li", { className: "none" }, so, ...visible(lacks ? ` ${said(lacks)}` : ""));
  }
  const why = longTerm(event) ? "The store has no call that made this long-term access key." : "The store has no call that made these credentials: it was before the oldest stored event, in another account, or somebody signed in.";
  return element("li", { className: "none" }, why);
}

function step(event, list) {
  const to = button(visible(`${event.name} by ${event.user || "somebody"}`), () => open(event.id), { className: "link" });
  const at = new Date(event.time || NaN);
  const when = Number.isNaN(at.getTime()) ? "at no time" : `${stamp(at, zone())}, ${ago(at)}`;
  const li = element("li", {}, to, ...visible(` from ${event.sourceIp || "an unknown address"}, ${when} `));
  if (event.session || event.accessKey) li.append(asker(event, "and who before?", list));
  return li;
}
