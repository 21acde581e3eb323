// Copying to the clipboard and saving as a file.

import { button, element } from "./text.js";

// copier is a button that copies what text() gives, and says so. Where the clipboard is not to be had, select() selects it.
export function copier(face, text, select, name = "") {
  const said = element("span", { className: "said" });
  said.setAttribute("role", "status");
  const copy = button(face, async () => {
    try {
      await navigator.clipboard.writeText(text());
      said.textContent = "Copied";
    } catch {
      select();
      said.textContent = "Selected: press Ctrl+C";
    }
    setTimeout(() => (said.textContent = ""), 4000);
  }, { name });
  return [said, copy];
}

// save saves text as a file of the reader's.
export function save(name, kind, text) {
  const url = URL.createObjectURL(new Blob([text], { type: kind }));
  element("a", { href: url, download: name.replace(/[^\w.-]+/g, "_").slice(0, 100) }).click();
  setTimeout(() => URL.revokeObjectURL(url), 10000);
}
