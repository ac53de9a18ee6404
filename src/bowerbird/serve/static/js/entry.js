/**
 * A form before one is signed in: sends what was typed, says why it was refused, and clears what is secret. Its method is
 * POST in the page, so that without this script nothing of it gets into an address.
 */

import { fill, worded } from "./dom.js";

/**
 * @param {HTMLFormElement} form with a `.refused` and a submit button
 * @param {(values: Record<string, string>) => Promise<void>} send may throw: the form then says why
 */
export function wireEntry(form, send) {
  const refused = form.querySelector(".refused");
  const button = form.querySelector("[type=submit]");
  form.addEventListener("input", () => fill(refused));
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    button.disabled = true;
    try {
      await send(Object.fromEntries(new FormData(form)));
    } catch (problem) {
      fill(refused, worded(`${problem.message} ${problem.remedy ?? ""}`.trim()));
      const secret = form.querySelector("[type=password]");
      secret.value = "";
      secret.focus();
    }
    button.disabled = false;
  });
}
