// Links of the page to itself change the state without loading the page again.

import { go, wide } from "./state.js";

document.addEventListener("click", (e) => {
  if (e.defaultPrevented || e.button !== 0 || e.ctrlKey || e.metaKey || e.shiftKey || e.altKey) return;
  const link = e.target.closest?.("a[href]");
  if (!link || link.target || link.download || link.origin !== location.origin || link.pathname !== location.pathname || link.hash) return;
  e.preventDefault();
  const wanted = new URLSearchParams(link.search);
  go((next) => {
    for (const name of [...next.keys()]) next.delete(name);
    for (const [name, value] of wanted) next.append(name, value);
    if (!wide.matches && !link.closest("#events")) next.delete("ev");
  });
});
