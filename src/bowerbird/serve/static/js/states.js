/** What stands in place of results: loading, nothing found, an error, nobody there, signed out. */

import { ApiError, OfflineError } from "./api.js";
import { fill, h, icon, worded } from "./dom.js";
import { chipsOf, withoutFilters } from "./operators.js";

const button = (text, click, primary = false) =>
  h("button", { class: `button${primary ? " primary" : ""}`, type: "button", on: { click } }, text);

function card(name, title, ...rest) {
  return h("div", { class: "state-card" }, icon(name), h("h2", {}, title), rest);
}

/** Grey rows for the first load; they appear only when it takes a moment. @param {HTMLElement} place */
export function loading(place) {
  place.hidden = false;
  fill(place, [1, 2, 3, 4].map(() => h("div", { class: "ghost" })));
}

/**
 * @param {HTMLElement} place @param {string} text the query @param {string[]} hints
 * @param {(text: string) => void} edit
 */
export function nothing(place, text, hints, edit) {
  const filters = chipsOf(text);
  const said = [...hints];
  if (filters.length) said.push("The filters may be too narrow.");
  else if (!hints.length) said.push("Check the spelling, or try fewer or other words.");
  place.hidden = false;
  fill(place, card("search", "Nothing found", h("ul", {}, said.map((line) => h("li", {}, worded(line)))),
    h("div", { class: "state-actions" },
      filters.length > 0 && button("Remove the filters", () => edit(withoutFilters(text)), true),
      button("Clear the search", () => edit("")))));
}

/** @param {HTMLElement} place @param {Error} problem @param {() => void} retry */
export function failed(place, problem, retry) {
  place.hidden = false;
  if (problem instanceof OfflineError) {
    fill(place, card("offline", "Bowerbird is not running", h("p", {}, "Start it with ", h("code", {}, "bowerbird serve"),
      ". This page tries again by itself."), h("div", { class: "state-actions" }, button("Try again", retry, true))));
  } else if (problem instanceof ApiError && problem.status === 401) {
    fill(place, card("alert", "You are signed out", h("p", {}, "The server was started anew. Open the link that ",
      h("code", {}, "bowerbird serve"), " prints."), h("div", { class: "state-actions" }, button("Try again", retry, true))));
  } else {
    fill(place, card("alert", "That did not work", h("p", {}, worded(problem.message)), problem.remedy && h("p", {}, worded(problem.remedy)),
      h("div", { class: "state-actions" }, button("Try again", retry, true)), problem.code && h("p", { class: "aside" }, h("code", {}, problem.code))));
  }
}

/** @param {HTMLElement} place shows the way into an empty library @param {(form: HTMLFormElement) => void} wire */
export function empty(place, wire) {
  place.hidden = false;
  if (place.querySelector(".empty-library")) return; // somebody may be typing in it
  fill(place, document.getElementById("empty-library").content.cloneNode(true));
  const form = place.querySelector("form");
  if (form) wire(form); // only admins add folders
}

/** @param {HTMLElement} place */
export function none(place) {
  place.hidden = true;
  place.replaceChildren();
}
