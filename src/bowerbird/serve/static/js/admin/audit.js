/** The audit log: who did what and when, whether the chain holds, and older lines on request. */

import { call } from "../api.js";
import { byId, h, icon } from "../dom.js";
import { count, fullDate } from "../format.js";
import { Section, none } from "./section.js";
import { badge, table } from "./table.js";
import { capital, exactly } from "./words.js";

const PAGE = 100;
const ACTORS = { system: "Bowerbird itself", nobody: "Nobody signed in" };

let older = []; // what was asked for beyond the newest page
let before = 0;

/** `rule.added` as `Rule added`. @param {string} action */
const worded = (action) => capital(action.replaceAll(/[._-]/g, " "));

/** A name, with what the log itself holds on hover. @param {string} name @param {string} held */
const named = (name, held) => h("span", { title: held }, name);

const columns = [
  { name: "When", cell: ({ at }) => h("time", { datetime: at, title: fullDate(at) }, exactly(at)) },
  { name: "Who", cell: ({ actor, person }) => (person ? named(person, actor) : ACTORS[actor] ?? h("code", { title: "Whom this stands for is no longer known." }, actor)) },
  { name: "What", class: "name", cell: ({ action }) => named(worded(action), action) },
  { name: "To", cell: ({ object, subject }) => (subject ? named(subject, object) : object && h("code", {}, object)) },
];

const query = (from) => ({ action: byId("action").value, limit: PAGE, before: from || "" });

function fillActions(actions) {
  const field = byId("action");
  byId("filter").hidden = !actions.length;
  const known = new Set([...field.options].map(({ value }) => value));
  for (const action of actions) if (!known.has(action)) field.append(h("option", { value: action }, worded(action)));
}

async function more(from) {
  const answer = await call("GET", "/api/audit", { query: query(from) });
  older = [...older, ...answer.events];
  before = answer.next;
  await events.look();
}

const events = new Section(byId("events"), async () => {
  const answer = await call("GET", "/api/audit", { query: query(0) });
  if (!older.length) before = answer.next;
  return { ...answer, older, before };
}, (answer) => {
  fillActions(answer.actions);
  const newest = new Set(answer.events.map(({ id }) => id));
  const all = [...answer.events, ...answer.older.filter(({ id }) => !newest.has(id))];
  if (!all.length) return none("Nothing yet.");
  return [table("Events", columns, all), answer.before > 0 && h("div", { class: "older" },
    h("button", { class: "button", type: "button", data: { focus: "older" }, on: { click: () => more(answer.before) } }, "Older"))];
});

const chain = new Section(byId("chain"), () => call("GET", "/api/audit/verify"), ({ events: number, broken }) =>
  (broken.length
    ? h("div", { class: "trouble", role: "alert" }, icon("alert"), h("p", {}, `The chain is broken at ${count(broken.length)} of ${count(number)} lines, first at line ${broken[0]}: somebody changed the database by hand, or it is damaged.`))
    : h("p", {}, badge("Chain verified", "good"), h("span", { class: "aside" }, ` ${count(number)} lines, none changed, taken out or put in.`))));

byId("action").addEventListener("change", () => {
  older = [];
  events.look();
});
await Promise.all([events.look(), chain.look()]);
