// Showing text that may be an attacker's. Nothing here makes markup: all strings become text nodes.

// What is invisible, or changes how its neighbours are read: controls, format and bidi characters, odd spaces and
// separators, variation selectors, fillers, and code points that stand for nothing.
const hidden = /(?! )[\p{C}\p{Z}\u034F\u115F\u1160\u17B4\u17B5\u180B-\u180F\u3164\uFFA0\uFE00-\uFE0F\u{E0100}-\u{E01EF}]/gu;

export function element(name, properties, ...children) {
  const e = document.createElement(name);
  Object.assign(e, properties);
  e.append(...children);
  return e;
}

// button is a button of a form's outside; name is what a screen reader says when the face does not.
export function button(face, onclick, { name = "", className = "", title = "" } = {}) {
  const b = element("button", { type: "button", onclick, className, title: title || name }, ...[face].flat());
  if (name) b.setAttribute("aria-label", name);
  return b;
}

// unseen is text for screen readers alone. A name that is made of what is seen and of this can be spoken as it is seen.
export const unseen = (text) => element("span", { className: "unseen" }, text);

const code = (c) => "U+" + c.codePointAt(0).toString(16).toUpperCase().padStart(4, "0");

// inert is text with codes for hidden characters, for attributes and titles.
export const inert = (text) => text.replace(hidden, (c) => `[${code(c)}]`);

// visible is text as nodes, with marked codes for hidden characters.
export function visible(text) {
  const nodes = [];
  let at = 0;
  for (const match of text.matchAll(hidden)) {
    nodes.push(text.slice(at, match.index), element("span", { className: "code", textContent: code(match[0]) }));
    at = match.index + match[0].length;
  }
  nodes.push(text.slice(at));
  return nodes;
}

const long = 300; // characters that are shown at once

// folded is visible text of which a button shows the rest where it is long.
export function folded(text) {
  if (text.length <= long) return visible(text);
  const shown = element("span", {}, ...visible(text.slice(0, long) + " …"));
  const all = button(`all ${text.length.toLocaleString("en")} characters`, () => {
    shown.replaceChildren(...visible(text));
    all.remove();
  }, { className: "quiet" });
  return [shown, all];
}

// short is text that ends with … where it would be longer than most.
export const short = (text, most) => (text.length > most ? text.slice(0, most - 1) + "…" : text);
