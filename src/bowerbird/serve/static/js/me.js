/** Somebody's own account: password, second factor, accounts elsewhere, sessions, tokens. */

import { ask, choices, row, tell, text } from "./admin/dialog.js";
import { Section, attempt, none } from "./admin/section.js";
import { badge, table } from "./admin/table.js";
import { capital, moment, roleName } from "./admin/words.js";
import { call, part } from "./api.js";
import { byId, h, icon } from "./dom.js";
import { wireTheme } from "./theme_toggle.js";
import { copy } from "./toast.js";

const provider = byId("content").dataset.provider;
const secretField = (name, use, more = {}) => text(name, { type: "password", autocomplete: use, maxlength: 1024, required: true, ...more });
const current = (label = "Your present password") => row(label, secretField("password", "current-password"));
const button = (label, run, danger = false) => h("button", { class: `button quiet${danger ? " danger" : ""}`, type: "button", on: { click: run } }, label);

function card(sign, title, about, ...actions) {
  return h("div", { class: "card" }, icon(sign), h("div", {}, h("h3", {}, title), h("div", { class: "aside" }, about)), h("div", { class: "actions" }, actions));
}

async function changePassword() {
  const done = await ask({
    title: "Change the password", action: "Change it",
    body: [row("Your present password", secretField("current", "current-password")),
      row("New password", secretField("new", "new-password", { minlength: 12 }), "At least 12 characters; a few words that have nothing to do with each other."),
      row("The same again", secretField("again", "new-password"))],
    run: (values) => {
      if (values.new !== values.again) throw new Error("The two new passwords are not the same.");
      return call("POST", "/api/me/password", { body: { current: values.current, new: values.new } });
    },
  });
  if (done) attempt(async () => {}, "The password is changed. All other browsers are signed out.", sessions);
}

async function firstPassword(me) {
  const link = await call("POST", `/api/people/${part(me.id)}/link`);
  location.assign(link.path);
}

async function setUpCode() {
  const { secret, uri } = await call("POST", "/api/me/totp");
  const offer = h("div", { class: "offer" }, h("p", {}, "Enter this key in an app that shows codes, or open it there."),
    h("div", { class: "secret" }, secret.match(/.{1,4}/g).join(" ")), h("a", { class: "button", href: uri }, icon("open"), "Open in an app"));
  const code = row("The code that the app shows", text("code", { required: true, inputmode: "numeric", autocomplete: "one-time-code", maxlength: 10 }));
  const done = await ask({
    title: "Set up a second factor", action: "Use it from now on", body: [offer, code, current()],
    run: (values) => call("POST", "/api/me/totp/confirm", { body: { secret, ...values } }),
  });
  if (done) attempt(async () => {}, "From now on, signing in takes a code.", ways);
}

async function removeCode() {
  const done = await ask({
    title: "Do without the second factor?", danger: true, action: "Remove it", body: current(),
    run: (values) => call("POST", "/api/me/totp/remove", { body: values }),
  });
  if (done) attempt(async () => {}, "Signing in takes no code any more.", ways);
}

const saying = (run) => () => attempt(run, ""); // what is refused is said

function passwordCard(me) {
  if (me.has_password) return card("key", "Password", "Is set.", button("Change …", changePassword));
  if (me.role === "owner") return card("key", "Password", "There is none yet.", button("Set one …", saying(() => firstPassword(me))));
  return card("key", "Password", "There is none. An admin can make a link to set one.");
}

function codeCard(me) {
  if (me.has_totp) return card("lock", ["Second factor ", badge("On", "good")], "Signing in takes a code from your app.", button("Remove …", removeCode, true));
  return card("lock", "Second factor", me.has_password ? "A code from an app, beside the password." : "Needs a password first.",
    me.has_password && button("Set up …", saying(setUpCode)));
}

const elsewhere = (me) => provider && card("link", provider, me.providers.length ? "Signs you in." : "Does not sign you in yet.",
  h("a", { class: "button quiet", href: "/oidc/link" }, me.providers.length ? "Link another" : "Link it"));

const ways = new Section(byId("ways"), () => call("GET", "/api/me"), (me) => h("div", { class: "cards" },
  card("contact", me.name || me.handle, `${me.handle} · ${roleName(me.role)}`), passwordCard(me), codeCard(me), elsewhere(me)));

/** What a browser calls itself, in two words. @param {string} agent */
function browserName(agent) {
  const browser = [["Edg", "Edge"], ["OPR", "Opera"], ["Firefox", "Firefox"], ["Chrome", "Chrome"], ["Safari", "Safari"]].find(([mark]) => agent.includes(`${mark}/`));
  const system = [["Android", "Android"], ["iPhone", "iPhone"], ["iPad", "iPad"], ["Windows", "Windows"], ["Mac OS", "macOS"], ["Linux", "Linux"]].find(([mark]) => agent.includes(mark));
  return [browser?.[1] ?? (agent.split("/")[0] || "A browser"), system && `on ${system[1]}`].filter(Boolean).join(" ");
}

const sessionColumns = [
  { name: "Browser", cell: (one) => [h("span", { class: "name", title: one.agent || false }, browserName(one.agent)), one.current && [" ", badge("This one", "accent")]] },
  { name: "Signed in", cell: (one) => moment(one.created) },
  { name: "Last used", cell: (one) => moment(one.seen) },
  { name: "", cell: (one) => !one.current && h("button", { class: "button quiet", type: "button", "aria-label": `Sign out ${browserName(one.agent)}`,
    on: { click: () => attempt(() => call("DELETE", `/api/me/sessions/${part(one.id)}`), "That browser is signed out.", sessions) } }, "Sign out") },
];

const sessions = new Section(byId("sessions"), () => call("GET", "/api/me/sessions"), ({ sessions: all }) =>
  (all.length ? table("Signed-in browsers", sessionColumns, all) : none("No browser is signed in.")));

const GRANTS = [
  { value: "read", label: "Read", meaning: "Search, and look at what is found." },
  { value: "read,write", label: "Read and write", meaning: "Change what you may change, too." },
  { value: "read,write,admin", label: "Everything", meaning: "Administration as well; for scripts that run the library." },
];

const DAYS = [
  { value: "90", label: "90 days", meaning: "Then the program needs a new one." },
  { value: "365", label: "A year", meaning: "Note when it ends." },
  { value: "0", label: "Until it is revoked", meaning: "For what runs on its own for long." },
];

function showSecret(name, secret) {
  const field = h("input", { class: "field", readonly: true, value: secret, "aria-label": "The token", on: { focus: () => field.select() } });
  const take = h("button", { class: "button", type: "button", on: { click: () => copy(secret, "The token is copied.") } }, icon("link"), "Copy");
  tell(`The token for ${name}`, [h("div", { class: "link-row" }, field, take), h("p", { class: "aside" }, "It is shown only now. Whoever has it acts as you.")]);
}

async function newToken() {
  const me = await call("GET", "/api/me");
  const grants = GRANTS.filter(({ value }) => !value.includes("admin") || ["admin", "owner"].includes(me.role));
  const made = await ask({
    title: "New API token", action: "Make it",
    body: [row("What is it for?", text("name", { required: true, maxlength: 100 })), choices("What may it do?", "grants", grants, "read"), choices("How long?", "days", DAYS, "90")],
    run: ({ name, grants: some, days }) => call("POST", "/api/me/tokens", { body: { name, grants: some.split(","), days: Number(days) } }),
  });
  if (!made) return;
  showSecret(made.token.name, made.secret);
  tokens.look();
}

async function revoke(one) {
  const done = await ask({
    title: `Revoke ${one.name}?`, danger: true, action: "Revoke", body: h("p", {}, "The program that uses it is refused from its next request on."),
    run: () => call("DELETE", `/api/me/tokens/${part(one.id)}`),
  });
  if (done) attempt(async () => {}, `${one.name} is revoked.`, tokens);
}

const tokenColumns = [
  { name: "For", cell: (one) => h("span", { class: "name" }, one.name) },
  { name: "May", cell: (one) => capital(one.grants.join(", ")) },
  { name: "Last used", cell: (one) => moment(one.seen) },
  { name: "Ends", cell: (one) => moment(one.ends, "never") },
  { name: "", cell: (one) => h("button", { class: "button quiet danger", type: "button", "aria-label": `Revoke ${one.name}`, on: { click: () => revoke(one) } }, "Revoke") },
];

const tokens = new Section(byId("tokens"), () => call("GET", "/api/me/tokens"), ({ tokens: all }) =>
  (all.length ? table("API tokens", tokenColumns, all) : none("There are none.")));

wireTheme();
byId("new-token").addEventListener("click", newToken);
for (const section of [ways, sessions, tokens]) section.look();
