/** The button with three dots at the end of a row, and its menu. */

import { h, icon } from "../dom.js";
import { wireMenu } from "../menus.js";
import { fresh } from "./dialog.js";

/**
 * @param {string} label whose actions these are, for screen readers
 * @param {Array<false | null | undefined | {text: string, icon?: string, danger?: boolean, href?: string, run?: () => void}>} actions
 * @returns {Node[]} the button and its menu
 */
export function actionsMenu(label, actions) {
  const id = fresh();
  const button = h("button", { class: "round", type: "button", popovertarget: id, "aria-expanded": "false", "aria-label": `Actions: ${label}`,
    title: "Actions", data: { focus: `menu ${label}` } }, icon("more"));
  const menu = h("div", { class: "menu", id, popover: "auto" }, actions.filter(Boolean).map((action) => entry(action, () => menu.hidePopover())));
  wireMenu(menu, button);
  return [button, menu];
}

function entry({ text, icon: name, danger, href, run }, close) {
  const content = [icon(name ?? "right"), text];
  if (href) return h("a", { href }, content);
  return h("button", { type: "button", class: danger && "danger", on: { click: () => { close(); run(); } } }, content);
}
