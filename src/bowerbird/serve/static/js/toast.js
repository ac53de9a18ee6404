/** A short word at the bottom of the page, read out by screen readers. */

import { byId, h } from "./dom.js";

/**
 * @param {string} text @param {number} [seconds]
 * @param {{label: string, run: () => void}} [action] what can be done about it
 */
export function toast(text, seconds = 4, action = undefined) {
  const act = action && h("button", { type: "button", on: { click: () => { element.remove(); action.run(); } } }, action.label);
  const element = h("div", { class: "toast" }, text, act);
  const place = byId("toasts");
  place.replaceChildren(element);
  setTimeout(() => element.remove(), seconds * 1000);
}

/**
 * Copy text and say so; where the browser does not allow it, show the text to be copied by hand.
 * @param {string} text @param {string} done what to say
 */
export async function copy(text, done) {
  try {
    await navigator.clipboard.writeText(text);
    toast(done);
  } catch {
    toast(text, 15); // the browser refuses the clipboard, for example in an unfocused window
  }
}
