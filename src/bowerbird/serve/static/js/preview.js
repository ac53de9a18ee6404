/** The preview of one item: what it is, what was found in it, and the thing itself. */

import * as api from "./api.js";
import { fill, h, icon, worded } from "./dom.js";
import { KIND, counted, fullDate, names, size, trail, when } from "./format.js";
import { imageView, pagesView, playerView } from "./preview_body.js";
import { showPassage, textView } from "./preview_text.js";
import { trailOf } from "./results.js";
import { marked, termsOf } from "./text.js";
import { copy, toast } from "./toast.js";
import { Why } from "./why.js";

const narrow = matchMedia("(max-width: 1180px)");

export class Preview {
  /**
   * @param {HTMLElement} place
   * @param {{linkTo: (id: string) => string, onClose: () => void, atRest: () => Node, outside: () => HTMLElement[],
   *   asked: (id: string) => {query: string, found: boolean}}} page `asked`: the query, and whether an item is in the list
   */
  constructor(place, page) {
    this.place = place;
    this.page = page;
    this.id = "";
    this.abort = new AbortController();
    this.why = null;
  }

  /** Whether the preview lies over the list, as a drawer or a sheet. */
  get covers() {
    return narrow.matches;
  }

  /** Show what stands there while nothing is previewed. */
  rest() {
    if (!this.id) fill(this.place, this.page.atRest());
  }

  /** @param {string} id @param {any} [hit] the hit, where the item was found by a search */
  async open(id, hit) {
    this.abort.abort();
    this.abort = new AbortController();
    const { signal } = this.abort;
    this.id = id;
    this.why = null;
    try {
      const item = await api.item(id, signal);
      if (signal.aborted) return;
      this.#draw(item, hit?.passages ?? [], signal);
    } catch (problem) {
      if (problem.name === "AbortError") return;
      this.#frame(h("h2", {}, "This item cannot be shown"), [], h("p", {}, worded(problem.message)), h("p", {}, worded(problem.remedy ?? "")));
    }
    this.#cover(true);
  }

  /** Close it. @returns {boolean} whether it was open */
  close() {
    if (!this.id) return false;
    this.abort.abort();
    this.id = "";
    this.#cover(false);
    this.rest();
    this.page.onClose();
    return true;
  }

  /** The query, or what it found, has changed. */
  explain() {
    if (!this.id) return;
    const { query, found } = this.page.asked(this.id);
    this.why?.ask(query, found);
  }

  #cover(on) {
    const covering = on && this.covers;
    this.place.classList.toggle("open", on);
    for (const element of this.page.outside()) element.inert = covering;
    if (covering) {
      this.place.setAttribute("role", "dialog");
      this.place.setAttribute("aria-modal", "true");
      this.place.querySelector("[data-close]")?.focus();
    } else {
      this.place.setAttribute("role", "complementary");
      this.place.removeAttribute("aria-modal");
    }
  }

  #frame(title, head, ...body) {
    const close = h("button", { class: "round", type: "button", "aria-label": "Close the preview", data: { close: "" }, on: { click: () => this.close() } }, icon("close"));
    this.body = h("div", { class: "pane-body", tabindex: "0", role: "region", "aria-label": "Content" }, body);
    fill(this.place, h("div", { class: "pane" },
      h("div", { class: "pane-head" }, h("div", { class: "pane-title" }, title, close), head), this.body));
  }

  #draw(item, passages, signal) {
    const facts = [KIND[item.kind] ?? item.kind, size(item.size), item.pages > 1 && counted(item.pages, item.kind === "presentation" ? "slide" : "page"),
      item.modified && h("time", { datetime: item.modified, title: fullDate(item.modified) }, when(item.modified)), names(item.people)];
    this.why = new Why(item.item, signal);
    this.#frame(
      [h("span", { class: "tile" }, icon(item.kind)), h("h2", {}, item.title)],
      [trailOf(trail(item.source, item.path), item.title === item.name ? "" : item.name),
        h("div", { class: "facts" }, facts.filter(Boolean).map((fact) => h("span", {}, fact))), this.#actions(item)]);
    this.body.append(this.why.panel);
    this.explain();
    if (item.error) this.body.append(h("p", { class: "aside" }, `Its content could not be read: ${item.error}`));
    this.#content(item, passages, signal);
  }

  #actions(item) {
    const button = (name, text, click) => h("button", { class: "button", type: "button", on: { click } }, icon(name), text);
    return h("div", { class: "actions" },
      h("a", { class: "button primary", href: api.original(item.item), target: "_blank", rel: "noopener" }, icon("open"), "Open"),
      button("link", "Copy link", () => copy(new URL(this.page.linkTo(item.item), location.origin).href, "Link copied")),
      item.uri.startsWith("file:") && button("folder", "Show in folder", () => reveal(item)),
      this.why.button);
  }

  #content(item, passages, signal) {
    const terms = termsOf(passages);
    const quotes = passages.length > 1 || item.preview === "pages" && passages.length ? h("div", { class: "quotes", role: "group", "aria-label": "Passages found" }) : null;
    const stage = h("div", {});
    const media = item.preview === "audio" || item.preview === "video" ? playerView(item) : null;
    const pages = item.preview === "pages" ? pagesView(item.item, item.pages ?? 0, passages[0]?.page ?? 1) : null;
    let mode = pages ? "pages" : "text";
    let at = 0;
    const showText = async () => {
      const passage = passages[at] ?? { start: 0, end: 0 };
      const view = await textView(item.item, passage, terms, { signal, onSeek: media?.seek, leaf: item.kind === "presentation" ? "Slide" : "Page" }).catch((problem) =>
        problem.name === "AbortError" ? null : h("p", { class: "aside" }, problem.message));
      if (!view || signal.aborted || mode !== "text") return;
      stage.replaceChildren(view);
      if (passage.end) showPassage(view, this.body);
    };
    const show = () => (mode === "pages" ? stage.replaceChildren(pages.element) : showText());
    if (quotes) fillQuotes(quotes, passages, (chosen) => {
      at = chosen;
      if (mode === "pages" && passages[at].page) pages.go(passages[at].page);
      else show();
    });
    const tools = pages && modes(pages.tools, (chosen) => { mode = chosen; show(); });
    fill(this.body, [...this.body.children], media?.element, item.preview === "image" && imageView(item), quotes, tools, stage);
    show();
  }
}

function modes(pager, choose) {
  const button = (mode, text, pressed) => h("button", { type: "button", "aria-pressed": String(pressed), on: { click: (event) => {
    for (const other of event.currentTarget.parentElement.children) other.setAttribute("aria-pressed", String(other === event.currentTarget));
    pager.hidden = mode !== "pages";
    choose(mode);
  } } }, text);
  return h("div", { class: "body-tools" },
    h("div", { class: "segments", role: "group", "aria-label": "Shown as" }, button("pages", "Page", true), button("text", "Text", false)), pager);
}

function fillQuotes(place, passages, choose) {
  fill(place, passages.map((passage, at) =>
    h("button", { class: "quote", type: "button", "aria-pressed": String(at === 0), on: { click: (event) => {
      for (const other of place.children) other.setAttribute("aria-pressed", String(other === event.currentTarget));
      choose(at);
    } } }, h("span", { class: "words" }, marked(passage.text, passage.highlights)),
      passage.place && h("span", { class: "place" }, passage.place))));
}

async function reveal(item) {
  try {
    await api.reveal(item.item);
    toast("The folder is open in the file manager.");
  } catch (problem) {
    if (problem.path) await copy(problem.path, `${problem.message} The path was copied: ${problem.path}`);
    else toast(problem.message);
  }
}

