/** Filters: counts that can be clicked, and chips for what is filtered already. Both only edit the query's text. */

import { fill, h, icon } from "./dom.js";
import { KINDS, count } from "./format.js";
import { DATES, canonical, chipsOf, filtersOf, find, hasDate, toggled, toggledDate, without } from "./operators.js";

const SHOWN = 6;

const GROUPS = [
  { key: "type", operator: "type", title: "Type", label: (value) => KINDS[value] ?? value, icon: (value) => value },
  { key: "source", operator: "source", title: "Source", label: (value) => value, icon: () => "folder" },
  { key: "person", operator: "from", title: "Person", label: (value) => value, icon: () => "contact" },
];

export class Facets {
  /**
   * @param {HTMLElement} place where the counts stand
   * @param {HTMLElement} chips where the filters in use stand
   * @param {(text: string) => void} edit takes the new text of the query
   * @param {HTMLElement} lead stands before the counts
   */
  constructor(place, chips, edit, lead) {
    this.place = place;
    this.lead = lead;
    this.chips = chips;
    this.edit = edit;
    this.unfolded = new Set();
    this.counts = {};
    this.text = "";
  }

  /** @param {string} text of the query; @param {Record<string, Record<string, number>>} [counts] */
  show(text, counts = this.counts) {
    this.text = text;
    this.counts = counts;
    const focused = document.activeElement?.dataset?.facet;
    fill(this.place, this.lead, GROUPS.map((group) => this.#group(group)), this.#dates());
    if (focused) this.place.querySelector(`[data-facet="${CSS.escape(focused)}"]`)?.focus();
    this.#showChips();
  }

  #button(id, label, number, pressed, name, next) {
    return h("button", { type: "button", "aria-pressed": String(pressed), data: { facet: id }, title: label, on: { click: () => this.edit(next()) } },
      name && icon(name), h("span", { class: "label" }, label), h("span", { class: "number" }, count(number)));
  }

  #group({ key, operator, title, label, icon: name }) {
    const entries = Object.entries(this.counts[key] ?? {});
    for (const { operator: used, value } of filtersOf(this.text)) {
      const wanted = canonical(operator, value);
      if (used === operator && !entries.some(([other]) => canonical(operator, other) === wanted)) entries.unshift([operator === "type" ? wanted : value, 0]);
    }
    if (!entries.length) return null;
    const all = this.unfolded.has(key) || entries.length <= SHOWN + 1;
    const shown = all ? entries : entries.filter(([value], at) => at < SHOWN || find(this.text, operator, value));
    return h("div", { class: "facet", role: "group", "aria-label": title }, h("h2", {}, title),
      shown.map(([value, number]) => this.#button(`${key}:${value}`, label(value), number, Boolean(find(this.text, operator, value)),
        name(value), () => toggled(this.text, operator, value))),
      !all && h("button", { class: "unfold", type: "button", on: { click: () => { this.unfolded.add(key); this.show(this.text); } } },
        `${entries.length - shown.length} more`));
  }

  #dates() {
    const counts = this.counts.date ?? {};
    const buckets = Object.keys(DATES).filter((bucket) => counts[bucket] || hasDate(this.text, bucket));
    if (!buckets.length) return null;
    return h("div", { class: "facet", role: "group", "aria-label": "Date" }, h("h2", {}, "Date"),
      buckets.map((bucket) => this.#button(`date:${bucket}`, DATES[bucket].label, counts[bucket] ?? 0, hasDate(this.text, bucket),
        "event", () => toggledDate(this.text, bucket))));
  }

  #showChips() {
    const chips = chipsOf(this.text);
    this.chips.hidden = !chips.length;
    fill(this.chips, chips.map((chip) =>
      h("button", { class: "chip", type: "button", "aria-label": `Remove the filter ${chip.label}`,
        on: { click: () => this.edit(without(this.text, chip)) } },
        h("span", { class: "label" }, chip.label), icon("close"))));
  }
}
