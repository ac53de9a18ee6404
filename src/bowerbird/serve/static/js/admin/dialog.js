/** Dialogs: to ask before something is done, to fill in what is needed, and to show a secret once. */

import { fill, h, icon, worded } from "../dom.js";
import { copy, toast } from "../toast.js";

let numbered = 0;

/** @returns {string} an id that no other element has */
export const fresh = () => `field-${++numbered}`;

/**
 * A labelled field.
 * @param {string} label @param {HTMLElement} field @param {string} [hint]
 */
export function row(label, field, hint) {
  field.id ||= fresh();
  const told = hint && h("p", { class: "aside", id: `${field.id}-hint` }, worded(hint));
  if (told) field.setAttribute("aria-describedby", told.id);
  return h("div", { class: "row" }, h("label", { for: field.id }, label), field, told);
}

/** A field for one line of text. @param {string} name @param {Record<string, unknown>} [more] */
export const text = (name, more = {}) =>
  h("input", { class: "field", name, type: "text", autocomplete: "off", spellcheck: "false", maxlength: 200, ...more });

/**
 * A list to choose from. @param {string} name @param {Array<{value: string, label: string, group?: string}>} options
 * @param {string} [chosen]
 */
export function select(name, options, chosen = "") {
  const option = ({ value, label }) => h("option", { value, selected: value === chosen }, label);
  const groups = Map.groupBy ? [...Map.groupBy(options, (one) => one.group ?? "")] : [["", options]];
  return h("select", { class: "field", name, required: true },
    groups.map(([group, some]) => (group ? h("optgroup", { label: group }, some.map(option)) : some.map(option))));
}

/** A few choices, each with what it means. @param {Array<{value: string, label: string, meaning: string}>} options */
export function choices(legend, name, options, chosen) {
  return h("fieldset", { class: "row" }, h("legend", {}, legend), options.map(({ value, label, meaning }) =>
    h("label", { class: "choice" }, h("input", { type: "radio", name, value, checked: value === chosen, required: true }),
      h("b", {}, label), h("span", { class: "aside" }, meaning))));
}

/**
 * What a button does that first loads something: not twice at once, and what went wrong is said.
 * @param {(...values: any[]) => Promise<any>} run
 */
export function single(run) {
  let busy = false;
  return async (...values) => {
    if (busy) return;
    busy = true;
    try {
      await run(...values);
    } catch (problem) {
      toast(`${problem.message} ${problem.remedy ?? ""}`.trim(), 8);
    }
    busy = false;
  };
}

/**
 * Open a dialog with a form; resolves to what `run` returned, or undefined when it was cancelled.
 * @param {{title: string, body: unknown, action: string, danger?: boolean, wide?: boolean,
 *   run: (values: Record<string, string>) => Promise<any>}} what `run` may throw: the dialog then says why, and stays
 */
export function ask({ title, body, action, danger = false, wide = false, run }) {
  return new Promise((resolve) => {
    const refused = h("p", { class: "refused", role: "alert" });
    const confirm = h("button", { class: `button primary${danger ? " danger" : ""}`, type: "submit" }, action);
    const cancel = h("button", { class: "button", type: "button", on: { click: () => dialog.close() } }, "Cancel");
    const form = h("form", {}, h("h2", { id: fresh() }, title), body, refused, h("div", { class: "buttons" }, cancel, confirm));
    const dialog = opened(form, wide);
    let answer;
    form.addEventListener("input", () => fill(refused));
    form.addEventListener("submit", async (event) => {
      event.preventDefault();
      confirm.disabled = true;
      try {
        answer = (await run(Object.fromEntries(new FormData(form)))) ?? true;
        dialog.close();
      } catch (problem) {
        fill(refused, worded(`${problem.message} ${problem.remedy ?? ""}`.trim()));
        confirm.disabled = false;
      }
    });
    dialog.addEventListener("close", () => { dialog.remove(); resolve(answer); });
    dialog.showModal();
    if (danger && !form.querySelector(".field")) cancel.focus(); // Enter alone destroys nothing
  });
}

/** Like `ask`, for what cannot be undone: a word must be typed first. @param {{word: string} & Parameters<typeof ask>[0]} what */
export function askTyped({ word, body, run, ...rest }) {
  const field = text("typed", { required: true, autocapitalize: "off" });
  const check = (values) => {
    if (values.typed.trim() !== word) throw new Error(`Type \`${word}\` to go on.`);
    return run(values);
  };
  return ask({ ...rest, danger: true, body: [body, row(`To confirm, type ${word}`, field)], run: check });
}

/** Show a link that is shown once, to be copied. @param {string} title @param {unknown} body @param {string} link */
export function showLink(title, body, link) {
  const field = h("input", { class: "field", readonly: true, value: link, "aria-label": "One-time link", on: { focus: () => field.select() } });
  const button = h("button", { class: "button primary", type: "button", on: { click: () => copy(link, "The link is copied.") } }, icon("link"), "Copy");
  const close = h("button", { class: "button", type: "submit" }, "Done");
  const form = h("form", { method: "dialog" }, h("h2", { id: fresh() }, title), body, h("div", { class: "link-row" }, field, button),
    h("p", { class: "aside" }, "It is shown only now, and works once."), h("div", { class: "buttons" }, close));
  const dialog = opened(form, false);
  dialog.addEventListener("close", () => dialog.remove());
  dialog.showModal();
  button.focus();
}

/** Show something to read. @param {string} title @param {unknown} body */
export function tell(title, body) {
  const form = h("form", { method: "dialog" }, h("h2", { id: fresh() }, title), body,
    h("div", { class: "buttons" }, h("button", { class: "button primary", type: "submit" }, "Close")));
  const dialog = opened(form, true);
  dialog.addEventListener("close", () => dialog.remove());
  dialog.showModal();
}

function opened(form, wide) {
  const dialog = h("dialog", { class: `asking${wide ? " wide" : ""}`, "aria-labelledby": form.querySelector("h2").id }, form);
  document.body.append(dialog);
  return dialog;
}
