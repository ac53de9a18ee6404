/** The sources: where things come from, how they fare, what of them could not be read. */

import { wireAddForm } from "../add_folder.js";
import { call, part } from "../api.js";
import { byId, h, icon } from "../dom.js";
import { count, counted } from "../format.js";
import { ask } from "./dialog.js";
import { actionsMenu } from "./menu.js";
import { Section, attempt, none } from "./section.js";
import { badge } from "./table.js";
import { POLICIES, moment } from "./words.js";

const unfolded = new Set(); // names of sources whose failures are shown

const sync = (source) => call("POST", "/api/sync", { body: source ? { source } : {} });

async function remove(source) {
  const done = await ask({
    title: `Remove ${source.name}?`, danger: true, action: "Remove the source",
    body: [h("p", {}, `${counted(source.items, "item")} will no longer be found. The files themselves are not touched, and adding the folder again reads them anew.`),
      h("p", { class: "aside" }, "Rules and permissions of the source go with it. What it left on the disk goes with the next purge.")],
    run: () => call("DELETE", `/api/sources/${part(source.name)}`),
  });
  if (done) attempt(async () => {}, `${source.name} is forgotten; its files are untouched.`, section);
}

function state(source, busy) {
  if (source.state === "failed") return badge("Cannot be read", "bad");
  if (busy) return badge("Being read", "accent");
  return source.last_sync ? badge("In order", "good") : badge("New");
}

/** What of a source could not be read: the first few with their reasons, loaded when it is unfolded. */
function failures(source, number) {
  const list = h("div", {});
  const details = h("details", { class: "below failures", open: unfolded.has(source.name) },
    h("summary", { data: { focus: `failures ${source.name}` } }, `${count(number)} could not be read`), list);
  details.addEventListener("toggle", () => {
    unfolded[details.open ? "add" : "delete"](source.name);
    if (details.open) new Section(list, () => call("GET", "/api/admin/quarantine", { query: { source: source.name, limit: 5 } }), (answer) => reasons(source, answer)).look();
  });
  return details;
}

function reasons(source, { refused, total }) {
  const address = `/admin/activity?source=${part(source.name)}#quarantine`;
  return [h("ul", { class: "plain" }, refused.map((row) => h("li", {}, h("span", {}, row.key || "the whole source"), h("span", { class: "why" }, row.cause)))),
    h("a", { href: address }, total > refused.length ? `All ${count(total)}, with ways to try again` : "Try again under Activity")];
}

/** Who may read a source by its policy, and whom the source names in vain. */
function readers({ policy, unmapped }) {
  const told = POLICIES.find(({ value }) => value === policy)?.who ?? policy;
  return [`open to ${told}`, unmapped.length > 0 && ` · ${counted(unmapped.length, "name")} of it unknown here`];
}

function card({ source, busy, refused, policy }) {
  const facts = [counted(source.items, "item"), source.last_sync ? ["read ", moment(source.last_sync)] : "not read yet"];
  return h("div", { class: `card${source.state === "failed" ? " bad" : ""}`, data: { source: source.name } },
    icon(source.state === "failed" ? "alert" : "folder"),
    h("div", {}, h("div", { class: "name" }, h("h3", {}, source.name), state(source, busy)),
      h("div", { class: "aside" }, source.location), h("div", { class: "aside" }, facts[0], " · ", facts[1], " · ", readers(policy)),
      source.error && h("div", { class: "why" }, source.error)),
    h("div", { class: "actions" },
      h("button", { class: "button quiet", type: "button", "aria-label": `Sync ${source.name}`, data: { focus: `sync ${source.name}` },
        on: { click: () => attempt(() => sync(source.name), `${source.name} is read again.`, section) } }, icon("sync"), h("span", { class: "wide-only" }, "Sync")),
      actionsMenu(source.name, [
        { text: "Who may read it", icon: "lock", href: `/admin/access?source=${part(source.name)}#rules` },
        { text: "What is found in it", icon: "search", href: `/?q=${part(`source:"${source.name}"`)}` },
        { text: "Remove …", icon: "trash", danger: true, run: () => remove(source) },
      ])),
    refused > 0 && failures(source, refused));
}

async function load() {
  const [{ sources }, { jobs }] = await Promise.all([call("GET", "/api/sources"), call("GET", "/api/jobs")]);
  const busy = jobs.filter((job) => ["queued", "running"].includes(job.state));
  const counts = await Promise.all(sources.map((source) => call("GET", "/api/admin/quarantine", { query: { source: source.name, limit: 1 } })));
  const policies = await Promise.all(sources.map((source) => call("GET", `/api/access/policies/${part(source.name)}`)));
  return sources.map((source, at) => ({
    source, refused: counts[at].total, policy: policies[at], busy: busy.some((job) => !job.source_id || job.source_id === source.id),
  }));
}

const section = new Section(byId("sources"), load, (rows) => {
  byId("sync-all").disabled = !rows.length;
  return rows.length ? h("div", { class: "cards" }, rows.map(card)) : none("No sources yet. Add a folder below.");
}, (rows) => (rows.some(({ busy }) => busy) ? 2 : 30));

byId("sync-all").addEventListener("click", () => attempt(() => sync(""), "All sources are read again.", section));
wireAddForm(document.querySelector("[data-add-folder]"), () => section.look());
section.look();
