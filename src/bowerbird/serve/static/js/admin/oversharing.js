/** What is shared more widely than it looks meant to be; the rules that would mend it, shown before they are made. */

import { call } from "../api.js";
import { byId, fill, h, icon } from "../dom.js";
import { count, counted } from "../format.js";
import { ask, single } from "./dialog.js";
import { readable } from "./principals.js";
import { attempt, none, trouble } from "./section.js";
import { badge, table } from "./table.js";
import { capital } from "./words.js";

const ROUND = 10; // seconds of one look; what is left is looked at by the next
const keyOf = ({ source, path }) => `${source}\n${path}`;

/** @param {...import("./section.js").Section} changed what shows rules, to be loaded again after a fix */
export class Oversharing {
  constructor(place, button, changed) {
    Object.assign(this, { place, button, changed, findings: new Map(), chosen: new Set(), looked: 0, left: 0, cursor: "" });
    button.addEventListener("click", () => this.look());
    fill(place, none("Looking reads names and texts that many people can read. It can take a while, and is written to the audit log."));
  }

  /** Look at everything, from the start. */
  async look() {
    Object.assign(this, { findings: new Map(), chosen: new Set(), looked: 0, cursor: "" });
    this.button.disabled = true;
    try {
      do await this.#round(); while (this.cursor);
      this.#show();
    } catch (problem) {
      fill(this.place, trouble(problem, () => this.look()));
    }
    this.button.disabled = false;
  }

  async #round() {
    const answer = await call("GET", "/api/access/oversharing", { query: { cursor: this.cursor, seconds: ROUND } });
    for (const one of answer.findings) this.findings.set(keyOf(one), one);
    Object.assign(this, { cursor: answer.cursor, left: answer.left, looked: this.looked + answer.looked });
    fill(this.place, h("p", { class: "none", role: "status" }, `${counted(this.looked, "item")} looked at, ${count(this.left)} to go …`));
  }

  #show() {
    const all = [...this.findings.values()];
    if (!all.length) return fill(this.place, none(this.looked ? `${counted(this.looked, "item")} that many can read: none looks as if it should not be.` : "Nothing is open to many people.", true));
    const fix = h("button", { class: "button", type: "button", on: { click: single(() => this.#fix()) } }, icon("lock"), "Close what is chosen …");
    const tell = () => { fix.disabled = !this.chosen.size; };
    tell();
    return fill(this.place, table("Oversharing", this.#columns(tell), all), h("div", { class: "older" }, fix));
  }

  #columns(tell) {
    const box = (one) => h("input", { type: "checkbox", class: "tick", "aria-label": `Choose ${one.path}`, on: { change: ({ target }) => {
      this.chosen[target.checked ? "add" : "delete"](keyOf(one));
      tell();
    } } });
    return [
      { name: "Where", cell: (one) => h("label", { class: "ticked" }, box(one), h("span", {}, h("span", { class: "name" }, one.item ? one.path : `${one.path}/`), h("span", { class: "aside" }, `${one.source} · ${counted(one.items, "item")}`))) },
      { name: "Why", class: "why", cell: ({ signs }) => signs.map(({ why }) => h("div", {}, capital(why))) },
      { name: "Open to", cell: ({ to, people }) => [h("div", {}, to.map(readable).join(", ")), h("div", { class: "aside" }, people === 1 ? "1 person" : `${count(people)} people`)] },
    ];
  }

  async #fix() {
    const wanted = [...this.chosen].map((key) => this.findings.get(key)).map(({ source, path }) => ({ source, path }));
    const { fixes: planned } = await call("POST", "/api/access/oversharing/fix", { body: { wanted, apply: false } });
    const done = await ask({
      title: "Make these rules?", action: "Make the rules", wide: true, danger: true,
      body: [h("p", {}, "So far nothing has changed. From the next request on, only these may read what is there:"),
        planned.length ? table("Rules to be made", FIXES, planned) : h("p", {}, "Such rules are in force already.")],
      run: () => call("POST", "/api/access/oversharing/fix", { body: { wanted, apply: true } }),
    });
    if (!done) return;
    await attempt(async () => done, ({ fixes }) => `${counted(fixes.length, "rule")} made.`, ...this.changed);
    await this.look();
  }
}

const FIXES = [
  { name: "Where", cell: ({ source, prefix, items }) => [h("div", { class: "name" }, prefix), h("div", { class: "aside" }, `${source} · ${counted(items, "item")}`)] },
  { name: "Only", cell: ({ principal }) => badge(readable(principal), "accent") },
];

export const oversharing = (...changed) => new Oversharing(byId("oversharing"), byId("look-again"), changed);
