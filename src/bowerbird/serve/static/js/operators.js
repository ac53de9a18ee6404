/** The query's operators as the page edits them: a chip and a typed `type:pdf` are the same thing. */

/** Operator -> what it narrows by, for the help. */
export const OPERATORS = {
  type: "kind of item: type:pdf, type:slides, type:mail",
  source: "where it comes from: source:Documents",
  in: "a folder: in:finance, in:\"Q3 plans\"",
  from: "who made or sent it: from:ada",
  after: "from that day on: after:2026-03, after:7d",
  before: "before that day: before:today",
};

const TOKEN = /([A-Za-z]+):"([^"]*)"|"[^"]*"|([A-Za-z]+):([^\s"]+)|[^\s"]+/g;

/**
 * @typedef {{operator: string, value: string, start: number, end: number}} Filter
 */

/**
 * The operators in a query, with their place in the text.
 * @param {string} text
 * @returns {Filter[]}
 */
export function filtersOf(text) {
  const found = [];
  for (const match of text.replace(/[“”„‟＂]/g, '"').matchAll(TOKEN)) {
    const operator = (match[1] ?? match[3] ?? "").toLowerCase();
    const value = match[2] ?? match[4] ?? "";
    if (operator in OPERATORS && value) {
      found.push({ operator, value, start: match.index, end: match.index + match[0].length });
    }
  }
  return found;
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

/** @param {string} text @param {Filter} filter @returns {string} the text without it */
export function without(text, filter) {
  return `${text.slice(0, filter.start).trimEnd()} ${text.slice(filter.end).trimStart()}`.trim();
}

/** @param {string} operator @param {string} value @returns {string} */
export function written(operator, value) {
  const clean = value.replaceAll('"', "");
  return /\s/.test(clean) ? `${operator}:"${clean}"` : `${operator}:${clean}`;
}

/** @param {string} text @param {string} operator @param {string} value @returns {string} the text with it, or without */
export function toggled(text, operator, value) {
  const there = find(text, operator, value);
  return there ? without(text, there) : `${text.trim()} ${written(operator, value)} `.trimStart();
}

/** @param {string} text @returns {string} the text without any operator */
export function withoutFilters(text) {
  return filtersOf(text).reverse().reduce(without, text);
}

/** The buckets of the date counts: how each is written, in order. */
export const DATES = {
  today: { label: "Today", filters: [["after", "today"]] },
  week: { label: "Past week", filters: [["after", "7d"]] },
  month: { label: "Past month", filters: [["after", "30d"]] },
  year: { label: "Past year", filters: [["after", "365d"]] },
  older: { label: "Older", filters: [["before", "365d"]] },
};

/** @param {string} text @param {string} bucket @returns {boolean} */
export function hasDate(text, bucket) {
  const dates = filtersOf(text).filter(({ operator }) => operator === "after" || operator === "before");
  const wanted = DATES[bucket].filters;
  return dates.length === wanted.length && wanted.every(([operator, value]) => find(text, operator, value));
}

/** @param {string} text @param {string} bucket @returns {string} the text with just this date, or with none */
export function toggledDate(text, bucket) {
  const dates = filtersOf(text).filter(({ operator }) => operator === "after" || operator === "before");
  const bare = dates.reverse().reduce(without, text);
  if (hasDate(text, bucket)) return bare;
  return DATES[bucket].filters.reduce((sum, [operator, value]) => `${sum} ${written(operator, value)}`, bare).trim() + " ";
}
