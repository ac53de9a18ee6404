/** The overview: how the library stands, what needs attention, and the ways on. */

import { call } from "../api.js";
import { byId, fill, h, icon, worded } from "../dom.js";
import { count, counted } from "../format.js";
import { Section, none } from "./section.js";

const figure = (number, text) => h("div", { class: "figure" }, h("b", {}, count(number)), h("span", {}, text));

function figures(overview) {
  return [figure(overview.items, overview.items === 1 ? "item" : "items"), figure(overview.passages, "passages"),
    figure(overview.people, overview.people === 1 ? "person" : "people"), figure(overview.sources, overview.sources === 1 ? "source" : "sources"),
    overview.pending > 0 && figure(overview.pending, "waiting to be read"),
    overview.pending_vectors > 0 && figure(overview.pending_vectors, "waiting for meaning")];
}

const concern = ({ level, text, page }) =>
  h("a", { class: `card card-link ${level}`, href: page }, icon("alert"), h("span", { class: "why" }, worded(text)), icon("right"));

const concerns = (list) =>
  list.length ? h("div", { class: "cards" }, list.map(concern)) : none("Nothing. The library is in order.", true);

const tile = (href, name, title, text) =>
  h("li", {}, h("a", { class: "tile-link", href }, icon(name), h("b", {}, title), h("span", { class: "aside" }, text)));

function places({ people, groups, sources, items, jobs, refused }) {
  const activity = [jobs ? counted(jobs, "job") : "nothing under way", refused && `${count(refused)} could not be read`];
  return [
    tile("/admin/people", "people", "People", [people === 1 ? "1 person" : `${count(people)} people`, groups && counted(groups, "group")].filter(Boolean).join(", ")),
    tile("/admin/sources", "folder", "Sources", `${counted(sources, "source")}, ${counted(items, "item")}`),
    tile("/admin/access", "lock", "Access", "rules, and who can see what"),
    tile("/admin/activity", "pulse", "Activity", activity.filter(Boolean).join(", ")),
    tile("/admin/audit", "log", "Audit log", "who did what, and when"),
    tile("/admin/storage", "disk", "Storage", "room, backups, purge"),
  ];
}

const section = new Section(byId("concerns"), () => call("GET", "/api/admin/overview"), (overview) => {
  byId("figures").removeAttribute("aria-busy");
  fill(byId("figures"), figures(overview));
  fill(byId("places"), places(overview));
  return concerns(overview.concerns);
}, (overview) => (overview.jobs || overview.pending || overview.pending_vectors ? 2 : 20));
section.look();
