/** Groups: who is in them, groups within groups, and making new ones. */

import { call, part } from "../api.js";
import { byId, h, icon } from "../dom.js";
import { ask, row, select, single, text } from "./dialog.js";
import { actionsMenu } from "./menu.js";
import { Section, attempt, none } from "./section.js";
import { badge } from "./table.js";

const path = (group, ...rest) => ["/api/groups", part(group.id), ...rest].join("/");
const here = (group) => group.source === "local";

async function make() {
  const done = await ask({ title: "New group", action: "Make the group", body: row("Name", text("name", { required: true })),
    run: (values) => call("POST", "/api/groups", { body: values }) });
  if (done) attempt(async () => {}, `The group ${done.name} is there.`, groups);
}

/** Everybody and every group that may join. */
async function candidates(group, members) {
  const [{ people }, all] = await Promise.all([call("GET", "/api/people"), call("GET", "/api/groups")]);
  const inside = new Set([group.id, ...members.map(({ principal }) => principal)]);
  return [
    ...people.map((one) => ({ value: `user:${one.id}`, label: one.name ? `${one.name} (${one.handle})` : one.handle, group: "People" })),
    ...all.groups.map((one) => ({ value: one.id, label: here(one) ? one.name : `${one.name} (${one.source})`, group: "Groups" })),
  ].filter(({ value }) => !inside.has(value));
}

async function add(group) {
  const { members } = await call("GET", path(group, "members"));
  const options = await candidates(group, members);
  const body = options.length ? row("Person or group", select("member", options)) : h("p", {}, "Everybody is in it already.");
  const done = await ask({ title: `Add to ${group.name}`, action: "Add", body,
    run: (values) => (options.length ? call("POST", path(group, "members"), { body: values }) : Promise.resolve()) });
  if (done) attempt(async () => {}, `${done.label ?? "Nobody new"} is in ${group.name}.`, groups);
}

async function removeMember(group, member) {
  const done = await ask({ title: `Take ${member.label} out of ${group.name}?`, danger: true, action: "Take out",
    body: h("p", {}, `What only the group opened to ${member.label} is closed with the next request.`),
    run: () => call("DELETE", path(group, "members"), { query: { member: member.principal } }) });
  if (done) attempt(async () => {}, `${member.label} is no longer in ${group.name}.`, groups);
}

async function remove(group) {
  const done = await ask({ title: `Remove the group ${group.name}?`, danger: true, action: "Remove the group",
    body: h("p", {}, "Every rule that names it goes with it. Its members stay."), run: () => call("DELETE", path(group)) });
  if (done) attempt(async () => {}, `The group ${group.name} is gone.`, groups);
}

function memberTag(group, member) {
  const isGroup = member.principal.startsWith("group:");
  return h("li", { class: "tag" }, icon(isGroup ? "people" : "contact"), h("span", {}, member.label),
    here(group) && h("button", { class: "round small", type: "button", "aria-label": `Take ${member.label} out of ${group.name}`, title: "Take out",
      data: { focus: `out ${group.id} ${member.principal}` }, on: { click: () => removeMember(group, member) } }, icon("close")));
}

function card({ group, members }) {
  return h("div", { class: "card", data: { group: group.name } }, icon("people"),
    h("div", {}, h("div", { class: "name" }, h("h3", {}, group.name), !here(group) && badge(group.source)),
      members.length ? h("ul", { class: "tags", "aria-label": `In ${group.name}` }, members.map((member) => memberTag(group, member)))
        : h("div", { class: "aside" }, "Nobody yet")),
    h("div", { class: "actions" },
      here(group) && h("button", { class: "button quiet", type: "button", "aria-label": `Add to ${group.name}`, data: { focus: `add ${group.id}` }, on: { click: single(() => add(group)) } },
        icon("plus"), h("span", { class: "wide-only" }, "Add")),
      actionsMenu(group.name, [here(group) && { text: "Add somebody …", icon: "plus", run: single(() => add(group)) },
        { text: "Remove the group …", icon: "trash", danger: true, run: () => remove(group) }])));
}

async function load() {
  const { groups: all } = await call("GET", "/api/groups");
  return Promise.all(all.map(async (group) => ({ group, members: (await call("GET", path(group, "members"))).members })));
}

export const groups = new Section(byId("groups"), load, (rows) =>
  (rows.length ? h("div", { class: "cards" }, rows.map(card)) : none("No groups yet.")));

byId("add-group").addEventListener("click", make);
