/** The page's address: `?q=` is the query, `?sort=date` the order, `?item=` what is previewed. Back and forward work. */

const BURST = 1200; // keys closer together than this (ms) belong to one entry of the history

let typed = -Infinity; // when the last key of a burst came

/** @returns {{q: string, sort: string, item: string}} */
export function read() {
  const query = new URLSearchParams(location.search);
  return {
    q: (query.get("q") ?? "").slice(0, 4000),
    sort: query.get("sort") === "date" ? "date" : "relevance",
    item: query.get("item") ?? "",
  };
}

/** @param {{q: string, sort: string, item: string}} state @returns {string} */
export function linkTo({ q, sort, item }) {
  const query = new URLSearchParams();
  if (q.trim()) query.set("q", q.trim());
  if (sort === "date") query.set("sort", sort);
  if (item) query.set("item", item);
  const text = query.toString();
  return text ? `/?${text}` : "/";
}

/**
 * Put the state into the address. Typing makes one entry a burst; a click (`step`) always makes one.
 * @param {{q: string, sort: string, item: string}} state
 * @param {"typed" | "step" | "quiet"} how
 */
export function write(state, how) {
  const link = linkTo(state);
  document.title = state.q.trim() ? `${state.q.trim()} · Bowerbird` : "Bowerbird";
  if (link === location.pathname + location.search) return;
  const burst = how === "typed" && performance.now() - typed < BURST;
  typed = how === "typed" ? performance.now() : -Infinity;
  if (how === "quiet" || burst) history.replaceState(null, "", link);
  else history.pushState(null, "", link);
}
