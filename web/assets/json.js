// JSON from its text. Nothing goes through JSON.parse as a whole: numbers beyond 2^53, the order of keys and keys that are
// there twice stay as they are, and text that is not JSON comes out, too.

const token = /\s+|"[^"\\]*(?:\\[^][^"\\]*)*"?|[{}[\],:]|[^\s{}[\],:"]+/g;
const deepest = 40; // levels that are indented; a record of brackets must not become a page of spaces

const tokens = (text) => text.match(token)?.filter((t) => t.trim() !== "") ?? [];

// pretty lays JSON out as [kind, text] pairs.
export function pretty(text) {
  const all = tokens(text);
  const out = [];
  let depth = 0;
  const line = () => out.push(["space", "\n" + "  ".repeat(Math.min(depth, deepest))]);
  all.forEach((t, i) => {
    if (t === "{" || t === "[") {
      out.push(["mark", t]);
      depth++;
      if (all[i + 1] !== "}" && all[i + 1] !== "]") line();
    } else if (t === "}" || t === "]") {
      depth = Math.max(0, depth - 1);
      if (all[i - 1] !== "{" && all[i - 1] !== "[") line();
      out.push(["mark", t]);
    } else if (t === ",") {
      out.push(["mark", t]);
      line();
    } else if (t === ":") {
      out.push(["mark", ": "]);
    } else {
      out.push([t[0] !== '"' ? "word" : all[i + 1] === ":" ? "key" : "string", t]);
    }
  });
  return out;
}

function decoded(literal) {
  try {
    return JSON.parse(literal);
  } catch {
    return literal;
  }
}

// tree reads JSON into nodes: {key, kind, items} for an object or array, {key, kind, text} for a leaf. A key is null in an
// array. There is no recursion, so depth does no harm.
export function tree(text) {
  const root = { key: null, kind: "array", items: [] };
  const open = [root];
  let key = null;
  const add = (node) => {
    open.at(-1).items.push(node);
    key = null;
  };
  const all = tokens(text);
  all.forEach((t, i) => {
    if (t === "{" || t === "[") {
      const node = { key, kind: t === "{" ? "object" : "array", items: [] };
      add(node);
      open.push(node);
    } else if (t === "}" || t === "]") {
      if (open.length > 1) open.pop();
    } else if (t[0] === '"' && all[i + 1] === ":") {
      key = decoded(t);
    } else if (t !== "," && t !== ":") {
      add(t[0] === '"' ? { key, kind: "string", text: decoded(t) } : { key, kind: "word", text: t });
    }
  });
  return root.items[0] ?? { key: null, kind: "word", text: "" };
}

// child is the node of a key of an object, the last one where a key is there twice; undefined where there is none.
export const child = (node, ...keys) => keys.reduce((at, key) => at?.items?.findLast((n) => n.key === key), node);

// leaves lists all leaves as [path, node]; a path is an array of keys and indices.
export function leaves(node) {
  const out = [];
  const rest = [[[], node]];
  while (rest.length > 0) {
    const [path, at] = rest.pop();
    if (!at.items || at.items.length === 0) out.push([path, at]);
    else for (let i = at.items.length - 1; i >= 0; i--) rest.push([[...path, at.items[i].key ?? i], at.items[i]]);
  }
  return out;
}

// shown is a leaf's text; what is empty shows as its brackets.
export const shown = (node) => (node.items ? (node.kind === "object" ? "{}" : "[]") : node.text);
