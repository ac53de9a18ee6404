/** "Why this?" and "Why not?": what became of the previewed item for the query in the box, told where it is shown. */

import * as api from "./api.js";
import { fill, h, icon, worded } from "./dom.js";
import { count } from "./format.js";
import { ZONE } from "./searcher.js";

const STAGES = {
  words: "Words", prefix: "Words", meaning: "Meaning", rrf: "Both together", mix: "Both together", named: "Name",
  recent: "Date", ranked: "Learned order", beginning: "To begin with", below: "Further down",
};

const PANEL = "why-panel";

/** The button and the panel it opens. They belong to one preview of an item. */
export class Why {
  /** @param {string} id the item @param {AbortSignal} signal ends with the preview */
  constructor(id, signal) {
    this.id = id;
    this.signal = signal;
    this.query = "";
    this.label = h("span", {});
    this.button = h("button", { class: "button", type: "button", "aria-expanded": "false", "aria-controls": PANEL, hidden: true,
      on: { click: () => this.#toggle() } }, icon("help"), this.label);
    this.panel = h("section", { class: "why", id: PANEL, "aria-label": "Why", hidden: true });
    this.panel.setAttribute("aria-live", "polite");
  }

  /** @param {string} query what is in the box @param {boolean} found whether the item is in the list beside it */
  ask(query, found) {
    if (query !== this.query) this.#close();
    this.query = query;
    this.button.hidden = !query.trim();
    this.label.textContent = found ? "Why this?" : "Why not?";
  }

  #close() {
    this.button.setAttribute("aria-expanded", "false");
    this.panel.hidden = true;
  }

  async #toggle() {
    if (!this.panel.hidden) return this.#close();
    this.button.setAttribute("aria-expanded", "true");
    this.panel.hidden = false;
    const { query } = this;
    fill(this.panel, h("p", { class: "aside" }, "Looking…"));
    try {
      const told = await api.explain({ q: query, item: this.id, zone: ZONE }, this.signal);
      if (query === this.query) fill(this.panel, ...shown(told));
    } catch (problem) {
      if (problem.name !== "AbortError") fill(this.panel, h("p", { class: "aside" }, worded(problem.message)), problem.remedy && h("p", { class: "aside" }, worded(problem.remedy)));
    }
  }
}

function shown(told) {
  const stands = told.found ? `Place ${count(told.rank)} of ${count(told.of)} for “${told.query}”.` : `Not found by “${told.query}”.`;
  return [h("p", { class: "why-place" }, stands),
    told.causes.length ? h("ul", { class: "why-causes" }, told.causes.map((cause) => h("li", {}, worded(cause.words)))) : null,
    told.reason?.parts.length ? h("ul", { class: "reasons" }, told.reason.parts.map(reasonOf)) : null,
    told.hints.map((hint) => h("p", { class: "aside" }, worded(hint)))];
}

/** @param {{stage: string, words: string, amount: number | null, parts: any[]}} reason */
function reasonOf({ stage, words, amount, parts }) {
  const name = STAGES[stage] ?? stage.replaceAll("_", " ").replace(/^./, (first) => first.toUpperCase());
  return h("li", {}, h("div", { class: "reason" },
    h("span", {}, h("strong", {}, name), ` ${words}`), amount !== null && h("span", { class: "amount" }, amountOf(amount))),
    parts.length ? h("ul", {}, parts.map(reasonOf)) : null);
}

const amountOf = (amount) => `${amount < 0 ? "−" : "+"}${Math.abs(amount).toPrecision(3)}`;
