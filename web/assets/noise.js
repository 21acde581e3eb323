// Switches for what is noise to most questions: reads, and what AWS's services do. Nothing is hidden at first, and a switch
// says how many events it hides.

import { ask, givenUp } from "./ask.js";
import { said } from "./lacks.js";
import { listQuery, query, search } from "./state.js";
import { number } from "./words.js";

const switches = [...document.querySelectorAll("[data-hide]")].map((button) => {
  const [, name, value] = /^-(\w+):(\w+)$/.exec(button.dataset.hide);
  return { button, filter: button.dataset.hide, name, value };
});

let asked = null;

// press shows which switches are on.
export function press() {
  const on = query().getAll("f");
  for (const s of switches) s.button.setAttribute("aria-pressed", String(on.includes(s.filter)));
}

// show counts what each switch hides or would hide.
export async function show(again = false) {
  const from = listQuery();
  if (from.toString() === asked && !again) return;
  asked = from.toString();
  await Promise.all(switches.map((s) => measure(s, new URLSearchParams(from))));
}

async function measure({ button, filter, name, value }, from) {
  const on = from.getAll("f").includes(filter);
  const others = from.getAll("f").filter((f) => f !== filter);
  from.delete("f");
  others.forEach((f) => from.append("f", f));
  from.set("by", name);
  from.set("most", 2);
  const says = button.querySelector("small");
  try {
    const { facets, exact, lacks } = await ask("noise " + name, "/api/values?" + from);
    const n = facets[0].values.find((v) => v.value === value)?.count ?? 0;
    button.title = said(lacks);
    says.textContent = `${exact ? "" : "≥ "}${number(n)}${on ? " hidden" : ""}`;
  } catch (error) {
    if (!givenUp(error)) says.textContent = "";
  }
}

for (const { button, filter } of switches) {
  button.addEventListener("click", () => {
    search((next) => {
      const had = next.getAll("f");
      next.delete("f");
      (had.includes(filter) ? had.filter((other) => other !== filter) : [...had, filter]).forEach((f) => next.append("f", f));
    });
  });
}
