// Popovers: they open beside what opened them, and one of them at a time. The browser closes them by Esc and by a click elsewhere.

let opener = null;

// openAt opens a popover below an element, within the window.
export function openAt(popover, beside) {
  opener = beside;
  popover.showPopover();
  const gap = 6;
  const at = beside.getBoundingClientRect();
  const { width, height } = popover.getBoundingClientRect();
  const left = Math.max(gap, Math.min(at.left, innerWidth - width - gap));
  const below = at.bottom + gap;
  const top = below + height > innerHeight - gap ? Math.max(gap, Math.min(below, innerHeight - height - gap)) : below;
  popover.style.left = `${left}px`;
  popover.style.top = `${top}px`;
}

// opens makes a button open a popover; before fills it.
export function opens(button, popover, before = () => {}) {
  button.setAttribute("aria-expanded", "false");
  button.setAttribute("aria-haspopup", "dialog");
  button.addEventListener("click", () => {
    if (popover.matches(":popover-open")) return popover.hidePopover();
    before();
    openAt(popover, button);
    popover.querySelector("input, button, a, select")?.focus();
  });
  popover.addEventListener("toggle", (e) => {
    button.setAttribute("aria-expanded", String(e.newState === "open" && opener === button));
    if (e.newState === "closed" && opener === button && (document.activeElement === document.body || popover.contains(document.activeElement))) button.focus();
  });
}
