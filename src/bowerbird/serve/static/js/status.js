/** The page about the library: sources, activity, what could not be read. */

import * as api from "./api.js";
import { wireAddForm } from "./add_folder.js";
import { byId, fill, h, icon } from "./dom.js";
import { count, counted, fullDate, when } from "./format.js";
import { isBusy } from "./library.js";
import { wireTheme } from "./theme_toggle.js";
import { toast } from "./toast.js";

let timer = 0;

function figure(number, text) {
  return h("div", { class: "figure" }, h("b", {}, count(number)), h("span", {}, text));
}

const nothing = (text) => h("p", { class: "card-none" }, text);

/** Do something that may be refused, then look again. @param {() => Promise<any>} action @param {string} [done] */
async function attempt(action, done) {
  try {
    await action();
    if (done) toast(done);
  } catch (problem) {
    toast(`${problem.message} ${problem.remedy ?? ""}`, 8);
  }
  look();
}

function removeButton(source) {
  const button = h("button", { class: "button quiet", type: "button", "aria-label": `Remove ${source.name}` }, icon("trash"), "Remove");
  button.addEventListener("click", () => {
    if (button.dataset.asked) attempt(() => api.removeSource(source.name), `${source.name} is forgotten; its files are untouched.`);
    button.dataset.asked = "yes";
    fill(button, icon("trash"), "Really remove?");
    setTimeout(() => { delete button.dataset.asked; fill(button, icon("trash"), "Remove"); }, 4000);
  });
  return button;
}

function sourceCard(source) {
  const read = source.last_sync ? h("time", { datetime: source.last_sync, title: fullDate(source.last_sync) }, `read ${when(source.last_sync)}`) : "not read yet";
  return h("div", { class: "card", data: { source: source.name } }, icon(source.error ? "alert" : "folder"),
    h("div", {}, h("div", { class: "name" }, source.name), h("div", { class: "aside" }, source.location),
      h("div", { class: "aside" }, counted(source.items, "item"), " · ", read, source.failures ? ` · ${count(source.failures)} could not be read` : ""),
      source.error && h("div", { class: "why" }, source.error)),
    h("div", { class: "actions" },
      h("button", { class: "button quiet", type: "button", "aria-label": `Sync ${source.name}`,
        on: { click: () => attempt(() => api.sync(source.name), `${source.name} is read again.`) } }, icon("sync"), "Sync"),
      removeButton(source)));
}

const STATES = { queued: "waits for its turn", running: "under way", done: "done", failed: "failed", cancelled: "cancelled" };

function jobCard(job, sources) {
  const active = ["queued", "running"].includes(job.state);
  const source = sources.find(({ id }) => id === job.source_id)?.name ?? "";
  const progress = job.total ? `${count(job.done)} of ${counted(job.total, "item")}` : job.done ? counted(job.done, "item") : "";
  const facts = [STATES[job.state], progress, job.failed && `${count(job.failed)} could not be read`, job.message, when(job.ended ?? job.started ?? job.created)];
  const name = `${job.kind[0].toUpperCase()}${job.kind.slice(1)}${source && ` · ${source}`}`;
  const cancel = h("button", { class: "button quiet", type: "button", "aria-label": `Cancel: ${name}`,
    on: { click: () => attempt(() => api.cancelJob(job.id), "It is asked to stop.") } }, "Cancel");
  const meter = h("progress", { class: "meter", "aria-label": `Progress: ${name}`, max: job.total || null, value: job.total ? job.done : null });
  return h("div", { class: "card" }, icon(job.state === "failed" ? "alert" : "sync"),
    h("div", {}, h("div", { class: "name" }, name), h("div", { class: "aside" }, facts.filter(Boolean).join(" · "))),
    h("div", { class: "actions" }, active && cancel), job.state === "running" && meter);
}

function unreadCard(file) {
  return h("div", { class: "card" }, icon("alert"),
    h("div", {}, h("div", { class: "name" }, file.key), h("div", { class: "why" }, file.cause), h("div", { class: "aside" }, file.source)),
    h("code", {}, file.code));
}

/** Replace a list only where it changed: a button in it may have the focus. */
function update(id, list, empty, card) {
  const place = byId(id);
  const state = JSON.stringify(list);
  if (place.dataset.state === state) return;
  place.dataset.state = state;
  fill(place, list.length ? list.map(card) : nothing(empty));
}

function show(status) {
  byId("notice").hidden = true;
  byId("figures").removeAttribute("aria-busy");
  fill(byId("figures"), figure(status.items, "items"), figure(status.passages, "passages"),
    figure(status.pending, "waiting to be read"), figure(status.pending_vectors, "waiting for meaning"), figure(status.quarantined.length, "could not be read"));
  update("sources", status.sources, "No sources yet. Add a folder below.", sourceCard);
  update("jobs", status.jobs.slice(0, 8), "Nothing is going on.", (job) => jobCard(job, status.sources));
  byId("engine").textContent = [status.model && `model ${status.model}`, status.guard && `parsers in a box (network: ${status.guard.network})`].filter(Boolean).join(" · ");
  update("unread", status.quarantined, "Everything could be read.", unreadCard);
  byId("sync-all").disabled = !status.sources.length;
}

async function look() {
  clearTimeout(timer);
  let wait = 10_000;
  try {
    const status = await api.status();
    show(status);
    if (isBusy(status)) wait = 1_500;
  } catch (problem) {
    const notice = byId("notice");
    notice.hidden = false;
    notice.classList.add("bad");
    fill(notice, icon(problem instanceof api.OfflineError ? "offline" : "alert"), h("p", {}, `${problem.message} ${problem.remedy ?? ""}`));
    wait = 3_000;
  }
  timer = setTimeout(look, wait);
}

wireTheme();
byId("sync-all").addEventListener("click", () => attempt(() => api.sync(""), "All sources are read again."));
wireAddForm(document.querySelector("[data-add-folder]"), look);
look();
