// The time range: spans before now or before the newest event, and any two times.

import { button, unseen, visible } from "./text.js";
import { query, search, set, zone } from "./state.js";
import { opens } from "./popover.js";
import { ago, iso, parts, read, stamp } from "./words.js";

const $ = (id) => document.getElementById(id);
const opener = $("range");
const box = $("range-box");
const form = $("range-form");
const spans = [["30 min", "30m"], ["1 h", "1h"], ["3 h", "3h"], ["12 h", "12h"], ["24 h", "24h"], ["7 days", "7d"], ["30 days", "30d"], ["90 days", "90d"]];
const seconds = { s: 1, m: 60, h: 3600, d: 86400 };
const length = (text) => text.slice(0, -1) * seconds[text.at(-1)] * 1000;

let newest = null; // when the newest stored event was
let oldest = null;

// learn hears between which times the store has events.
export function learn(extent) {
  newest = extent.newest ? new Date(extent.newest) : null;
  oldest = extent.oldest ? new Date(extent.oldest) : null;
  show();
}

// stored says where data lies, for a page that has nothing to show.
export const stored = () => (newest ? { oldest, newest } : null);

export function setRange(from, to) {
  search((next) => {
    set(next, "from", from);
    set(next, "to", to);
  });
}

// words says the range of the address.
function words() {
  const [from, to] = ["from", "to"].map((name) => query().get(name) ?? "");
  if (!from && !to) return "All time";
  const preset = to === "" && spans.find(([, text]) => from === "-" + text);
  if (preset) return `Last ${preset[0]}`;
  const [a, b] = [from, to].map((text) => (text.startsWith("-") ? null : read(text)));
  const say = (text, at) => (at ? stamp(at, zone()).replace(/ \S+$/, "") : text.startsWith("-") ? `${text.slice(1)} ago` : text);
  const offset = a || b ? " " + parts(a ?? b, zone()).offset : "";
  if (!to) return `Since ${say(from, a)}${offset}`;
  if (!from) return `Until ${say(to, b)}${offset}`;
  const end = a && b && parts(a, zone()).day === parts(b, zone()).day ? parts(b, zone()).clock : say(to, b);
  return `${say(from, a)} – ${end}${offset}`;
}

export function show() {
  opener.replaceChildren(unseen("Time range: "), ...visible(words()));
  $("range-clear").hidden = !query().has("from") && !query().has("to");
}

// local writes a bound as the fields show it: a time in the chosen zone.
function local(text) {
  const at = text && !text.startsWith("-") ? read(text) : null;
  if (!at) return text ?? "";
  const { day, clock } = parts(at, zone());
  return `${day} ${clock}`;
}

// typed reads what somebody typed, in the chosen zone where it has no offset. What is no time goes to the server as it is,
// which says so.
export function typed(text) {
  const tidy = text.trim().replace(/^(\d{4})\/(\d\d)\/(\d\d)/, "$1-$2-$3").replace(/^(\d{4}-\d\d-\d\d) +/, "$1T");
  if (!/^\d{4}-\d\d-\d\d/.test(tidy)) return tidy;
  const full = /^\d{4}-\d\d-\d\d$/.test(tidy) ? tidy + "T00:00:00" : tidy;
  const at = new Date(zone() === "utc" && !/(Z|[+-]\d\d:?\d\d)$/i.test(full) ? full + "Z" : full);
  return Number.isNaN(at.getTime()) ? tidy : iso(at);
}

// base is what spans count back from: the newest event where that is long ago.
const base = () => form.elements.base.value;

function before() {
  form.elements.from.value = local(query().get("from"));
  form.elements.to.value = local(query().get("to"));
  $("range-zone").textContent = zone() === "utc" ? "UTC" : `local time, ${parts(new Date(), "local").offset}`;
  const old = newest !== null && Date.now() - newest > 3600000;
  form.elements.base.value = old ? "newest" : "now";
  $("range-newest").textContent = newest ? `the newest event (${stamp(newest, zone())}, ${ago(newest)})` : "the newest event";
}

$("range-spans").append(...spans.map(([face, text]) => button(face, () => {
  box.hidePopover();
  if (base() === "newest" && newest) setRange(iso(new Date(newest - length(text))), "");
  else setRange("-" + text, "");
})));
$("range-spans").append(button("All time", () => {
  box.hidePopover();
  setRange("", "");
}));
$("range-clear").addEventListener("click", () => setRange("", ""));
form.addEventListener("submit", (e) => {
  e.preventDefault();
  box.hidePopover();
  setRange(typed(form.elements.from.value), typed(form.elements.to.value));
});
opens(opener, box, before);
