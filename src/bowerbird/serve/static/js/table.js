/** Tables arrive as text: as lines of `a | b`, or as Markdown, with or without its line breaks. */

const RULE = /\|(?:\s*:?-{3,}:?\s*\|)+/;

const bare = (line) => line.trim().replace(/^\||\|$/g, "");
const cellsOf = (text) => text.split(/(?<!\\)\|/).map((cell) => cell.trim().replaceAll("\\|", "|"));

/**
 * The rows of a table, the first its head; fewer than two where the text is none.
 * @param {string} text
 * @returns {string[][]}
 */
export function rowsOf(text) {
  const rule = RULE.exec(text);
  if (rule && !text.includes("\n")) return flatRows(text, rule);
  const lines = text.split("\n").filter((line) => line.trim() && !/^[\s|:-]+$/.test(line));
  if (!lines.every((line) => line.includes("|"))) return [];
  return lines.map((line) => cellsOf(bare(line)));
}

/** Without line breaks, the rule under the head tells how many cells a row has; between rows stands an empty one. */
function flatRows(text, rule) {
  const width = rule[0].match(/-{3,}/g).length;
  const cells = cellsOf(text.slice(rule.index + rule[0].length)).slice(1);
  const rows = [cellsOf(bare(text.slice(0, rule.index)))];
  for (let at = 0; at + width <= cells.length; at += width + 1) rows.push(cells.slice(at, at + width));
  return rows;
}
