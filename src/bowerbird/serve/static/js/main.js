/** The search page: wires the box, the list, the filters and the preview. The query's text is the only state. */

import * as address from "./address.js";
import * as api from "./api.js";
import { wireAddForm } from "./add_folder.js";
import { byId, fill, h, worded } from "./dom.js";
import { Facets } from "./facets.js";
import { count } from "./format.js";
import { wireKeys } from "./keys.js";
import { LibraryWatch, atRest } from "./library.js";
import { OPERATORS, SYNTAX } from "./operators.js";
import { Preview } from "./preview.js";
import { ResultList } from "./results.js";
import { Saved } from "./saved.js";
import { Searcher } from "./searcher.js";
import * as states from "./states.js";
import { Suggestions, remember } from "./suggest.js";
import { wireTheme } from "./theme_toggle.js";

const box = /** @type {HTMLInputElement} */ (byId("q"));
const [desk, state, more, sort] = ["desk", "state", "more", "sort"].map(byId);
let order = "relevance";
let retry = 0;
let announcing = 0;
let following = 0;
let awaited = "";

const results = new ResultList(byId("hits"), box, {
  onSelect: (hit) => { searcher.hold(); if (preview.id && !preview.covers) follow(hit); },
  onOpen: (hit) => { searcher.hold(); remember(box.value); openPreview(hit.item, hit); },
});
const saved = new Saved(h("div", { class: "facet", role: "group", "aria-label": "Saved searches", hidden: true }), document.getElementById("save"), {
  now: () => now(),
  run: (one) => { setOrder(one.sort); edit(one.query, "step"); },
});
const suggestions = new Suggestions(byId("suggestions"), box, {
  onText: (text, done) => { edit(text, "step"); if (done) remember(text); },
  onItem: (id, direct) => (direct ? window.open(api.original(id), "_blank", "noopener") : openPreview(id)),
});
const facets = new Facets(byId("facets"), byId("chips"), (text) => edit(text, "step"), saved.place);
const preview = new Preview(byId("preview"), {
  linkTo: (item) => address.linkTo({ q: box.value, sort: order, item }),
  onClose: () => { address.write(now(), "quiet"); (preview.covers ? byId("results") : box).focus({ preventScroll: true }); },
  atRest: () => atRest(library.status),
  outside: () => [document.querySelector(".bar"), byId("facets"), byId("results")],
  asked: (id) => ({ query: box.value, found: results.hits.some((hit) => hit.item === id) }),
});
const searcher = new Searcher({ onStart: started, onAnswer: answered, onMore: appended, onError: troubled });
const library = new LibraryWatch(document.getElementById("library-pill"), byId("notice"), (status, before) => {
  preview.rest();
  const arrived = before && status.items - status.pending !== before.items - before.pending;
  if (desk.classList.contains("blank") || (arrived && !results.hits.length)) searcher.again();
});

/** @returns {{q: string, sort: string, item: string}} */
const now = () => ({ q: box.value, sort: order, item: preview.id });

/** Put a text into the box and search for it. @param {string} text @param {"typed" | "step" | "quiet"} how */
function edit(text, how) {
  if (box.value !== text) box.value = text;
  box.form.classList.toggle("filled", text !== "");
  byId("clear").hidden = text === "";
  facets.show(text);
  saved.show();
  preview.explain();
  if (how !== "quiet") address.write(now(), how);
  searcher.ask({ q: text, sort: order }, how !== "typed");
}

function setOrder(wanted) {
  order = wanted;
  for (const button of sort.children) button.setAttribute("aria-pressed", String(button.dataset.sort === wanted));
}

function started() {
  clearTimeout(retry);
  byId("progress").classList.add("on");
  results.list.classList.add("stale");
  byId("list-title").textContent = box.value.trim() ? "Results" : "Recently changed";
  if (!results.hits.length && state.hidden) states.loading(state);
}

function answered(answer, { q, pipeline }) {
  if (pipeline !== "typing" || answer.hits.length) showAnswer(answer, q);
}

function showAnswer(answer, q) {
  byId("progress").classList.remove("on");
  const blank = !answer.hits.length && !q.trim() && !(library.status?.items > 0);
  desk.classList.toggle("blank", blank);
  sort.hidden = !q.trim() || !answer.hits.length;
  const kept = awaited || preview.id || results.chosen?.item;
  results.show(answer.hits);
  preview.explain();
  suggestions.mark();
  const hit = kept && results.chooseItem(kept);
  if (awaited) openPreview(awaited, hit);
  awaited = "";
  facets.show(box.value, answer.counts);
  showCount(answer);
  if (blank) states.empty(state, (form) => wireAddForm(form, () => library.look()));
  else if (!answer.hits.length) states.nothing(state, q, answer.hints, (text) => edit(text, "step"));
  else states.none(state);
}

function appended(answer) {
  results.append(answer.hits);
  preview.explain();
  showCount(answer);
}

function showCount(answer) {
  const shown = results.hits.length;
  const known = Object.values(answer.counts?.type ?? {}).reduce((sum, number) => sum + number, 0);
  if (!answer.cursor && document.activeElement === more) box.focus({ preventScroll: true });
  more.hidden = !answer.cursor;
  const text = known > shown ? `${count(shown)} of ${count(known)}` : count(shown);
  byId("count").textContent = box.value.trim() && shown ? text : "";
  fill(byId("hints"), answer.hits.length ? (answer.hints ?? []).map((hint) => h("p", {}, worded(hint))) : null);
  clearTimeout(announcing);
  announcing = setTimeout(() => {
    byId("live").textContent = shown ? `${text} ${shown === 1 ? "result" : "results"}` : "No results";
  }, 600);
}

function troubled(problem) {
  byId("progress").classList.remove("on");
  results.show([]);
  suggestions.mark();
  more.hidden = true;
  byId("count").textContent = "";
  states.failed(state, problem, () => searcher.again());
  if (problem instanceof api.OfflineError) retry = setTimeout(() => searcher.again(), 3000);
}

/** @param {string} id @param {any} [hit] */
async function openPreview(id, hit) {
  const opened = preview.open(id, hit);
  address.write(now(), preview.covers ? "step" : "quiet");
  await opened;
}

function follow(hit) {
  clearTimeout(following);
  following = setTimeout(() => openPreview(hit.item, hit), 60);
}

function enter(direct) {
  if (!results.chosen) results.move(1);
  const hit = results.chosen;
  if (!hit) return;
  clearTimeout(following);
  remember(box.value);
  if (direct || preview.id === hit.item) window.open(api.original(hit.item), "_blank", "noopener");
  else openPreview(hit.item, hit);
}

function escape() {
  if (preview.close()) return;
  if (box.value) edit("", "step");
  results.choose(-1);
  box.focus();
}

function restore() {
  const { q, sort: wanted, item } = address.read();
  setOrder(wanted);
  if (!item) preview.close();
  edit(q, "quiet");
  awaited = item !== preview.id ? item : ""; // it opens with the answer, which knows its passages
}

box.addEventListener("input", () => edit(box.value, "typed"));
box.form.addEventListener("submit", (event) => event.preventDefault());
byId("clear").addEventListener("click", () => { edit("", "step"); box.focus(); });
more.addEventListener("click", () => searcher.more());
sort.addEventListener("click", (event) => {
  if (!event.target.dataset.sort) return;
  setOrder(event.target.dataset.sort);
  edit(box.value, "step");
});
addEventListener("popstate", restore);
new IntersectionObserver(([entry]) => { if (entry.isIntersecting && scrollY > 0) searcher.more(); }, { rootMargin: "200px" }).observe(more);

const help = /** @type {HTMLDialogElement} */ (byId("shortcuts"));
byId("help").addEventListener("click", () => help.showModal());
const meant = ([form, meaning]) => h("div", {}, h("dt", {}, h("code", {}, form)), h("dd", {}, meaning));
fill(byId("operator-help"), Object.entries(OPERATORS).map(([name, meaning]) => meant([`${name}:`, meaning])));
fill(byId("syntax-help"), Object.entries(SYNTAX).map(meant));

wireTheme();
wireKeys({ box, focusBox: () => { box.focus(); box.select(); }, move: (step) => results.move(step), enter, escape,
  help: () => help.showModal(), covered: () => Boolean(preview.id) && preview.covers });
restore();
saved.load().catch(() => {}); // what is wrong is said by the search
library.look();
