/** The form that adds a folder: it first says what would be read, then asks. */

import * as api from "./api.js";
import { fill, h, worded } from "./dom.js";
import { counted, duration, size } from "./format.js";

/**
 * @param {HTMLFormElement} form
 * @param {(answer: any) => void} onAdded
 */
export function wireAddForm(form, onAdded) {
  const answer = form.querySelector("[data-add-answer]");
  const field = form.elements.namedItem("location");
  const say = (bad, ...content) => {
    answer.classList.toggle("bad", bad);
    fill(answer, ...content);
  };
  const refuse = (problem) => say(true, h("p", {}, worded(`${problem.message} ${problem.remedy ?? ""}`)));
  field.addEventListener("input", () => fill(answer));
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const location = field.value.trim();
    if (!location) return;
    say(false, h("p", {}, "Looking into the folder …"));
    try {
      const preview = await api.previewFolder(location);
      const time = preview.seconds_estimate ? `, about ${duration(preview.seconds_estimate)} to read` : "";
      const confirm = h("button", { class: "button primary", type: "button" }, "Add it");
      confirm.addEventListener("click", () => add(location, confirm));
      say(false, h("p", {}, `${counted(preview.files, "file")}, ${size(preview.bytes)}${time}.`), confirm);
      confirm.focus();
    } catch (problem) {
      refuse(problem);
    }
  });

  async function add(location, confirm) {
    confirm.disabled = true;
    try {
      const added = await api.addFolder(location);
      field.value = "";
      say(false, h("p", {}, `${added.source.name} is being read. What is read can be found at once.`));
      onAdded(added);
    } catch (problem) {
      refuse(problem);
    }
  }
}
