/** People: who has a way in, with which role; inviting, suspending, erasing; and the groups. */

import { call, part } from "../api.js";
import { byId, h } from "../dom.js";
import { ask, askTyped, choices, row, showLink, single, text } from "./dialog.js";
import { groups } from "./groups.js";
import { actionsMenu } from "./menu.js";
import { Section, attempt, none } from "./section.js";
import { badge, table } from "./table.js";
import { ROLES, longDate, moment, roleName } from "./words.js";

const FIRST = "owner"; // the id of the first owner, who runs the server and stays

const path = (person, ...rest) => ["/api/people", part(person.id), ...rest].join("/");
const called = (person) => person.name || person.handle;
const looksAfter = (role) => ["admin", "owner"].includes(role);

/** The roles that somebody may give. @param {any} me */
const given = (me) => (me.role === "owner" ? ROLES : ROLES.filter(({ value }) => !looksAfter(value)));

function showInvitation(person, link) {
  showLink(`The way in for ${called(person)}`, h("p", {}, `Send this link to ${called(person)}. It lets them set a password, until ${longDate(link.ends)}.`),
    new URL(link.path, location.origin).href);
}

async function invite() {
  const me = await call("GET", "/api/me");
  const answer = await ask({
    title: "Invite somebody", action: "Make the link",
    body: [row("Handle", text("handle", { required: true, minlength: 2, maxlength: 64, autocapitalize: "off" }), "What they sign in with, such as `ada`."),
      row("Name", text("name"), "As others see it; may be left empty."), choices("Role", "role", given(me), "member")],
    run: (values) => call("POST", "/api/people", { body: values }),
  });
  if (answer) showInvitation(answer.person, answer.link);
  people.look();
}

async function changeRole(person, me) {
  const done = await ask({
    title: `The role of ${called(person)}`, action: "Change the role",
    body: [choices("Role", "role", given(me), person.role), h("p", { class: "aside" }, "Their sessions end, so that the new role counts at once.")],
    run: (values) => call("POST", path(person, "role"), { body: values }),
  });
  if (done) attempt(async () => done, ({ role }) => `${called(person)} is ${role === person.role ? "still" : "now"} ${roleName(role).toLowerCase()}.`, people);
}

async function rename(person) {
  const done = await ask({
    title: `Rename ${called(person)}`, action: "Save",
    body: [row("Handle", text("handle", { required: true, value: person.handle, maxlength: 64, autocapitalize: "off" })), row("Name", text("name", { value: person.name }))],
    run: (values) => call("PATCH", path(person), { body: values }),
  });
  if (done) attempt(async () => {}, "Saved.", people, groups);
}

async function reset(person) {
  const code = person.has_totp && h("label", { class: "choice" }, h("input", { type: "checkbox", name: "without" }), h("b", {}, "Remove the second factor, too"),
    h("span", { class: "aside" }, "Only where they lost the device that shows the codes."));
  const link = await ask({
    title: `A new way in for ${called(person)}?`, action: "Make the link",
    body: [h("p", {}, "Makes a link by which they set a new password. Their present password works until then."), code],
    run: ({ without }) => call("POST", path(person, "link"), { body: { without_code: Boolean(without) } }),
  });
  if (link) showInvitation(person, link);
}

async function suspend(person) {
  const done = await ask({
    title: `Suspend ${called(person)}?`, danger: true, action: "Suspend",
    body: h("p", {}, "Their sessions, tokens and links end at once, and they cannot sign in. What they may see is kept, for when they come back."),
    run: () => call("POST", path(person, "suspend")),
  });
  if (done) attempt(async () => {}, `${called(person)} is suspended.`, people);
}

async function erase(person) {
  const done = await askTyped({
    title: `Erase ${called(person)}?`, action: "Erase for good", word: person.handle,
    body: [h("p", {}, "This cannot be undone. Removed are:"), h("ul", {}, h("li", {}, "their account, sessions and tokens,"),
      h("li", {}, "their place in groups, rules and permissions,"), h("li", {}, "the key that ties the audit log's lines to them.")),
    h("p", {}, "Files stay where they are. What they owned here becomes the first owner's.")],
    run: () => call("DELETE", path(person)),
  });
  if (done) attempt(async () => {}, `${called(person)} is erased.`, people, groups);
}

async function viewAs(person) {
  const done = await ask({
    title: `See what ${called(person)} sees?`, action: "View as " + called(person),
    body: h("p", {}, "You search with their permissions until you stop. Nothing can be changed meanwhile, and it is written to the audit log."),
    run: () => call("POST", "/api/view-as", { body: { person: person.id } }),
  });
  if (done) location.assign("/");
}

function waysIn(person) {
  if (person.id === FIRST && !person.has_password) return "Link at start";
  const ways = [person.has_password && "Password", person.has_totp && "code"].filter(Boolean).join(" + ");
  return ways || badge(person.seen ? "Elsewhere" : "Invited", person.seen ? "" : "accent");
}

function actions(person, me) {
  const may = person.id !== me.id && person.id !== FIRST && (me.role === "owner" || !looksAfter(person.role));
  const active = person.state === "active";
  return actionsMenu(called(person), [
    person.id !== me.id && active && { text: "View as …", icon: "eye", run: () => viewAs(person) },
    may && { text: "Change the role …", icon: "sliders", run: () => changeRole(person, me) },
    (may || person.id === me.id) && { text: "Rename …", icon: "note", run: () => rename(person) },
    may && active && { text: "New password link …", icon: "key", run: () => reset(person) },
    may && (active ? { text: "Suspend …", icon: "lock", danger: true, run: () => suspend(person) }
      : { text: "Reactivate", icon: "check", run: () => attempt(() => call("POST", path(person, "reactivate")), `${called(person)} can sign in again.`, people) }),
    may && { text: "Erase …", icon: "trash", danger: true, run: () => erase(person) },
    person.id === me.id && { text: "Your account", icon: "contact", href: "/account" },
  ]);
}

const columns = (me) => [
  { name: "Person", cell: (person) => [h("div", { class: "name" }, called(person), person.id === me.id && [" ", badge("You", "accent")]),
    h("div", { class: "aside" }, [person.name && person.handle, person.address].filter(Boolean).join(" · "))] },
  { name: "Role", cell: (person) => roleName(person.role) },
  { name: "Signs in by", cell: waysIn },
  { name: "Last seen", cell: (person) => (person.state === "active" ? moment(person.seen) : badge("Suspended", "bad")) },
  { name: "", cell: (person) => actions(person, me) },
];

const load = async () => {
  const [{ people: all }, me] = await Promise.all([call("GET", "/api/people"), call("GET", "/api/me")]);
  return { people: all, me };
};

const people = new Section(byId("people"), load, (answer) => {
  const alone = answer.people.length === 1 && none("You are alone here. Used by one person on this machine, a library needs no more than that.");
  return [table("People", columns(answer.me), answer.people, (person) => (person.state === "active" ? "" : "off")), alone];
});
byId("invite").addEventListener("click", single(invite));
people.look();
groups.look();
