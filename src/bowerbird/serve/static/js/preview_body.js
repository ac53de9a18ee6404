/** What the preview shows of an item besides its text: pages, pictures, sound. */

import * as api from "./api.js";
import { h, icon } from "./dom.js";

const WIDTHS = [600, 800, 1200, 1600, 2000];

function imageWidth(element) {
  const wanted = Math.ceil((element.clientWidth || 600) * Math.min(devicePixelRatio, 2));
  return WIDTHS.find((width) => width >= wanted) ?? WIDTHS.at(-1);
}

/**
 * The pages of a PDF, one at a time.
 * @param {string} id @param {number} pages @param {number} first
 * @returns {{element: HTMLElement, tools: HTMLElement, go: (page: number) => void}}
 */
export function pagesView(id, pages, first) {
  let page = first;
  const place = h("div", { class: "picture" });
  const label = h("span", { "aria-live": "polite" });
  const step = (by, name, text) =>
    h("button", { class: "round small", type: "button", "aria-label": text, on: { click: () => go(page + by) } }, icon(name));
  const [back, forth] = [step(-1, "left", "Page before"), step(1, "right", "Next page")];
  const go = (wanted) => {
    page = Math.max(1, Math.min(pages || wanted, wanted));
    label.textContent = pages ? `Page ${page} of ${pages}` : `Page ${page}`;
    back.disabled = page <= 1;
    forth.disabled = Boolean(pages) && page >= pages;
    const image = h("img", { class: "loading", alt: `Page ${page} of the document`, src: api.pageImage(id, page, imageWidth(place)) });
    image.onload = () => image.classList.remove("loading");
    image.onerror = () => place.replaceChildren(h("p", {}, "This page cannot be drawn. Its text can be read beside it."));
    place.replaceChildren(image);
  };
  requestAnimationFrame(() => go(page));
  return { element: place, tools: h("div", { class: "pager" }, back, label, forth), go };
}

/** @param {any} item @returns {HTMLElement} */
export function imageView(item) {
  const image = h("img", { class: "natural loading", alt: `The picture ${item.name}`, src: api.pageImage(item.item, 1, 1200) });
  const place = h("div", { class: "picture" }, image);
  image.onload = () => image.classList.remove("loading");
  image.onerror = () => place.replaceChildren(h("p", {}, "This picture cannot be drawn here. Open it instead."));
  return place;
}

/**
 * A player for sound or video.
 * @param {any} item
 * @returns {{element: HTMLMediaElement, seek: (seconds: number) => void}}
 */
export function playerView(item) {
  const element = h(item.preview, { class: "player", controls: true, preload: "metadata", src: api.original(item.item), "aria-label": item.name });
  return { element, seek: (seconds) => { element.currentTime = seconds; element.play(); } };
}
