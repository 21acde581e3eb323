// The list. All of its state is in the URL; show() makes the page what the URL says, so Back and reload restore it.

import { element, inert, visible } from "./text.js";
import { closeDetail, showDetail } from "./detail.js";
import { attributes, label, outcome, zoned } from "./words.js";

const size = 50;
const most = 1000;
const $ = (id) => document.getElementById(id);
const rows = document.querySelector("#events tbody");
const filter = $("filter");

let shown = null; // the query of the list that is shown
let next = ""; // where its next page begins
let asked = null; // ends the request under way
let events = [];
let opened = null; // the event whose detail is open

const state = () => new URLSearchParams(location.search);
const zone = () => (state().get("tz") === "local" ? "local" : "utc");

// listQuery is what the list depends on: the URL without the open event and, for no limit, without how many are shown.
function listQuery(limit) {
  const query = state();
  query.delete("ev");
  if (!limit) query.delete("limit");
  else if (!query.has("limit")) query.set("limit", limit);
  return query.toString();
}

// go changes the URL and then the page.
function go(change, how = "pushState", mark = null) {
  const query = state();
  change(query);
  const text = query.toString();
  history[how](mark, "", text ? "?" + text : location.pathname);
  show();
}

// search changes what is asked for, and begins at the newest.
const search = (change) =>
  go((query) => {
    query.delete("cursor");
    query.delete("limit");
    query.delete("ev");
    change(query);
  });

async function ask(path) {
  asked?.abort();
  asked = new AbortController();
  const answer = await fetch(path, { signal: asked.signal, headers: { Accept: "application/json" } });
  return answer.json().then((body) => {
    if (!answer.ok) throw new Error(body.error);
    return body;
  });
}

function show() {
  showControls();
  if (listQuery() !== shown) load();
  const id = state().get("ev");
  if (id) {
    showDetail(id, { zone: zone(), filterBy, closed });
  } else {
    closeDetail();
    if (opened) [...rows.querySelectorAll("a")].find((a) => a.dataset.id === opened)?.focus();
  }
  opened = id;
}

function closed() {
  if (history.state?.opened) history.back();
  else go((query) => query.delete("ev"), "replaceState");
}

function filterBy(name, value) {
  search((query) => {
    const f = name + ":" + value;
    if (!query.getAll("f").includes(f)) query.append("f", f);
  });
}

async function load() {
  shown = listQuery();
  $("status").textContent = "Loading …";
  $("message").hidden = true;
  $("events").classList.add("stale");
  try {
    const page = await ask("/api/events?" + listQuery(size));
    events = page.events;
    next = page.next;
    rows.replaceChildren(...events.map(row));
    listed();
  } catch (error) {
    if (error.name !== "AbortError") failed(error, load);
  }
}

async function more() {
  const query = state();
  query.delete("ev");
  query.set("cursor", next);
  query.set("limit", size);
  $("more").disabled = true;
  try {
    const page = await ask("/api/events?" + query);
    const first = events.length;
    next = page.next;
    events = events.concat(page.events);
    rows.append(...page.events.map(row));
    rows.children[first]?.querySelector("a").focus({ preventScroll: true });
    const keep = state();
    keep.set("limit", Math.min(events.length, most)); // so that reload and Back show as many
    history.replaceState(history.state, "", "?" + keep);
    listed();
  } catch (error) {
    if (error.name !== "AbortError") failed(error, more);
  }
}

function failed(error, again) {
  if (again === load) {
    events = [];
    next = "";
    rows.replaceChildren();
    $("events").hidden = $("more").hidden = true;
  }
  $("more").disabled = false;
  $("status").textContent = "";
  const reason = error instanceof TypeError ? "trailship does not answer; is it still running?" : error.message;
  say(`The events could not be shown: ${reason}`, "Try again", again);
}

function say(text, action, does) {
  const [p, button] = $("message").children;
  p.replaceChildren(...visible(text));
  button.textContent = action;
  button.onclick = does;
  button.hidden = !action;
  $("message").hidden = false;
}

function listed() {
  $("events").classList.remove("stale");
  $("events").hidden = events.length === 0;
  $("more").hidden = !next;
  $("more").disabled = false;
  $("message").hidden = true;
  const n = events.length;
  $("status").textContent =
    n === 0 ? "" : `${n} event${n === 1 ? "" : "s"} shown, newest first. ${next ? "There are more." : "That is all of them."}`;
  if (n === 0) empty();
  suggest();
}

function empty() {
  const query = state();
  const all = () => search((q) => ["f", "from", "to"].forEach((name) => q.delete(name)));
  if (query.has("f")) {
    say("No stored event passes these filters. A value must match as a whole, capital letters included.", "Show all events", all);
  } else if (query.has("from") || query.has("to")) {
    say("No event is stored for this time range.", "Show all events", all);
  } else {
    say("No event is stored yet. Events appear here when trailship has read them.", "Look again", load);
  }
}

function row(event) {
  const link = element("a", { href: "?" + withEvent(event.id) }, ...visible(event.name || "(no name)"));
  link.dataset.id = event.id;
  const [first, ...others] = event.resources;
  const cells = [
    link,
    zoned(event.time, zone()),
    element("span", {}, ...visible(event.user || "–")),
    element("span", {}, ...visible(event.source || "–")),
    element("span", {}, ...visible(first?.type || "–")),
    element("div", {}, element("span", {}, ...visible(first?.name || "–")), ...(others.length ? [element("small", {}, `and ${others.length} more`)] : [])),
    element("div", {}, outcome(event), ...(event.errorCode || event.reason ? [element("small", {}, ...visible(event.errorCode || event.reason))] : [])),
  ];
  const names = ["Event name", "Event time", "User name", "Event source", "Resource type", "Resource name", "Outcome"];
  const tr = element("tr", { className: event.outcome });
  tr.setAttribute("role", "row");
  cells.forEach((content, i) => {
    const cell = element(i ? "td" : "th", {}, content);
    cell.dataset.label = names[i];
    cell.setAttribute("role", i ? "cell" : "rowheader");
    if (!i) cell.scope = "row";
    tr.append(cell);
  });
  return tr;
}

function withEvent(id) {
  const query = state();
  query.set("ev", id);
  return query.toString();
}

// suggest offers the values of the shown events; the store may have others.
function suggest() {
  const values = (of) => [...new Set(events.flatMap(of))].filter((v) => v && inert(v) === v).sort().slice(0, 200);
  const fill = (list, all) => $(list).replaceChildren(...all.map((value) => element("option", { value })));
  fill("seen-eventName", values((e) => e.name));
  fill("seen-user", values((e) => [e.user, e.role]));
  fill("seen-resourceName", values((e) => e.resources.map((r) => r.name)));
  const chosen = attributes[$("attribute").value];
  fill("seen-other", chosen.values ?? values(chosen.of ?? (() => [])));
}

function showControls() {
  const query = state();
  for (const b of $("zones").children) b.setAttribute("aria-pressed", b.dataset.tz === zone());
  const from = query.get("from") ?? "";
  const preset = query.has("to") ? null : [...$("presets").children].find((b) => b.dataset.from === from);
  for (const b of $("presets").children) b.setAttribute("aria-pressed", b === (preset ?? $("custom")));
  $("dates").hidden = !!preset;
  for (const name of ["from", "to"]) $("dates").elements[name].value = preset ? "" : asInput(query.get(name));
  const relative = ["from", "to"].filter((name) => query.get(name)?.startsWith("-")).map((name) => `, ${name} ${query.get(name)}`);
  $("dates-zone").replaceChildren(...visible((zone() === "utc" ? "UTC" : "local time") + (preset ? "" : relative.join(""))));
  $("zone").textContent = zone() === "utc" ? "(UTC)" : "(local)";
  $("pills").replaceChildren(...query.getAll("f").map(pill));
  $("home").href = "/";
}

function pill(f) {
  const at = f.indexOf(":");
  const [name, value] = at < 0 ? [f, ""] : [f.slice(0, at), f.slice(at + 1)];
  const remove = element("button", { type: "button", textContent: "×" });
  remove.setAttribute("aria-label", `Remove filter: ${inert(label(name))} is ${inert(value)}`);
  remove.onclick = () =>
    search((query) => {
      const rest = query.getAll("f").filter((other) => other !== f);
      query.delete("f");
      rest.forEach((other) => query.append("f", other));
    });
  return element("li", {}, element("span", {}, ...visible(label(name)), " is ", element("b", {}, ...visible(value))), remove);
}

// asInput and fromInput turn a bound of the URL into the value of a date field in the chosen zone, and back.
function asInput(text) {
  let at = new Date(NaN);
  if (/^\d{1,12}$/.test(text)) at = new Date(text * 1000);
  else if (/^\d{4}-/.test(text)) at = new Date(/T[\d:.]+$/.test(text) ? text + "Z" : text);
  if (Number.isNaN(at.getTime())) return "";
  const shift = zone() === "utc" ? 0 : at.getTimezoneOffset() * 60000;
  return new Date(at - shift).toISOString().slice(0, 19);
}

function fromInput(text) {
  const at = new Date(zone() === "utc" ? text + "Z" : text);
  return Number.isNaN(at.getTime()) ? "" : at.toISOString().replace(".000Z", "Z");
}

function setRange(from, to) {
  search((query) => {
    for (const [name, value] of Object.entries({ from, to })) {
      if (value) query.set(name, value);
      else query.delete(name);
    }
  });
}

filter.addEventListener("submit", (e) => {
  e.preventDefault();
  const added = [];
  for (const name of ["eventName", "user", "resourceName"]) added.push([name, filter.elements[name]]);
  added.push([$("attribute").value, filter.elements.other]);
  const values = added.filter(([, field]) => field.value.trim() !== "").map(([name, field]) => name + ":" + field.value.trim());
  added.forEach(([, field]) => (field.value = ""));
  if (values.length === 0) return;
  search((query) => values.filter((f) => !query.getAll("f").includes(f)).forEach((f) => query.append("f", f)));
});

$("dates").addEventListener("submit", (e) => {
  e.preventDefault();
  setRange(fromInput($("dates").elements.from.value), fromInput($("dates").elements.to.value));
});

$("presets").addEventListener("click", ({ target }) => {
  if (target.id === "custom") {
    $("dates").hidden = false;
    $("dates").elements.from.focus();
  } else if (target.dataset.from !== undefined) {
    setRange(target.dataset.from, "");
  }
});

$("zones").addEventListener("click", ({ target }) => {
  if (!target.dataset.tz) return;
  go((query) => (target.dataset.tz === "utc" ? query.delete("tz") : query.set("tz", target.dataset.tz)));
});

rows.addEventListener("click", (e) => {
  if (e.ctrlKey || e.metaKey || e.shiftKey || e.altKey || String(getSelection())) return;
  const id = e.target.closest("tr")?.querySelector("a")?.dataset.id;
  if (!id) return;
  e.preventDefault();
  go((query) => query.set("ev", id), "pushState", { opened: true });
});

rows.addEventListener("keydown", (e) => {
  const step = { ArrowDown: "nextElementSibling", ArrowUp: "previousElementSibling" }[e.key];
  const link = step && e.target.closest("tr")?.[step]?.querySelector("a");
  if (!link) return;
  e.preventDefault();
  link.focus();
});

$("attribute").append(...Object.entries(attributes).filter(([, a]) => !a.own).map(([value, a]) => element("option", { value, textContent: a.label })));
$("attribute").addEventListener("change", suggest);
$("more").addEventListener("click", more);
$("refresh").addEventListener("click", load);
addEventListener("popstate", show);
show();
