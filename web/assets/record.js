// The record as CloudTrail wrote it, or, where that was not kept, what is left of it: laid out, as a tree, to copy and to save.

import { button, element, visible } from "./text.js";
import { pretty } from "./json.js";
import { copier, save } from "./save.js";
import { folding } from "./tree.js";

// record shows text. It is laid out when it is first looked at.
export function record(event, text, root, derived) {
  const pre = element("pre", { tabIndex: 0 });
  pre.setAttribute("aria-label", "The record as JSON");
  pre.setAttribute("role", "region");
  pre.append(...pretty(text).flatMap(([kind, part]) => {
    if (kind === "space" || kind === "mark") return [part];
    return [element("span", { className: kind }, ...visible(part))];
  }));
  const whole = element("div", { hidden: true });
  const look = button("Tree", () => {
    if (!whole.firstChild) whole.append(folding(root, []));
    whole.hidden = !whole.hidden;
    pre.hidden = !whole.hidden;
    look.setAttribute("aria-pressed", String(pre.hidden));
  });
  look.setAttribute("aria-pressed", "false");
  const copy = copier("Copy", () => pretty(text).map(([, part]) => part).join(""), () => getSelection().selectAllChildren(pre), "Copy the record");
  const file = button("Download", () => save(`${event.id || "event"}${derived ? ".derived" : ""}.json`, "application/json", text), { name: "Download the record" });
  const head = element("div", { className: "head" }, element("h3", {}, "Event record"), ...copy, file, look);
  const note = derived ? [element("p", { className: "lacks" }, "This is not the record as AWS wrote it, which was not kept (output.keep_original: false). It is put together from the fields that were: members may be missing, and their order is not the record's.")] : [];
  return element("section", { className: "record" }, head, ...note, pre, whole);
}
