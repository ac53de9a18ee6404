/** The list of results: a listbox that the search box steers (ARIA 1.2 combobox with aria-activedescendant). */

import { h, icon } from "./dom.js";
import { KIND, fullDate, names, trail, when } from "./format.js";
import { marked } from "./text.js";

const optionId = (id) => `hit-${id}`;

/** @param {string[]} steps @param {string} [tail] @returns {HTMLElement} */
export function trailOf(steps, tail = "") {
  return h("div", { class: "trail" }, steps.map((step, at) => h("span", { class: at < steps.length - 1 ? "step" : "" }, step)),
    tail && ` · ${tail}`);
}

/** The file's name, where the title does not tell it. */
function fileName({ title, path }) {
  const name = path.slice(path.lastIndexOf("/") + 1);
  return title === name || title === name.replace(/\.[^.]+$/, "") ? [] : [name];
}

function snippetOf(hit) {
  const best = hit.passages[0];
  if (!best) return null;
  const leaf = hit.kind === "presentation" ? "Slide" : "Page";
  return h("div", { class: "snippet" }, best.page > 1 && h("span", { class: "place" }, `${leaf} ${best.page} · `),
    marked(best.text, best.highlights));
}

function option(hit) {
  return h("div", { class: "hit", role: "option", id: optionId(hit.item), "aria-selected": "false", data: { item: hit.item } },
    h("span", { class: "tile", title: KIND[hit.kind] ?? hit.kind }, icon(hit.kind), h("span", { class: "unseen" }, KIND[hit.kind] ?? hit.kind)),
    h("div", { class: "title", title: hit.title }, hit.title),
    h("time", { datetime: hit.modified, title: fullDate(hit.modified) }, when(hit.modified)),
    trailOf([...trail(hit.source, hit.path), ...fileName(hit)], names(hit.people)),
    snippetOf(hit));
}

export class ResultList {
  /**
   * @param {HTMLElement} list @param {HTMLInputElement} box
   * @param {{onSelect: (hit: any) => void, onOpen: (hit: any) => void}} listener
   */
  constructor(list, box, listener) {
    this.list = list;
    this.box = box;
    this.listener = listener;
    this.hits = [];
    this.at = -1;
    list.addEventListener("click", (event) => this.#clicked(event));
    list.addEventListener("mousedown", (event) => event.preventDefault()); // the box keeps the focus
  }

  /** The chosen hit, if any. */
  get chosen() {
    return this.hits[this.at];
  }

  /** @param {any[]} hits replaces the list; nothing is chosen */
  show(hits) {
    this.hits = hits;
    this.list.replaceChildren(...hits.map(option));
    this.#refresh();
    this.choose(-1);
  }

  /** @param {any[]} hits is appended; what is chosen stays */
  append(hits) {
    const known = new Set(this.hits.map((hit) => hit.item));
    const fresh = hits.filter((hit) => !known.has(hit.item));
    this.hits = [...this.hits, ...fresh];
    this.list.append(...fresh.map(option));
    this.#refresh();
  }

  /** @param {number} step moves the choice down (positive) or up */
  move(step) {
    if (!this.hits.length) return;
    const next = this.at < 0 && step < 0 ? -1 : Math.max(0, Math.min(this.hits.length - 1, this.at + step));
    if (next < 0) return;
    this.choose(next);
    this.listener.onSelect(this.chosen);
  }

  /** @param {number} at chooses a hit by its place in the list, -1 for none */
  choose(at) {
    this.list.children[this.at]?.setAttribute("aria-selected", "false");
    this.at = at;
    const element = this.list.children[at];
    if (!element) {
      this.box.removeAttribute("aria-activedescendant");
      return;
    }
    element.setAttribute("aria-selected", "true");
    this.box.setAttribute("aria-activedescendant", element.id);
    element.scrollIntoView({ block: "nearest" });
  }

  /** @param {string} id chooses a hit by its item @returns {any} the hit, if it is in the list */
  chooseItem(id) {
    const at = this.hits.findIndex((hit) => hit.item === id);
    this.choose(at);
    return this.hits[at];
  }

  #refresh() {
    this.list.hidden = !this.hits.length;
    this.list.classList.remove("stale");
    this.box.setAttribute("aria-expanded", String(this.hits.length > 0));
  }

  #clicked(event) {
    const element = event.target.closest(".hit");
    if (!element) return;
    const hit = this.chooseItem(element.dataset.item);
    if (event.ctrlKey || event.metaKey) window.open(`/open/${encodeURIComponent(hit.item)}`, "_blank", "noopener");
    else this.listener.onOpen(hit);
  }
}
