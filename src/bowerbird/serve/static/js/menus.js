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
  const close = () => menu.matches(":popover-open") && menu.hidePopover();
  menu.addEventListener("toggle", (event) => {
    const open = event.newState === "open";
    button.setAttribute("aria-expanded", String(open));
    if (open) {
      place(menu, button);
      entries(menu)[0]?.focus({ preventScroll: true });
    }
    (open ? addEventListener : removeEventListener)("scroll", close, { capture: true });
    (open ? addEventListener : removeEventListener)("resize", close);
  });
  menu.addEventListener("keydown", (event) => step(menu, event));
}
