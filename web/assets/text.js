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

const token = /\s+|"[^"\\]*(?:\\[^][^"\\]*)*"?|[{}[\],:]|[^\s{}[\],:"]+/g;
const deepest = 40; // levels that are indented; a record of brackets must not become a page of spaces

// pretty lays JSON out from its text, as [kind, text] pairs. Nothing is parsed: numbers and the order of keys stay as they
// are, and text that is not JSON comes out whole, too.
export function pretty(text) {
  const tokens = text.match(token)?.filter((t) => t.trim() !== "") ?? [];
  const out = [];
  let depth = 0;
  const line = () => out.push(["space", "\n" + "  ".repeat(Math.min(depth, deepest))]);
  tokens.forEach((t, i) => {
    if (t === "{" || t === "[") {
      out.push(["mark", t]);
      depth++;
      if (tokens[i + 1] !== "}" && tokens[i + 1] !== "]") line();
    } else if (t === "}" || t === "]") {
      depth = Math.max(0, depth - 1);
      if (tokens[i - 1] !== "{" && tokens[i - 1] !== "[") line();
      out.push(["mark", t]);
    } else if (t === ",") {
      out.push(["mark", t]);
      line();
    } else if (t === ":") {
      out.push(["mark", ": "]);
    } else {
      out.push([t[0] !== '"' ? "word" : tokens[i + 1] === ":" ? "key" : "string", t]);
    }
  });
  return out;
}
