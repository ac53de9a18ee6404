/**
 * The grammar of queries, as the server reads them (`search/grammar.py`; a test compares the two). Here every part
 * knows its place in the text, so that it can be taken out of it.
 */

const DEEPEST = 12; // how deep groups may nest; deeper parentheses are left out

const SPACE = "\\t-\\r\\x1c-\\x20\\x85\\xa0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000";
const NOISE = /[\0-\x08\x0e-\x1b\x7f-\x84\x86-\x9f\xad\u200b\u200e\u200f\u202a-\u202e\u2060-\u206f\ufeff\ufff9-\uffff]|\p{Cs}/u;
const QUOTE = /[“”„‟＂]/;
const OPEN = /(-?)\(/y;
const LEAF = new RegExp(`(-(?=[\\p{L}\\p{N}_"]))?(?:([A-Za-z]+):"([^"]*)"|"([^"]*)"|([^${SPACE}"]+))`, "uy");
const FIELD = /^([A-Za-z]+):(.*)$/s;
const BLANK = new RegExp(`[${SPACE}]`);
const BLANKS = new RegExp(`[${SPACE}]+`);

/**
 * @typedef {{text: string, name: string, phrase: boolean, excluded: boolean, start: number, end: number}} Leaf a word,
 *   a phrase, or a field where `name` is not empty
 * @typedef {{choices: Array<Array<Leaf | Group>>, excluded: boolean, start: number, end: number}} Group what stood in
 *   parentheses (or all of the query): choices, each a list of one or more alternatives
 */

/** @param {string} text @returns {Group} the tree of a query */
export function read(text) {
  return new Reader(text).all();
}

/** A text that means the same, and to whose end something can be added that stands for itself. @param {string} text */
export function closed(text) {
  return new Reader(text).closed();
}

/** Recursive descent over the text without what is no text; `#at` has the place of each character in the whole. */
class Reader {
  #text = "";
  #places = [];
  #at = 0;
  #open = 0; // groups that are open at the end
  #dangling = null; // where an `OR` is that has nothing after it, and in how many groups

  constructor(whole) {
    let place = 0;
    for (const sign of whole) {
      if (!NOISE.test(sign)) this.#add(QUOTE.test(sign) ? '"' : sign, place);
      place += sign.length;
    }
    this.#places.push(whole.length);
    this.#balance();
  }

  #add(sign, place) {
    this.#text += sign;
    for (let unit = 0; unit < sign.length; unit += 1) this.#places.push(place + unit);
  }

  /** Leave out the last quote where it is never closed. */
  #balance() {
    if (this.#text.split('"').length % 2) return;
    const last = this.#text.lastIndexOf('"');
    const [head, tail] = [this.#text.slice(0, last), this.#text.slice(last + 1)];
    this.#text = head.endsWith(":") ? head + tail : `${head} ${tail}`;
    if (head.endsWith(":")) this.#places.splice(last, 1);
  }

  all() {
    return this.#group(0, false, 0);
  }

  closed() {
    this.all();
    const { at, depth } = this.#dangling ?? { at: this.#text.length, depth: this.#open };
    return this.#text.slice(0, at).trimEnd() + ")".repeat(depth);
  }

  #group(depth, excluded, from) {
    const choices = [];
    let joined = false;
    for (const part of this.#parts(depth)) {
      if (part === null) {
        joined = choices.length > 0;
        continue;
      }
      if (isEmpty(part)) continue;
      this.#dangling = null;
      if (joined) {
        choices.at(-1).push(part);
        joined = false;
      } else choices.push([part]);
    }
    return { choices, excluded, start: this.#places[from], end: this.#places[this.#at] };
  }

  /** The parts of a group, null for each `OR`. */
  *#parts(depth) {
    while (this.#skip()) {
      const from = this.#at;
      const opened = this.#match(OPEN);
      if (opened) {
        this.#at += opened[0].length;
        if (depth < DEEPEST) yield this.#group(depth + 1, opened[1] !== "", from);
        continue;
      }
      const leaf = this.#match(LEAF);
      if (!leaf) return; // never: quotes are balanced and blanks skipped
      const [whole, minus, name, value, phrase, word] = leaf;
      if (word === undefined) {
        this.#at += whole.length;
        yield this.#leaf(from, tidy(phrase ?? value), name ?? "", true, Boolean(minus));
        continue;
      }
      const [bare, closes] = this.#word(from + (minus ?? "").length, word, depth);
      if (bare === null) continue; // the parentheses that fit nowhere are gone; it is read again
      if (bare === "OR" && !minus) {
        this.#dangling ??= { at: from, depth };
        yield null;
      } else if (bare) yield this.#written(from, bare, Boolean(minus), closes);
      if (closes) {
        if (this.#dangling?.depth === depth) this.#dangling = null;
        return;
      }
    }
    if (depth) this.#open += 1;
  }

  #match(pattern) {
    pattern.lastIndex = this.#at;
    return pattern.exec(this.#text);
  }

  #skip() {
    while (this.#at < this.#text.length && BLANK.test(this.#text[this.#at])) this.#at += 1;
    return this.#at < this.#text.length;
  }

  /** Take a word: [the word, whether it ends the group], or [null, false] where the text was mended instead. */
  #word(start, word, depth) {
    const [opening, closing] = [count(word, "("), count(word, ")")];
    const ends = depth ? Math.max(0, Math.min(closing - opening, word.length - word.replace(/\)+$/, "").length)) : 0;
    const bare = ends ? word.slice(0, -ends) : word;
    if (!balances(bare)) {
      this.#text = this.#text.slice(0, start) + bare.replace(/[()]/g, " ") + this.#text.slice(start + bare.length);
      return [null, false];
    }
    this.#at = start + bare.length + (ends > 0 ? 1 : 0);
    return [bare, ends > 0];
  }

  #written(from, word, excluded, closes) {
    const field = FIELD.exec(word);
    const back = closes ? 1 : 0; // the parenthesis is not the word's
    return field ? this.#leaf(from, field[2], field[1], false, excluded, back) : this.#leaf(from, word, "", false, excluded, back);
  }

  #leaf(from, text, name, phrase, excluded, back = 0) {
    return { text, name, phrase, excluded, start: this.#places[from], end: this.#places[this.#at - back] };
  }
}

const isEmpty = (part) => (part.choices ? !part.choices.length : !part.text && !part.name && part.phrase);
const tidy = (text) => text.split(BLANKS).filter(Boolean).join(" ");
const count = (text, sign) => text.split(sign).length - 1;

function balances(word) {
  let depth = 0;
  for (const sign of word) {
    depth += sign === "(" ? 1 : sign === ")" ? -1 : 0;
    if (depth < 0) return false;
  }
  return depth === 0;
}
