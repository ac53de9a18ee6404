/** Text and offsets. The API counts code points, JavaScript counts UTF-16 units; here is where one becomes the other. */

const PAIR = /[\ud800-\udbff][\udc00-\udfff]/;

/**
 * Turn an offset in code points into one in UTF-16 units.
 * @param {string} text
 * @returns {(offset: number) => number}
 */
export function unitsOf(text) {
  if (!PAIR.test(text)) return (offset) => Math.min(offset, text.length);
  const at = [];
  let units = 0;
  for (const point of text) {
    at.push(units);
    units += point.length;
  }
  at.push(units);
  return (offset) => at[Math.max(0, Math.min(offset, at.length - 1))];
}

/**
 * Text with the given spans in <mark>.
 * @param {string} text
 * @param {Array<[number, number]>} spans ascending, disjoint, in code points
 * @returns {DocumentFragment}
 */
export function marked(text, spans) {
  const fragment = document.createDocumentFragment();
  const units = unitsOf(text);
  let done = 0;
  for (const [start, end] of spans.map((span) => span.map(units))) {
    if (start < done || end <= start) continue;
    fragment.append(text.slice(done, start));
    const mark = document.createElement("mark");
    mark.textContent = text.slice(start, end);
    fragment.append(mark);
    done = end;
  }
  fragment.append(text.slice(done));
  return fragment;
}

/**
 * The highlighted words of a hit's passages, longest first.
 * @param {Array<{text: string, highlights: Array<[number, number]>}>} passages
 * @returns {string[]}
 */
export function termsOf(passages) {
  const terms = new Set();
  for (const { text, highlights } of passages) {
    const units = unitsOf(text);
    for (const [start, end] of highlights) terms.add(text.slice(units(start), units(end)).toLowerCase());
  }
  return [...terms].filter(Boolean).sort((a, b) => b.length - a.length);
}

/**
 * A pattern that finds whole words, whatever the script; null where there is nothing to find.
 * @param {string[]} terms
 * @returns {RegExp | null}
 */
export function patternOf(terms) {
  if (!terms.length) return null;
  const escaped = terms.slice(0, 60).map((term) => term.replace(/[.*+?^${}()|[\]\\]/g, "\\$&"));
  return new RegExp(`(?<![\\p{L}\\p{N}])(?:${escaped.join("|")})(?![\\p{L}\\p{N}])`, "giu");
}
