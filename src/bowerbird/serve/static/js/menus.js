/** Menus: a popover that opens beside its button. The browser closes it on Escape and on a click elsewhere. */

const GAP = 6; // pixels between the button and the menu, and between the menu and the window's edge

const entries = (menu) => [...menu.querySelectorAll("a, button")];

function place(menu, button) {
  const from = button.getBoundingClientRect();
  const below = from.bottom + GAP + menu.offsetHeight < innerHeight - GAP;
  const left = Math.max(GAP, Math.min(from.right - menu.offsetWidth, innerWidth - menu.offsetWidth - GAP));
  menu.style.left = `${left}px`;
  menu.style.top = `${below ? from.bottom + GAP : Math.max(GAP, from.top - GAP - menu.offsetHeight)}px`;
}

function step(menu, event) {
  const steps = { ArrowDown: 1, ArrowUp: -1, Home: -Infinity, End: Infinity };
  if (!(event.key in steps)) return;
  event.preventDefault();
  const all = entries(menu);
  const at = all.indexOf(document.activeElement) + steps[event.key];
  const next = Number.isFinite(at) ? (at + all.length) % all.length : at < 0 ? 0 : all.length - 1;
  all[next].focus();
}

/**
 * Let a popover open below its button, and be walked by the arrows.
 * @param {HTMLElement} menu @param {HTMLButtonElement} button its `popovertarget`
 */
export function wireMenu(menu, button) {
  const follow = () => {
    if (!menu.matches(":popover-open")) return;
    const { top, bottom } = button.getBoundingClientRect();
    if (bottom < 0 || top > innerHeight) menu.hidePopover();
    else place(menu, button);
  };
  const first = entries(menu)[0];
  if (first) first.autofocus = true; // the browser moves the focus there as it opens
  menu.addEventListener("toggle", (event) => {
    const open = event.newState === "open";
    button.setAttribute("aria-expanded", String(open));
    follow();
    for (const change of ["scroll", "resize"]) (open ? addEventListener : removeEventListener)(change, follow, { capture: true, passive: true });
  });
  menu.addEventListener("keydown", (event) => step(menu, event));
}
