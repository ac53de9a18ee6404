/** The query's operators as the page edits them: a chip and a typed `type:pdf` are the same thing. */

import { closed, read } from "./grammar.js";

/** Operator -> what it narrows by, for the help. */
export const OPERATORS = {
  type: "kind of item: type:pdf, type:slides, type:mail",
  source: "where it comes from: source:Documents",
  in: "a folder: in:finance, in:\"Q3 plans\"",
  from: "who made or sent it: from:ada",
  to: "whom it was sent to: to:ada",
  date: "a day or a period: date:march, date:\"last week\"",
  after: "from that day on: after:2026-03, after:7d",
  before: "before that day: before:\"last friday\"",
  lang: "the language: lang:de",
  has: "what is in it: has:table",
  is: "what it is: is:attachment, is:archived",
  tag: "a label it carries: tag:draft",
};

/** How words, operators and alternatives are put together, for the help. */
export const SYNTAX = {
  "\"annual report\"": "these words, in a row",
  "-draft": "not this word; so with operators: -type:pdf",
  "plan OR budget": "one of them; (…) groups",
};

/**
 * @typedef {{start: number, end: number}} Span a stretch of the text
 * @typedef {Span & {operator: string, value: string}} Filter
 */

/** @param {import("./grammar.js").Leaf} leaf */
const isFilter = (leaf) => !leaf.choices && leaf.name.toLowerCase() in OPERATORS && leaf.text !== "";

/** The choices of a query; groups that only hold choices together are taken apart. @returns {Array<Array<any>>} */
function choicesOf(group) {
  return group.choices.flatMap((choice) =>
    (choice.length === 1 && choice[0].choices && !choice[0].excluded ? choicesOf(choice[0]) : [choice]));
}

/**
 * The operators that narrow by themselves, with their place in the text: none that is excluded or one of alternatives.
 * @param {string} text
 * @returns {Filter[]}
 */
export function filtersOf(text) {
  return choicesOf(read(text))
    .filter(([leaf, ...others]) => !others.length && !leaf.excluded && isFilter(leaf))
    .map(([leaf]) => ({ operator: leaf.name.toLowerCase(), value: leaf.text, start: leaf.start, end: leaf.end }));
}

/**
 * All that narrows by operators alone, in words: `type: pdf`, `not type: pdf`, `type: pdf or from: ada`.
 * @param {string} text
 * @returns {Array<Span & {label: string}>}
 */
export function chipsOf(text) {
  return choicesOf(read(text)).filter((choice) => choice.every(onlyFilters)).map((choice) => ({
    label: choice.map((part) => said(part, choice.length > 1)).join(" or "), start: choice[0].start, end: choice.at(-1).end,
  }));
}

const onlyFilters = (part) => (part.choices ? part.choices.flat().every(onlyFilters) : isFilter(part));

function said(part, among) {
  if (!part.choices) return `${part.excluded ? "not " : ""}${part.name.toLowerCase()}: ${part.text}`;
  const all = part.choices.map((choice) => choice.map((one) => said(one, choice.length > 1)).join(" or "));
  const several = part.choices.length > 1 || part.choices[0].length > 1;
  const joined = all.join(" and ");
  return `${part.excluded ? "not " : ""}${several && (among || part.excluded) ? `(${joined})` : joined}`;
}

/** Other words for a kind (`slides` is `presentation`); the page brings them along. */
const KIND_WORDS = JSON.parse(document.getElementById("desk")?.dataset.kindWords ?? "{}");

/** @param {string} operator @param {string} value @returns {string} the value as the counts name it */
export function canonical(operator, value) {
  const word = value.toLowerCase();
  return operator === "type" ? (KIND_WORDS[word] ?? KIND_WORDS[word.replace(/s$/, "")] ?? word) : word;
}

/** @param {string} text @param {string} operator @param {string} value @returns {Filter | undefined} */
export function find(text, operator, value) {
  return filtersOf(text).find((filter) => filter.operator === operator && canonical(operator, filter.value) === canonical(operator, value));
}

/** @param {string} text @param {Span} span @returns {string} the text without it */
export function without(text, { start, end }) {
  const [before, after] = [text.slice(0, start).trimEnd(), text.slice(end).trimStart()];
  return before.endsWith("(") || after.startsWith(")") ? (before + after).replace(/-?\(\)/g, "").trim() : `${before} ${after}`.trim();
}

/** @param {string} operator @param {string} value @returns {string} */
export function written(operator, value) {
  const clean = value.replaceAll('"', "");
  return /^[^\s()]+$/.test(clean) ? `${operator}:${clean}` : `${operator}:"${clean}"`;
}

/** @param {string} text @param {string} more @returns {string} both, what is added standing for itself */
const added = (text, more) => `${closed(text)} ${more} `.trimStart();

/** @param {string} text @param {string} operator @param {string} value @returns {string} the text with it, or without */
export function toggled(text, operator, value) {
  const there = find(text, operator, value);
  if (there) return without(text, there);
  const against = choicesOf(read(text)).find(([leaf, ...others]) => !others.length && leaf.excluded && isFilter(leaf)
    && leaf.name.toLowerCase() === operator && canonical(operator, leaf.text) === canonical(operator, value));
  return added(against ? without(text, against[0]) : text, written(operator, value));
}

/** @param {string} text @returns {string} the text without any operator */
export function withoutFilters(text) {
  return chipsOf(text).reverse().reduce(without, text);
}

/** The buckets of the date counts: how each is written, in order. */
export const DATES = {
  today: { label: "Today", filters: [["after", "today"]] },
  week: { label: "Past week", filters: [["after", "7d"]] },
  month: { label: "Past month", filters: [["after", "30d"]] },
  year: { label: "Past year", filters: [["after", "365d"]] },
  older: { label: "Older", filters: [["before", "365d"]] },
};

const datesOf = (text) => filtersOf(text).filter(({ operator }) => ["after", "before", "date"].includes(operator));

/** @param {string} text @param {string} bucket @returns {boolean} */
export function hasDate(text, bucket) {
  const wanted = DATES[bucket].filters;
  return datesOf(text).length === wanted.length && wanted.every(([operator, value]) => find(text, operator, value));
}

/** @param {string} text @param {string} bucket @returns {string} the text with just this date, or with none */
export function toggledDate(text, bucket) {
  const bare = datesOf(text).reverse().reduce(without, text);
  if (hasDate(text, bucket)) return bare;
  return added(bare, DATES[bucket].filters.map(([operator, value]) => written(operator, value)).join(" "));
}
