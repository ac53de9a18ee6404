/** What takes how much room, the backups, and the purge with its receipt. */

import { call } from "../api.js";
import { byId, h } from "../dom.js";
import { counted, size } from "../format.js";
import { Section } from "./section.js";

const PARTS = {
  database: ["Database", "people, items, permissions, jobs"], documents: ["Texts", "what was read out of the files"],
  vectors: ["Meanings", "vectors by content: a new index embeds nothing again"], renders: ["Page images", "made for the preview"],
  index: ["Index", "words and vectors, as they are searched"], models: ["Models", "fetched once, checked by their sha256"],
  backups: ["Backups", "kept beside the library"], unused: ["Left over", "goes with the next purge"], other: ["Other", "settings, logs, locks"],
};
const HUES = 5;

const hue = (at) => `hue-${Math.min(at, HUES) + 1}`;

function part({ part: name, bytes, files }, at) {
  const [title, meaning] = PARTS[name] ?? [name, ""];
  return h("li", { class: "part", data: { part: name } }, h("i", { class: hue(at) }), h("b", {}, title), h("span", { class: "number" }, size(bytes)),
    h("span", { class: "aside" }, meaning, " · ", counted(files, "file")));
}

function bar(shares) {
  return h("div", { class: "room-bar", "aria-hidden": "true" }, shares.map(({ bytes }, at) => {
    const piece = h("i", { class: hue(at) });
    piece.style.flexGrow = String(bytes);
    return piece;
  }));
}

function room(storage) {
  const shares = storage.shares.filter(({ bytes }) => bytes > 0);
  return h("div", { class: "room" },
    h("p", { class: "room-total" }, h("b", {}, size(storage.bytes)), ` in `, h("code", {}, storage.home)),
    bar(shares), h("ul", { class: "parts" }, shares.map(part)),
    h("p", { class: "aside" }, `${size(storage.free)} of the disk's ${size(storage.total)} are free.`));
}

const storage = new Section(byId("room"), () => call("GET", "/api/admin/storage"), room);
storage.look();
