/** What takes how much room, the backups, and the purge with its receipt. */

import { call } from "../api.js";
import { byId, h, icon } from "../dom.js";
import { count, counted, size } from "../format.js";
import { askTyped, ask } from "./dialog.js";
import { Section, attempt, none } from "./section.js";
import { badge, table } from "./table.js";
import { moment } from "./words.js";

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

const nameOf = (path) => path.split("/").at(-1);
const active = (job) => ["queued", "running"].includes(job.state);

/** The newest job of a kind, while it is under way or where it failed. */
function jobCard(job, title) {
  if (!job || !(active(job) || job.state === "failed")) return null;
  const state = { queued: "waits for its turn", running: job.message || "under way", failed: job.message || "failed" }[job.state];
  return h("div", { class: "cards" }, h("div", { class: `card${job.state === "failed" ? " bad" : ""}` }, icon(job.state === "failed" ? "alert" : "sync"),
    h("div", {}, h("div", { class: "name" }, title), h("div", { class: "why" }, state)),
    job.state === "running" && h("progress", { class: "meter below", "aria-label": title, max: job.total || null, value: job.total ? job.done : null })));
}

/** Load a list together with the newest job of the kind that adds to it. */
const withJob = (path, kind) => async () => {
  const [answer, { jobs }] = await Promise.all([call("GET", path), call("GET", "/api/jobs", { query: { limit: 50 } })]);
  return { ...answer, job: jobs.find((job) => job.kind === kind) };
};
const pace = ({ job }) => (job && active(job) ? 1.5 : 30);

const BACKUPS = [
  { name: "File", cell: (one) => [h("div", { class: "name" }, nameOf(one.path)), h("div", { class: "aside" }, one.path.slice(0, -nameOf(one.path).length))] },
  { name: "Written", cell: (one) => moment(one.created) },
  { name: "State", cell: (one) => (one.there ? badge("There", "good") : badge("Moved or deleted")) },
];

const backups = new Section(byId("backups"), withJob("/api/backups", "backup"), (answer) => [
  jobCard(answer.job, "Backup"), answer.backups.length ? table("Backups", BACKUPS, answer.backups) : none("No backup yet."),
], pace);

/** What a purge removed, in words; pairs of `..._before` and `..._after` become one. @param {Record<string, number>} counts */
function removedOf(counts) {
  const name = (key) => key.replaceAll("_", " ").replaceAll("-", " ");
  return Object.entries(counts).flatMap(([key, number]) => {
    const kind = key.replace(/[_-](before|after)$/, "");
    if (kind === key) return number > 0 ? [`${count(number)} ${name(key)}`] : [];
    const [before, after] = ["before", "after"].map((when) => counts[`${kind}_${when}`] ?? counts[`${kind}-${when}`] ?? 0);
    return key.endsWith("before") && before !== after ? [`${name(kind)} ${count(before)} → ${count(after)}`] : [];
  });
}

function receiptCard(receipt) {
  const removed = removedOf(receipt.removed);
  const beyond = receipt.unreachable.filter(({ there }) => there);
  return h("div", { class: "card" }, icon("check"), h("div", {},
    h("div", { class: "name" }, h("h3", {}, "Purged ", moment(receipt.at))),
    h("div", { class: "aside" }, removed.length ? removed.join(" · ") : "There was nothing left behind."),
    h("div", { class: "why" }, beyond.length ? ["Not reached, as they are older: ", beyond.map(({ path }) => nameOf(path)).join(", ")] : "No backup still holds what was removed."),
    h("div", { class: "aside" }, receipt.path)));
}

const receipts = new Section(byId("receipt"), withJob("/api/admin/receipts", "purge"), (answer) => [
  jobCard(answer.job, "Purge"), answer.receipts.length ? h("div", { class: "cards" }, answer.receipts.map(receiptCard)) : none("Nothing was purged yet."),
], pace);

const storage = new Section(byId("room"), () => call("GET", "/api/admin/storage"), room, () => 60);

byId("backup").addEventListener("click", async () => {
  const done = await ask({ title: "Back up now?", action: "Back up",
    body: h("p", {}, "Writes one file into the library's own folder. Copy it to another disk or machine: a backup beside the library does not survive the disk."),
    run: () => call("POST", "/api/backup") });
  if (done) attempt(async () => {}, "The backup is under way.", backups);
});

document.getElementById("purge")?.addEventListener("click", async () => {
  const done = await askTyped({ title: "Purge the library?", action: "Purge", word: "purge",
    body: h("p", {}, "Removes for good what deleted items left behind: texts, vectors, page images, old versions of the index. It can take minutes; searching goes on."),
    run: () => call("POST", "/api/purge") });
  if (done) attempt(async () => {}, "The purge is under way.", receipts);
});

await Promise.all([storage.look(), backups.look(), receipts.look()]);
