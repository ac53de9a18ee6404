/** Saved searches: the star that keeps the present one, the list beside the results, and the dialog that looks after them. */

import { ask, fresh, row, single, text } from "./admin/dialog.js";
import { linkTo } from "./address.js";
import * as api from "./api.js";
import { fill, h, icon } from "./dom.js";
import { toast } from "./toast.js";

const SHOWN = 6;
const LONGEST_NAME = 100;

/** @typedef {{id: string, name: string, query: string, sort: string}} SavedSearch */

const byName = (one, other) => one.name.localeCompare(other.name);

/** A field for a name, with what it holds chosen. @param {string} value */
function nameRow(value, hint) {
  const field = text("name", { value, maxlength: LONGEST_NAME, required: true, autofocus: true });
  field.addEventListener("focus", () => field.select(), { once: true });
  return row("Name", field, hint);
}

export class Saved {
  /**
   * @param {HTMLElement} place where the list stands
   * @param {HTMLButtonElement | null} star keeps the present search; null where nothing can be changed
   * @param {{now: () => {q: string, sort: string}, run: (saved: SavedSearch) => void}} page
   */
  constructor(place, star, page) {
    this.place = place;
    this.star = star;
    this.page = page;
    /** @type {SavedSearch[]} */
    this.list = [];
    this.unfolded = false;
    star?.addEventListener("click", single(() => (this.#present() ? this.#drop(this.#present()) : this.#keep())));
  }

  async load() {
    this.list = (await api.saved()).saved;
    this.show();
  }

  /** Show the list, and whether the present search is in it. */
  show() {
    const present = this.#present();
    if (this.star) {
      this.star.hidden = !this.page.now().q.trim();
      this.star.setAttribute("aria-pressed", String(Boolean(present)));
      this.star.title = present ? `Saved as ${present.name}` : "Save this search";
    }
    const all = this.unfolded || this.list.length <= SHOWN + 1;
    const shown = all ? this.list : this.list.filter((one, at) => at < SHOWN || one === present);
    const focused = document.activeElement?.dataset?.facet;
    this.place.hidden = !this.list.length;
    fill(this.place, h("h2", {}, "Saved"), shown.map((one) => this.#link(one, one === present)),
      !all && this.#button("saved:more", `${this.list.length - shown.length} more`, () => { this.unfolded = true; this.show(); }),
      this.star && this.#button("saved:edit", "Edit …", single(() => this.#edit())));
    if (focused?.startsWith("saved:")) this.place.querySelector(`[data-facet="${CSS.escape(focused)}"]`)?.focus();
  }

  #present() {
    const { q, sort } = this.page.now();
    return this.list.find((one) => one.query === q.trim() && one.sort === sort);
  }

  #link(one, present) {
    const run = (event) => {
      if (event.ctrlKey || event.metaKey || event.shiftKey) return; // into another tab
      event.preventDefault();
      this.page.run(one);
    };
    return h("a", { href: linkTo({ q: one.query, sort: one.sort, item: "" }), title: one.query, data: { facet: `saved:${one.id}` },
      "aria-current": present && "true", on: { click: run } }, icon("star"), h("span", { class: "label" }, one.name));
  }

  #button(id, label, click) {
    return h("button", { class: "unfold", type: "button", data: { facet: id }, on: { click } }, label);
  }

  async #keep() {
    const { q, sort } = this.page.now();
    const query = q.trim();
    const made = await ask({
      title: "Save this search", action: "Save",
      body: [nameRow(query.slice(0, LONGEST_NAME)), h("p", { class: "aside" }, h("code", {}, query), sort === "date" && ", newest first")],
      run: ({ name }) => api.save({ name, query, sort }),
    });
    if (made) this.#put(made);
    this.star?.focus();
  }

  async #drop(one) {
    await api.forgetSaved(one.id);
    this.#take(one);
    toast(`${one.name} is no longer saved.`, 8, { label: "Undo", run: single(async () => this.#put(await api.save(one))) });
  }

  #put(one) {
    this.list = [...this.list.filter(({ id }) => id !== one.id), one].sort(byName);
    this.show();
  }

  #take(one) {
    this.list = this.list.filter(({ id }) => id !== one.id);
    this.show();
  }

  /** Open the dialog with all of them. */
  async #edit() {
    await this.load();
    const rows = h("ul", { class: "saved-rows" }, this.list.map((one) => this.#row(one)));
    const form = h("form", { method: "dialog" }, h("h2", { id: fresh() }, "Saved searches"), rows,
      h("div", { class: "buttons" }, h("button", { class: "button primary", type: "submit", autofocus: true }, "Done")));
    const dialog = h("dialog", { class: "asking wide", "aria-labelledby": form.querySelector("h2").id }, form);
    dialog.addEventListener("close", () => {
      dialog.remove();
      this.place.querySelector('[data-facet="saved:edit"]')?.focus();
    });
    document.body.append(dialog);
    dialog.showModal();
  }

  #row(one) {
    const act = (name, label, run) => h("button", { class: "round", type: "button", title: label, "aria-label": `${label} ${one.name}`, on: { click: single(run) } }, icon(name));
    const element = h("li", {}, h("div", {}, h("b", {}, one.name), h("code", {}, one.query)),
      act("pen", "Rename", () => this.#rename(one, element)), act("trash", "Delete", () => this.#remove(one, element)));
    return element;
  }

  async #rename(one, element) {
    const made = await ask({ title: "Rename", action: "Rename", body: nameRow(one.name), run: ({ name }) => api.changeSaved(one.id, { name }) });
    if (!made) return;
    this.#put(made);
    this.#replaced(element, this.#row(made), '[title="Rename"]');
  }

  async #remove(one, element) {
    await api.forgetSaved(one.id);
    this.#take(one);
    const undo = single(async () => {
      const made = await api.save(one);
      this.#put(made);
      this.#replaced(gone, this.#row(made), '[title="Delete"]');
    });
    const gone = h("li", { class: "gone" }, h("div", { role: "status" }, `${one.name} is deleted.`), h("button", { class: "button quiet", type: "button", on: { click: undo } }, "Undo"));
    this.#replaced(element, gone, "button");
  }

  #replaced(old, next, focused) {
    old.replaceWith(next);
    next.querySelector(focused)?.focus();
  }
}
