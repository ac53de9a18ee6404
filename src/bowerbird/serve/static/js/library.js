/** Watches how the library stands: the pill in the bar, the note about a partial index, what the page shows at rest. */

import * as api from "./api.js";
import { fill, h, icon } from "./dom.js";
import { count, counted, when } from "./format.js";

const BUSY = 2_000; // milliseconds between looks while something is indexed
const IDLE = 30_000;

export class LibraryWatch {
  /**
   * @param {HTMLElement | null} pill null where the page is not an admin's: then there is nothing to watch
   * @param {HTMLElement} notice
   * @param {(status: any, before: any) => void} onChange
   */
  constructor(pill, notice, onChange) {
    this.pill = pill;
    this.notice = notice;
    this.onChange = onChange;
    this.status = null;
    this.timer = 0;
  }

  /** Look now, and again from time to time while the page is visible. */
  async look() {
    clearTimeout(this.timer);
    if (!this.pill) return;
    try {
      const before = this.status;
      this.status = await api.status();
      this.#show();
      this.onChange(this.status, before);
    } catch (problem) {
      this.pill.className = "pill bad";
      this.pill.querySelector("[data-pill-text]").textContent = problem instanceof api.OfflineError ? "Not running" : "Library";
    }
    this.timer = setTimeout(() => (document.hidden ? this.#wait() : this.look()), isBusy(this.status) ? BUSY : IDLE);
  }

  #wait() {
    document.addEventListener("visibilitychange", () => this.look(), { once: true });
  }

  #show() {
    const { items, pending, pending_vectors: vectors } = this.status;
    const busy = isBusy(this.status);
    this.pill.className = `pill ${busy ? "busy" : "ready"}`;
    this.pill.querySelector("[data-pill-text]").textContent =
      pending ? `${count(items - pending)} of ${count(items)}` : busy ? "Indexing" : counted(items, "item");
    this.notice.hidden = !pending && !vectors;
    const text = pending
      ? `${count(items - pending)} of ${counted(items, "item")} are searchable${vectors ? "; meanings follow" : ""}.`
      : `All ${counted(items, "item")} are searchable by words; ${count(vectors)} still wait for their meaning.`;
    if (this.notice.textContent !== text) fill(this.notice, icon("sync"), h("p", {}, text));
  }
}

/** @param {any} status @returns {boolean} */
export function isBusy(status) {
  return Boolean(status && (status.pending || status.pending_vectors || status.jobs.some((job) => ["queued", "running"].includes(job.state))));
}

/** What stands beside the list while nothing is previewed. @param {any} status @returns {HTMLElement} */
export function atRest(status) {
  if (!status) return h("div", {});
  return h("div", { class: "at-rest" },
    h("div", {}, h("h2", {}, "In your library"), h("p", { class: "big" }, count(status.items)),
      h("p", { class: "aside" }, `items, ${counted(status.passages, "passage")}`)),
    h("ul", { class: "shelf" }, status.sources.map((source) =>
      h("li", {}, icon("folder"), h("span", { class: "name", title: source.location }, source.name),
        h("span", { class: "aside" }, source.last_sync ? `read ${when(source.last_sync)}` : "not read yet"),
        h("span", { class: "number" }, count(source.items))))),
    h("dl", { class: "tips keys" },
      h("div", {}, h("dt", {}, h("kbd", {}, "↓"), " ", h("kbd", {}, "Enter")), h("dd", {}, "choose and preview")),
      h("div", {}, h("dt", {}, h("code", {}, "type:pdf")), h("dd", {}, "narrow by typing")),
      h("div", {}, h("dt", {}, h("kbd", {}, "?")), h("dd", {}, "all keys and operators"))));
}
