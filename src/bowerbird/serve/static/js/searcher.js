/** Asks the server while somebody types, and makes sure that only the newest answer is shown. */

import * as api from "./api.js";

const PAUSE = 70; // milliseconds without a key before a search is sent: by words, the last of which may be unfinished
const SETTLED = 350; // and so much later the whole search, by words and meaning
const FIRST = 20; // hits in the first answer; more come when asked for
const EVERYTHING = "after:1970"; // asked when the box is empty: a query of filters only lists the newest first

export const ZONE = Intl.DateTimeFormat().resolvedOptions().timeZone ?? ""; // whose days `today` and `march` are

/** @typedef {{q: string, sort: string, pipeline?: string}} Wanted */

/** @param {Wanted} wanted */
const query = ({ q, sort, pipeline = "hybrid" }) => ({ q: q.trim() || EVERYTHING, sort, pipeline, limit: FIRST, zone: ZONE });

export class Searcher {
  /**
   * @param {{
   *   onStart: () => void,
   *   onAnswer: (answer: any, asked: Wanted) => void,
   *   onMore: (answer: any) => void,
   *   onError: (problem: Error) => void,
   * }} listener
   */
  constructor(listener) {
    this.listener = listener;
    this.number = 0; // counts searches: an answer with an older number is stale
    this.timers = [0, 0];
    this.abort = new AbortController();
    this.asked = { q: "", sort: "relevance" };
    this.cursor = "";
    this.loading = false;
  }

  /**
   * Search after a short pause, or at once.
   * @param {Wanted} wanted @param {boolean} [now]
   */
  ask(wanted, now = false) {
    this.hold();
    this.number += 1;
    this.abort.abort();
    if (now || !wanted.q.trim()) {
      this.#send(wanted);
      return;
    }
    this.timers = [
      setTimeout(() => this.#send({ ...wanted, pipeline: "typing" }), PAUSE),
      setTimeout(() => this.#send(wanted), PAUSE + SETTLED),
    ];
  }

  /** Send nothing more for what was typed: the list must not change under somebody who walks through it. */
  hold() {
    this.timers.forEach(clearTimeout);
  }

  /** Ask the last question again. */
  again() {
    this.ask(this.asked, true);
  }

  /** Ask for the next hits of the list that is shown. */
  async more() {
    if (!this.cursor || this.loading) return;
    this.hold();
    const number = this.number;
    this.loading = true;
    try {
      const answer = await api.search({ ...query(this.asked), cursor: this.cursor }, this.abort.signal);
      if (number !== this.number) return;
      this.cursor = answer.cursor;
      this.listener.onMore(answer);
    } catch (problem) {
      if (number === this.number && problem.name !== "AbortError") this.listener.onError(problem);
    } finally {
      this.loading = false;
    }
  }

  /** @param {Wanted} wanted */
  async #send(wanted) {
    const number = ++this.number;
    this.abort.abort();
    this.abort = new AbortController();
    this.listener.onStart();
    try {
      const answer = await api.search(query(wanted), this.abort.signal);
      if (number !== this.number) return;
      this.asked = wanted;
      this.cursor = answer.cursor;
      this.listener.onAnswer(answer, wanted);
    } catch (problem) {
      if (number !== this.number || problem.name === "AbortError") return;
      this.asked = wanted;
      this.listener.onError(problem);
    }
  }
}
