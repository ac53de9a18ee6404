/** A part of a page that is loaded: grey rows at first, then what there is, or why not and "Try again". */

import * as api from "../api.js";
import { fill, h, icon, worded } from "../dom.js";
import { toast } from "../toast.js";

/** @param {string} text @param {boolean} [good] whether it is good that there is nothing */
export const none = (text, good = false) => h("p", { class: "none" }, good && icon("check"), worded(text));

/** @param {Error} problem @param {() => void} retry @returns {HTMLElement} */
export function trouble(problem, retry) {
  const offline = problem instanceof api.OfflineError;
  const text = offline ? "Bowerbird does not answer. Start it with `bowerbird serve`." : `${problem.message} ${problem.remedy ?? ""}`;
  return h("div", { class: "trouble", role: "alert" }, icon(offline ? "offline" : "alert"), h("p", {}, worded(text.trim())),
    h("button", { class: "button", type: "button", on: { click: retry } }, "Try again"));
}

/** Where the focus is within an element, to be found again after it was filled anew. */
function focusIn(place) {
  const held = place.contains(document.activeElement) ? document.activeElement.closest("[data-focus]") : null;
  return held?.dataset.focus;
}

/** Put the focus back; where its element is gone, to the place itself, so that Tab goes on from there. */
function focusAgain(place, name) {
  const again = [...place.querySelectorAll("[data-focus]")].find((element) => element.dataset.focus === name);
  if (!again) place.tabIndex = -1;
  (again ?? place).focus({ preventScroll: true });
}

export class Section {
  /**
   * @param {HTMLElement} place what is filled
   * @param {() => Promise<any>} load @param {(answer: any) => unknown} show what to fill the place with
   * @param {(answer: any) => number} [pace] seconds until it looks again, 0 for never
   */
  constructor(place, load, show, pace = () => 0) {
    Object.assign(this, { place, load, show, pace, state: "", timer: 0, turn: 0 });
    fill(place, h("div", { class: "waiting" }), h("div", { class: "waiting" }));
    place.setAttribute("aria-busy", "true");
  }

  /** Load and show; what has not changed is left alone, and the focus stays where it is. */
  async look() {
    clearTimeout(this.timer);
    const turn = ++this.turn;
    try {
      const answer = await this.load();
      if (turn !== this.turn) return;
      if (this.place.querySelector(":popover-open") || document.querySelector("dialog[open]")) return this.#again(1); // not under somebody's hand
      const state = JSON.stringify(answer);
      if (state !== this.state) this.#fill(this.show(answer));
      this.state = state;
      this.#again(this.pace(answer));
    } catch (problem) {
      if (turn !== this.turn) return;
      this.state = "";
      this.#fill(trouble(problem, () => this.look()));
      if (problem instanceof api.OfflineError) this.#again(3);
    }
  }

  #fill(content) {
    const name = focusIn(this.place);
    this.place.removeAttribute("aria-busy");
    fill(this.place, content);
    if (name) focusAgain(this.place, name);
  }

  #again(seconds) {
    if (!seconds) return;
    clearTimeout(this.timer);
    this.timer = setTimeout(() => {
      if (document.hidden) document.addEventListener("visibilitychange", () => this.look(), { once: true });
      else this.look();
    }, seconds * 1000);
  }
}

/**
 * Do something that may be refused, say what came of it, and look again.
 * @param {() => Promise<any>} action @param {string | ((answer: any) => string)} done @param {...Section} sections
 */
export async function attempt(action, done, ...sections) {
  let said = ["", 8];
  try {
    const answer = await action();
    said = [typeof done === "function" ? done(answer) : done, 4];
  } catch (problem) {
    said[0] = `${problem.message} ${problem.remedy ?? ""}`.trim();
  }
  await Promise.all(sections.map((section) => section.look()));
  toast(...said);
}
