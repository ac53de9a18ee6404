/** Who may read what: the answer for one item and one person, rules, mappings, scopes. */

import { call, part } from "../api.js";
import { byId, fill, h, icon, worded } from "../dom.js";
import { counted } from "../format.js";
import { ask, row, select, single, text } from "./dialog.js";
import { oversharing } from "./oversharing.js";
import { people, principals, readable } from "./principals.js";
import { Section, attempt, none, trouble } from "./section.js";
import { badge, table } from "./table.js";
import { POLICIES } from "./words.js";

const wanted = new URLSearchParams(location.search);

const sources = async () => (await call("GET", "/api/sources")).sources;
const asOptions = (all) => all.map(({ name }) => ({ value: name, label: name }));
const where = ({ source, prefix }) => [h("div", { class: "name" }, source), h("div", { class: "aside" }, prefix ? `${prefix}/` : "all of it")];

const EFFECTS = { allow: ["Allowed", "good"], deny: ["Denied", "bad"], only: ["Only these", "accent"] };
const effectBadge = (effect) => badge(...(EFFECTS[effect] ?? [effect]));

/* Rules */

async function addRule() {
  const [all, who] = await Promise.all([sources(), principals()]);
  const effects = [{ value: "allow", label: "May read" }, { value: "deny", label: "May not read (wins over every permission)" },
    { value: "only", label: "Only they may read, nobody from above the path" }];
  const made = await ask({
    title: "New rule", action: "Put it into force",
    body: [row("Source", select("source", asOptions(all), wanted.get("source") ?? "")),
      row("Path", text("prefix", { placeholder: "contracts/2026", maxlength: 4000 }), "Everything at or below it; empty for the whole source."),
      row("Who", select("principal", who)), row("Effect", select("effect", effects, "allow"))],
    run: (values) => call("POST", "/api/access/rules", { body: values }),
  });
  if (made) attempt(async () => made, ruleTold, rules, scopes);
}

function ruleTold({ items, conflicts }) {
  const against = conflicts.length ? ` It contradicts ${counted(conflicts.length, "rule")}; where they meet, the denial wins.` : "";
  return `The rule is in force for ${counted(items, "item")}.${against}`;
}

async function removeRule(rule) {
  const done = await ask({
    title: "Remove this rule?", danger: true, action: "Remove the rule",
    body: h("p", {}, `${EFFECTS[rule.effect][0]}: ${readable(rule.principal)}, in ${rule.source}${rule.prefix && `, ${rule.prefix}/`}. What it opened is closed with the next request, and what it closed is open again.`),
    run: () => call("DELETE", `/api/access/rules/${part(rule.id)}`),
  });
  if (done) attempt(async () => {}, "The rule is removed.", rules, scopes);
}

const removeButton = (label, name, run) => h("button", { class: "round", type: "button", "aria-label": label, title: label, data: { focus: name }, on: { click: run } }, icon("trash"));

const rules = new Section(byId("rules"), () => call("GET", "/api/access/rules", { query: { source: wanted.get("source") ?? "" } }), (answer) =>
  (answer.rules.length ? table("Rules", [
    { name: "Where", cell: where },
    { name: "Effect", cell: ({ effect }) => effectBadge(effect) },
    { name: "Who", cell: ({ principal }) => readable(principal) },
    { name: "", cell: (rule) => removeButton(`Remove the rule for ${readable(rule.principal)} in ${rule.source}`, `rule ${rule.id}`, () => removeRule(rule)) },
  ], answer.rules) : none("No rules. Each source is read by whom its policy names.")));

/* Policies, mappings and scopes, by source */

async function setPolicy(source, policy) {
  const done = await ask({
    title: `Who may read ${source}?`, action: "Change the policy",
    body: [h("fieldset", { class: "row" }, h("legend", {}, "Policy"), POLICIES.map(({ value, label, meaning }) => h("label", { class: "choice" },
      h("input", { type: "radio", name: "policy", value, checked: value === policy }), h("b", {}, label), h("span", { class: "aside" }, meaning)))),
    h("p", { class: "aside" }, "It counts from the next request. Rules come on top of it.")],
    run: (values) => call("PUT", `/api/access/policies/${part(source)}`, { body: values }),
  });
  if (done) attempt(async () => {}, `${source}: ${POLICIES.find(({ value }) => value === done.policy)?.label ?? "changed"}.`, scopes, mappings);
}

async function setMapping(source = "", theirs = "") {
  const [all, who] = await Promise.all([sources(), principals()]);
  const done = await ask({
    title: "Who is that here?", action: "Save",
    body: [row("Source", select("source", asOptions(all), source)),
      row("What the source calls them", text("theirs", { required: true, value: theirs, placeholder: "user:alice" }), "`user:NAME`, `group:NAME` or `public`."),
      row("Here", select("principal", who))],
    run: (values) => call("PUT", `/api/access/mappings/${part(values.source)}`, { body: { theirs: values.theirs, principal: values.principal } }),
  });
  if (done) attempt(async () => {}, "Saved.", mappings, scopes);
}

async function removeMapping(source, { theirs, principal }) {
  const done = await ask({
    title: `Forget who ${theirs} is?`, danger: true, action: "Forget it",
    body: h("p", {}, `What ${source} opens to ${theirs} is then no longer open to ${readable(principal)}.`),
    run: () => call("PUT", `/api/access/mappings/${part(source)}`, { body: { theirs, principal: "" } }),
  });
  if (done) attempt(async () => {}, "Forgotten.", mappings, scopes);
}

const perSource = (load) => async () => Promise.all((await sources()).map(async ({ name }) => ({ source: name, ...(await load(part(name))) })));

const mappings = new Section(byId("mappings"), perSource((name) => call("GET", `/api/access/mappings/${name}`)), (all) => {
  const rows = all.flatMap(({ source, mappings: some }) => some.map((one) => ({ source, ...one })));
  return rows.length ? table("Mappings", [
    { name: "What the source says", cell: ({ source, theirs }) => [h("div", { class: "name" }, theirs), h("div", { class: "aside" }, source)] },
    { name: "Here", cell: ({ principal }) => (principal ? readable(principal) : badge("Nobody yet", "bad")) },
    { name: "Named in", cell: ({ scopes: number }) => counted(number, "scope") },
    { name: "", cell: (one) => [
      h("button", { class: "button quiet", type: "button", "aria-label": `Say who ${one.theirs} is`, data: { focus: `map ${one.source} ${one.theirs}` }, on: { click: single(() => setMapping(one.source, one.theirs)) } }, one.principal ? "Change" : "Say who"),
      one.principal && removeButton(`Forget who ${one.theirs} is`, `unmap ${one.source} ${one.theirs}`, () => removeMapping(one.source, one))] },
  ], rows) : none("No source names anybody that is not known here.");
});

const entryTag = ({ principal, effect, origin }) => h("li", { class: "tag", title: `from ${origin.startsWith("rule") ? "a rule" : `the ${origin}`}` },
  icon(effect === "deny" ? "close" : "check"), h("span", {}, h("span", { class: "unseen" }, effect === "deny" ? "denied: " : "allowed: "), readable(principal)));

function scopeCard({ source, policy, owner, scopes: all }) {
  const told = POLICIES.find(({ value }) => value === policy);
  const rows = all.map(({ path, items, entries }) => h("li", {}, h("div", { class: "name" }, path ? `${path}/` : "all of it", h("span", { class: "aside" }, counted(items, "item"))),
    entries.length ? h("ul", { class: "tags" }, entries.map(entryTag)) : h("div", { class: "why" }, "Nobody may read it.")));
  return h("div", { class: "card" }, icon("folder"),
    h("div", {}, h("div", { class: "name" }, h("h3", {}, source), badge(told?.label ?? policy)), h("div", { class: "aside" }, `Owner: ${owner}`)),
    h("div", { class: "actions" }, h("button", { class: "button quiet", type: "button", "aria-label": `Change the policy of ${source}`, data: { focus: `policy ${source}` }, on: { click: () => setPolicy(source, policy) } }, "Policy …")),
    h("details", { class: "below" }, h("summary", {}, counted(all.length, "scope")), h("ul", { class: "plain" }, rows)));
}

const scopes = new Section(byId("scopes"), perSource(async (name) => ({ ...(await call("GET", `/api/access/policies/${name}`)), ...(await call("GET", `/api/access/scopes/${name}`)) })),
  (all) => (all.length ? h("div", { class: "cards" }, all.map(scopeCard)) : none("No sources yet.")));

/* Why is it visible? */

function audienceOf({ people: some, active, public: open }) {
  return open ? "Everybody who is signed in may read it." : `${some === 1 ? "1 person" : `${some} people`} of ${active} may read it.`;
}

async function explain(event) {
  event.preventDefault();
  const place = byId("why-answer");
  const { item, person } = Object.fromEntries(new FormData(byId("why")));
  try {
    const found = await call("GET", "/api/access/why", { query: { item, person } });
    const [first, ...rest] = found.lines;
    fill(place, h("div", { class: "cards" }, h("div", { class: `card ${found.visible ? "good" : "bad"}` }, icon(found.visible ? "check" : "close"),
      h("div", {}, h("div", { class: "name" }, first), rest.map((line) => h("div", { class: "line" }, worded(line))), h("div", { class: "aside" }, audienceOf(found.audience))))));
  } catch (problem) {
    fill(place, trouble(problem, () => byId("why").requestSubmit()));
  }
}

byId("why").addEventListener("submit", explain);
byId("add-rule").addEventListener("click", single(addRule));
byId("add-mapping").addEventListener("click", single(() => setMapping()));
oversharing(rules, scopes);
byId("why-item").value = wanted.get("item") ?? "";
const everybody = people().then((all) => fill(byId("why-person"), all.map(({ value, label }) => h("option", { value }, label))));
await Promise.all([rules.look(), mappings.look(), scopes.look(), everybody.catch(() => {})]); // the sections say what went wrong
if (location.hash) document.querySelector(location.hash)?.scrollIntoView();
