/** Asks the server while somebody types, and makes sure that only the newest answer is shown. */

import * as api from "./api.js";

const PAUSE = 70; // milliseconds without a key before a search is sent
const FIRST = 20; // hits in the first answer; more come when asked for

export class Searcher {
  /**
   * @param {{
   *   onStart: () => void,
   *   onAnswer: (answer: any, asked: {q: string, sort: string}) => void,
   *   onMore: (answer: any) => void,
   *   onError: (problem: Error) => void,
   * }} listener
   */
  constructor(listener) {
    this.listener = listener;
    this.number = 0; // counts searches: an answer with an older number is stale
    this.timer = 0;
    this.abort = new AbortController();
    this.asked = { q: "", sort: "relevance" };
    this.cursor = "";
    this.loading = false;
  }

  /**
   * Search after a short pause, or at once.
   * @param {{q: string, sort: string}} wanted @param {boolean} [now]
   */
  ask(wanted, now = false) {
    clearTimeout(this.timer);
    this.number += 1;
    this.abort.abort();
    if (now) this.#send(wanted);
    else this.timer = setTimeout(() => this.#send(wanted), PAUSE);
  }

  /** Ask the last question again. */
  again() {
    this.ask(this.asked, true);
  }

  /** Ask for the next hits of the list that is shown. */
  async more() {
    if (!this.cursor || this.loading) return;
    const number = this.number;
    this.loading = true;
    try {
      const answer = await api.search({ ...this.asked, cursor: this.cursor, limit: FIRST }, this.abort.signal);
      if (number !== this.number) return;
      this.cursor = answer.cursor;
      this.listener.onMore(answer);
    } catch (problem) {
      if (number === this.number && problem.name !== "AbortError") this.listener.onError(problem);
    } finally {
      this.loading = false;
    }
  }

  async #send(wanted) {
    const number = ++this.number;
    this.abort = new AbortController();
    this.asked = wanted;
    this.listener.onStart();
    try {
      const answer = await api.search({ ...wanted, limit: FIRST }, this.abort.signal);
      if (number !== this.number) return;
      this.cursor = answer.cursor;
      this.listener.onAnswer(answer, wanted);
    } catch (problem) {
      if (number === this.number && problem.name !== "AbortError") this.listener.onError(problem);
    }
  }
}
