// The page's state is its address. Everything that is shown follows from it, so Back, reload and a link restore it.
//
//	from, to   the time range: a time, Unix seconds, or a span before now (-24h)
//	q          free text
//	f, off     a filter, and one that is set aside: name:value; -name leaves out, name* takes * for any text; repeated
//	order      oldest: the oldest first
//	tz, cols   the zone of times, the columns
//	limit      how many events are shown
//	ev         the event whose detail is open
//	tick, view the events that are ticked, and view=compare when they are compared

export const query = () => new URLSearchParams(location.search);
export const zone = () => (query().get("tz") === "local" ? "local" : "utc");

// wide is when a detail has room beside the list.
export const wide = matchMedia("(min-width: 1100px)");

let changed = () => {};

// onChange sets what makes the page what the address says.
export function onChange(show) {
  changed = show;
  addEventListener("popstate", show);
}

// go changes the address and then the page.
export function go(change, { replace = false, mark = null } = {}) {
  const next = query();
  change(next);
  const text = next.toString();
  if (text === query().toString()) return changed();
  history[replace ? "replaceState" : "pushState"](replace ? history.state : mark, "", text ? "?" + text : location.pathname);
  changed();
}

// search changes what is asked for. The list begins at the newest again; an open detail stays where it has room.
export function search(change, how) {
  go((next) => {
    forget(next);
    change(next);
  }, how);
}

function forget(next) {
  next.delete("limit");
  next.delete("cursor");
  next.delete("view");
  if (!wide.matches) next.delete("ev");
}

// href is the address after a change, for links.
export function href(change) {
  const next = query();
  forget(next);
  change(next);
  return "?" + next;
}

export const set = (next, name, value) => (value ? next.set(name, value) : next.delete(name));

// listQuery is what the events depend on: the address without what only says how they are shown.
export function listQuery() {
  const next = query();
  for (const name of ["ev", "tick", "view", "cols", "tz", "off", "limit"]) next.delete(name);
  return next;
}

// A filter is {name, value, not, glob, off}.
export const written = ({ name, value, not, glob }) => `${not ? "-" : ""}${name}${glob ? "*" : ""}:${value}`;

function parse(text, off) {
  const at = text.indexOf(":");
  if (at < 0) return { name: text, value: "", not: false, glob: false, off };
  const not = text.startsWith("-");
  const glob = text[at - 1] === "*";
  return { name: text.slice(not ? 1 : 0, glob ? at - 1 : at), value: text.slice(at + 1), not, glob, off };
}

export function filters(from = query()) {
  return [...from].filter(([name]) => name === "f" || name === "off").map(([name, text]) => parse(text, name === "off"));
}

export const same = (a, b) => a.name === b.name && a.glob === b.glob && a.value === b.value;
const write = (next, all) => {
  next.delete("f");
  next.delete("off");
  for (const f of all) next.append(f.off ? "off" : "f", written(f));
};

// withFilter adds a filter to an address; the same one the other way round, or set aside, goes.
export function withFilter(next, name, value, not = false, glob = false) {
  const f = { name, value, not, glob, off: false };
  const all = filters(next);
  const at = all.findIndex((other) => same(other, f) && other.not === not && !other.off);
  if (at < 0) write(next, [...all.filter((other) => !same(other, f)), f]);
}

export const addFilter = (name, value, not = false, glob = false) => search((next) => withFilter(next, name, value, not, glob));

// changeFilters replaces each filter by what change makes of it; null removes it.
export function changeFilters(change) {
  search((next) => write(next, filters(next).map(change).filter(Boolean)));
}

// groups are the filters as pills show them: those of one name and one sign stand together, as they are asked together.
export function groups() {
  const found = new Map();
  for (const f of filters()) {
    const key = [f.name, f.not, f.glob, f.off].join("\n");
    if (!found.has(key)) found.set(key, { name: f.name, not: f.not, glob: f.glob, off: f.off, values: [] });
    found.get(key).values.push(f.value);
  }
  return [...found.values()];
}

export const inGroup = (f, group) => f.name === group.name && f.not === group.not && f.glob === group.glob && f.off === group.off;
