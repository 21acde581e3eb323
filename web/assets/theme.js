// Light, dark, or as the system has it. The choice is the reader's and not the page's state: it is kept in the browser.

const faces = { auto: ["◐", "as the system"], light: ["☀", "light"], dark: ["☾", "dark"] };
const order = Object.keys(faces);

export function keep(name, value) {
  try {
    localStorage.setItem(name, value);
  } catch {
    // a browser that keeps nothing: the choice lasts until the page is left
  }
}

export function kept(name) {
  try {
    return localStorage.getItem(name);
  } catch {
    return null;
  }
}

function apply(name) {
  document.documentElement.dataset.theme = name;
  const b = document.getElementById("theme");
  b.textContent = faces[name][0];
  b.title = `Colours: ${faces[name][1]}`;
  b.setAttribute("aria-label", b.title);
}

let theme = order.includes(kept("theme")) ? kept("theme") : "auto";
document.getElementById("theme").addEventListener("click", () => {
  theme = order[(order.indexOf(theme) + 1) % order.length];
  keep("theme", theme);
  apply(theme);
});
apply(theme);
