/** The button that switches between light and dark, and remembers it. */

const root = document.documentElement;

function apply(theme) {
  root.dataset.theme = theme;
  for (const button of document.querySelectorAll("[data-theme-toggle]")) {
    button.setAttribute("aria-label", theme === "dark" ? "Use the light theme" : "Use the dark theme");
  }
}

/** @returns {string | null} what was chosen before, if anything */
function chosen() {
  try {
    return localStorage.getItem("bowerbird-theme");
  } catch {
    return null;
  }
}

function remember(theme) {
  try {
    localStorage.setItem("bowerbird-theme", theme);
  } catch {
    return; // storage may be switched off; the theme then lasts as long as the page
  }
}

/** Wire all toggles of the page, and follow the system where nothing was chosen. */
export function wireTheme() {
  apply(root.dataset.theme);
  for (const button of document.querySelectorAll("[data-theme-toggle]")) {
    button.addEventListener("click", () => {
      const theme = root.dataset.theme === "dark" ? "light" : "dark";
      apply(theme);
      remember(theme);
    });
  }
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", (event) => {
    if (!chosen()) apply(event.matches ? "dark" : "light");
  });
}
