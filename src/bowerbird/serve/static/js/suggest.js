/** The list under the search box while somebody types: a listbox that the box steers (ARIA 1.2 combobox). */

import { call } from "./api.js";
import { h, icon } from "./dom.js";
import { KIND } from "./format.js";
import { marked } from "./text.js";

const PAUSE = 50; // milliseconds without a key before it is asked what fits
const LONGEST = 400; // characters of a query that is remembered
const GROUPS = { query: "Past searches", item: "Items", person: "People", folder: "Folders", source: "Sources", operator: "Narrow by", value: "Narrow by" };
const ICONS = { query: "past", person: "contact", folder: "folder", source: "disk", operator: "sliders" };

/** @typedef {{kind: string, text: string, label: string, detail: string, highlights: Array<[number, number]>, item: string, icon: string}} Suggestion */

/** Keep a query that somebody looked into, for them alone. One that cannot be kept disturbs nobody. @param {string} text */
export function remember(text) {
  const plain = text.trim();
  if (!plain || plain.length > LONGEST || document.querySelector("[data-viewing]")) return;
  call("POST", "/api/me/queries", { body: { text: plain } }).catch(() => undefined);
}

export class Suggestions {
  /**
   * @param {HTMLElement} list @param {HTMLInputElement} box
   * @param {{onText: (text: string, done: boolean) => void, onItem: (id: string, direct: boolean) => void}} listener
   */
  constructor(list, box, listener) {
    this.list = list;
    this.box = box;
    this.listener = listener;
    this.shown = /** @type {Suggestion[]} */ ([]);
    this.at = -1;
    this.number = 0; // counts questions: an answer to an older one is stale
    this.timer = 0;
    this.abort = new AbortController();
    box.addEventListener("input", () => this.ask());
    box.addEventListener("blur", () => this.close());
    box.addEventListener("pointerup", () => { if (!box.value && !this.open) this.ask(0); });
    box.addEventListener("keydown", (event) => this.#key(event));
    list.addEventListener("mousedown", (event) => event.preventDefault()); // the box keeps the focus
    list.addEventListener("click", (event) => this.#clicked(event));
  }

  /** @returns {boolean} whether the list is there */
  get open() {
    return this.shown.length > 0;
  }

  /** Ask what fits what is typed before the caret. @param {number} [pause] in milliseconds */
  ask(pause = PAUSE) {
    clearTimeout(this.timer);
    const number = ++this.number;
    this.abort.abort();
    this.timer = setTimeout(() => this.#send(number), pause);
  }

  /** Take the list away, and show no answer that is under way. */
  close() {
    clearTimeout(this.timer);
    this.number += 1;
    this.abort.abort();
    this.#show([]);
  }

  /** Say in the box again which option is chosen: the list of results says so, too. */
  mark() {
    if (!this.open) return;
    this.box.setAttribute("aria-expanded", "true");
    this.box.setAttribute("aria-controls", this.list.id);
    const chosen = this.#options()[this.at];
    if (chosen) this.box.setAttribute("aria-activedescendant", chosen.id);
    else this.box.removeAttribute("aria-activedescendant");
  }

  async #send(number) {
    this.abort = new AbortController();
    const { signal } = this.abort;
    try {
      const answer = await call("GET", "/api/suggest", { query: { q: this.#before(), limit: 5 }, signal });
      if (number === this.number && document.activeElement === this.box) this.#show(answer.suggestions);
    } catch {
      if (number === this.number) this.#show([]); // the search itself says what is wrong
    }
  }

  #before() {
    return this.box.value.slice(0, this.box.selectionStart ?? undefined);
  }

  #options() {
    return [...this.list.querySelectorAll('[role="option"]')];
  }

  /** @param {Suggestion[]} suggestions */
  #show(suggestions) {
    const before = this.open;
    this.shown = suggestions;
    this.at = -1;
    this.list.replaceChildren(...groupsOf(suggestions));
    this.list.hidden = !this.open;
    this.list.scrollTop = 0;
    this.box.form.classList.toggle("suggesting", this.open);
    if (this.open) this.mark();
    else if (before) {
      this.box.setAttribute("aria-controls", "hits");
      this.box.setAttribute("aria-expanded", String(!document.getElementById("hits")?.hidden));
      this.box.removeAttribute("aria-activedescendant");
    }
  }

  #choose(at) {
    const options = this.#options();
    options[this.at]?.setAttribute("aria-selected", "false");
    this.at = at;
    options[at]?.setAttribute("aria-selected", "true");
    options[at]?.scrollIntoView({ block: "nearest" });
    this.mark();
  }

  #key(event) {
    if (event.isComposing) return;
    const modified = event.ctrlKey || event.metaKey;
    if (event.altKey && event.key === "ArrowDown") return take(event, () => this.ask(0));
    if (!this.open || (event.altKey && event.key !== "ArrowUp")) return;
    if (event.key === "ArrowDown" && !modified) {
      if (this.at + 1 < this.shown.length) take(event, () => this.#choose(this.at + 1));
      else this.close(); // and on to the results
    } else if (event.key === "ArrowUp" && !modified) {
      take(event, () => (this.at < 0 || event.altKey ? this.close() : this.#choose(this.at - 1)));
    } else if (event.key === "Enter" && this.at >= 0) take(event, () => this.#take(this.shown[this.at], modified));
    else if (event.key === "Enter") this.close(); // it is the results that are meant
    else if (event.key === "Escape") take(event, () => this.close());
    else if (event.key === "Delete" && event.shiftKey && this.shown[this.at]?.kind === "query") {
      take(event, () => this.#forget(this.shown[this.at]));
    }
  }

  #clicked(event) {
    const option = event.target.closest('[role="option"]');
    if (!option) return;
    const suggestion = this.shown[this.#options().indexOf(option)];
    if (event.target.closest("[data-forget]")) this.#forget(suggestion);
    else this.#take(suggestion, event.ctrlKey || event.metaKey);
  }

  /** @param {Suggestion} suggestion @param {boolean} direct whether an item is opened at once, in a tab of its own */
  #take(suggestion, direct) {
    const rest = this.box.value.slice(this.box.selectionStart ?? this.box.value.length).trim();
    this.close();
    if (suggestion.kind === "item") return this.listener.onItem(suggestion.item, direct);
    const text = suggestion.text.trimEnd();
    const unfinished = suggestion.kind === "operator";
    this.listener.onText(rest ? `${text} ${rest}` : suggestion.text, suggestion.kind === "query");
    this.box.focus();
    const caret = rest ? text.length : suggestion.text.length;
    this.box.setSelectionRange(caret, caret);
    if (unfinished) this.ask(0);
  }

  async #forget(suggestion) {
    await call("DELETE", "/api/me/queries", { query: { text: suggestion.text } });
    this.ask(0);
  }
}

function take(event, action) {
  event.preventDefault();
  action();
}

/** @param {Suggestion[]} suggestions @returns {HTMLElement[]} a group for each kind, in their order */
function groupsOf(suggestions) {
  const groups = [];
  suggestions.forEach((suggestion, at) => {
    const title = GROUPS[suggestion.kind];
    if (groups.at(-1)?.title !== title) groups.push({ title, options: [] });
    groups.at(-1).options.push(option(suggestion, at));
  });
  return groups.map(({ title, options }, at) =>
    h("div", { class: "suggest-group", role: "group", "aria-labelledby": `suggest-title-${at}` },
      h("div", { class: "suggest-title", role: "presentation", id: `suggest-title-${at}` }, title), options));
}

/** @param {Suggestion} suggestion @param {number} at */
function option({ kind, label, detail, highlights, icon: name }, at) {
  if (kind === "value" && name) detail ||= KIND[name] ?? "";
  const about = kind === "item" ? `${KIND[name] ?? KIND.other}, ${detail}` : detail;
  return h("div", { class: `suggestion ${kind}`, role: "option", id: `suggestion-${at}`, "aria-selected": "false", title: about ? `${label} · ${about}` : label },
    icon(ICONS[kind] || name || "sliders"),
    h("span", { class: "label" }, marked(label, highlights)),
    detail && h("span", { class: "detail" }, kind === "item" && h("span", { class: "unseen" }, `${KIND[name] ?? KIND.other}, `), detail),
    kind === "query" && h("span", { class: "forget", "aria-hidden": "true", title: "Forget it (Shift Delete)", data: { forget: "" } }, icon("close")));
}
