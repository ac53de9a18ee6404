/** Tables of rows. Roles are said outright: on a phone the rows are laid out as cards, which would else take them away. */

import { h } from "../dom.js";

/**
 * @param {string} caption for screen readers
 * @param {Array<{name: string, cell: (row: any) => unknown, class?: string}>} columns one without a name holds actions
 * @param {any[]} rows @param {(row: any) => string} [look] a class for the row
 */
export function table(caption, columns, rows, look = () => "") {
  const heads = columns.map(({ name }) => h("th", { role: "columnheader", scope: "col" }, name || h("span", { class: "unseen" }, "Actions")));
  const cell = (row) => ({ name, cell: content, class: style }) => {
    const inside = content(row);
    return name ? h("td", { role: "cell", class: style, data: { label: name } }, inside && h("div", {}, inside)) : h("td", { role: "cell", class: style ?? "actions" }, inside);
  };
  return h("div", { class: "table-box" }, h("table", { class: "table", role: "table", "aria-label": caption },
    h("thead", { role: "rowgroup" }, h("tr", { role: "row" }, heads)),
    h("tbody", { role: "rowgroup" }, rows.map((row) => h("tr", { role: "row", class: look(row) || false }, columns.map(cell(row)))))));
}

/** @param {string} text @param {"" | "accent" | "good" | "bad"} [tone] */
export const badge = (text, tone = "") => h("span", { class: `badge ${tone}` }, text);

/**
 * A filter that is on or off. @param {string} label @param {number} number @param {boolean} pressed @param {() => void} click
 */
export const filter = (label, number, pressed, click) =>
  h("button", { class: "filter", type: "button", "aria-pressed": String(pressed), data: { focus: `filter ${label}` }, on: { click } }, label,
    h("span", { class: "number" }, number));
