/** The keyboard: everything on the search page can be done without a mouse. */

const isField = (target) => target.matches?.("input, textarea, select, [contenteditable]");
const isControl = (target) => target.matches?.("button, a, audio, video, summary, pre, .pane-body");

/**
 * @param {{
 *   box: HTMLInputElement,
 *   focusBox: () => void,
 *   move: (step: number) => void,
 *   enter: (direct: boolean) => void,
 *   escape: () => void,
 *   help: () => void,
 *   covered: () => boolean,
 * }} page
 */
export function wireKeys(page) {
  document.addEventListener("keydown", (event) => {
    if (event.isComposing || event.defaultPrevented || document.querySelector("dialog[open], :popover-open")) return;
    const modified = event.ctrlKey || event.metaKey;
    if (modified && event.key.toLowerCase() === "k") return run(event, page.focusBox);
    if (event.key === "Escape") return run(event, page.escape);
    if (event.target === page.box) return inBox(event, modified, page);
    if (isField(event.target) || modified || event.altKey || page.covered()) return undefined;
    return outside(event, page);
  });
}

function run(event, action) {
  event.preventDefault();
  action();
}

const STEPS = { ArrowDown: 1, ArrowUp: -1, PageDown: 5, PageUp: -5 };

function inBox(event, modified, page) {
  if (event.key in STEPS && !modified && !event.altKey) return run(event, () => page.move(STEPS[event.key]));
  if (event.key === "Enter") return run(event, () => page.enter(modified));
  return undefined;
}

function outside(event, page) {
  if (event.key === "/") return run(event, page.focusBox);
  if (event.key === "?") return run(event, page.help);
  if (event.key === "j") return run(event, () => page.move(1));
  if (event.key === "k") return run(event, () => page.move(-1));
  if (isControl(event.target)) return undefined; // arrows and Enter are theirs
  if (event.key === "ArrowDown" || event.key === "ArrowUp") return run(event, () => page.move(STEPS[event.key]));
  if (event.key === "Enter") return run(event, () => page.enter(false));
  return undefined;
}
