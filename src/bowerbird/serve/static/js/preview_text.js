/** The text of an item in the preview: its blocks, the passage in view, the words found in it. */

import * as api from "./api.js";
import { clock } from "./format.js";
import { h } from "./dom.js";
import { rowsOf } from "./table.js";
import { patternOf, unitsOf } from "./text.js";

const WINDOW = 60_000; // characters that are fetched at once
const BEFORE = 15_000; // of them, so many before the passage when it lies deep in the text

const TAGS = { table: "pre", code: "pre", quote: "blockquote" };

/**
 * Where to cut a block so that marks and the passage can be wrapped.
 * @param {string} text @param {{start: number, end: number}} passage in units @param {RegExp | null} pattern
 */
function pieces(text, passage, pattern) {
  const marks = pattern ? [...text.matchAll(pattern)].slice(0, 500).map((match) => [match.index, match.index + match[0].length]) : [];
  const cuts = new Set([0, text.length, ...marks.flat()]);
  for (const edge of [passage.start, passage.end]) if (edge > 0 && edge < text.length) cuts.add(edge);
  const order = [...cuts].sort((a, b) => a - b);
  let at = 0;
  return order.slice(0, -1).map((start, index) => {
    while (at < marks.length && marks[at][1] <= start) at += 1;
    const marked = at < marks.length && marks[at][0] <= start;
    return { text: text.slice(start, order[index + 1]), marked, inside: start >= passage.start && start < passage.end };
  });
}

/** @param {string} text @param {RegExp | null} pattern @returns {Array<Node | string>} with the words marked */
function wordsMarked(text, pattern) {
  return pieces(text, { start: 0, end: 0 }, pattern).map((piece) => (piece.marked ? h("mark", {}, piece.text) : piece.text));
}

/** @param {HTMLElement[]} rows of a table, the first its head */
const tableElement = (rows, inside) =>
  h("div", { class: `table${inside ? " passage" : ""}`, tabindex: "0", role: "region", "aria-label": "Table" },
    h("table", {}, h("thead", {}, rows[0]), h("tbody", {}, rows.slice(1))));

function tableOf(block, passage, pattern) {
  const rows = rowsOf(block.text);
  if (rows.length < 2) return null;
  const row = (cells, at) => h("tr", {}, cells.map((cell) => h(at ? "td" : "th", {}, wordsMarked(cell, pattern))));
  return tableElement(rows.map(row), passage.start < block.start + block.text.length && passage.end > block.start);
}

/** Whether the line breaks in a text come from a fixed width of lines, and mean nothing. @param {string} text */
function isHardWrapped(text) {
  const lines = text.split("\n").slice(0, -1);
  return lines.length > 0 && lines.every((line) => line.length > 50);
}

function blockElement(block, passage, pattern, onSeek) {
  const table = block.kind === "table" && tableOf(block, passage, pattern);
  if (table) return table;
  const units = unitsOf(block.text);
  const inUnits = { start: units(Math.max(0, passage.start - block.start)), end: units(Math.max(0, passage.end - block.start)) };
  const parts = pieces(block.text, inUnits, pattern).map(({ text, marked, inside }) => {
    const node = marked ? h("mark", {}, text) : text;
    return inside ? h("span", { class: "passage" }, node) : node;
  });
  const tag = TAGS[block.kind] ?? "p";
  const moment = block.seconds && onSeek &&
    h("button", { class: "moment", type: "button", on: { click: () => onSeek(block.seconds[0]) } }, clock(block.seconds[0]));
  const wrapped = block.kind === "paragraph" && isHardWrapped(block.text);
  const names = `${block.kind}${block.level ? ` level-${block.level}` : ""}${wrapped ? " wrapped" : ""}`;
  return h(tag, { class: names, tabindex: tag === "pre" ? "0" : null }, moment, moment && " ", parts);
}

/**
 * Fetch and show the text around a passage.
 * @param {string} id
 * @param {{start: number, end: number}} passage in code points; end 0 for none
 * @param {string[]} terms words to mark
 * @param {{signal: AbortSignal, onSeek?: (seconds: number) => void, leaf?: string}} options `leaf` is what a page is called
 * @returns {Promise<HTMLElement>}
 */
export async function textView(id, passage, terms, { signal, onSeek, leaf = "Page" }) {
  const pattern = patternOf(terms);
  const from = passage.end > WINDOW - BEFORE ? Math.max(0, passage.start - BEFORE) : 0;
  const view = h("div", { class: "text" });
  let page = null;

  const blocksOf = (answer) => answer.blocks.flatMap((block) => {
    const element = blockElement(block, passage, pattern, onSeek);
    if (!block.page || block.page === page) return [element];
    page = block.page;
    return [h("div", { class: "page-break" }, `${leaf} ${page}`), element];
  });
  const later = h("button", { class: "button", type: "button" }, "Show more of the text");
  const load = async (start) => {
    const answer = await api.text(id, start, WINDOW, signal);
    later.remove();
    view.append(...blocksOf(answer));
    if (answer.end < answer.length) {
      later.onclick = () => load(answer.end);
      view.append(later);
    }
    return answer;
  };
  const first = await load(from);
  const covered = passage.end - passage.start > 0.6 * first.length;
  view.classList.toggle("whole", covered || !terms.length); // then the band would say nothing
  if (from > 0) {
    const earlier = h("button", { class: "button", type: "button" }, "Show the text from its beginning");
    earlier.onclick = () => { view.replaceChildren(); page = null; load(0); };
    view.prepend(earlier);
  }
  if (!first.length) view.append(h("p", { class: "aside" }, "There is no text in this item."));
  return view;
}

/**
 * Bring the passage into view, where there is one. Only the pane scrolls: the list beside it stays where it is.
 * @param {HTMLElement} view @param {HTMLElement} pane
 */
export function showPassage(view, pane) {
  const passage = view.querySelector(".passage");
  if (!passage) return;
  const [seen, frame] = [passage.getBoundingClientRect(), pane.getBoundingClientRect()];
  if (seen.bottom > frame.bottom - 24 || seen.top < frame.top) pane.scrollTop += seen.top - frame.top - frame.height / 4;
}
