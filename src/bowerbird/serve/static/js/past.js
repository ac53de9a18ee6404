/** Somebody's own past searches, on their account page: what they are offered while they type, and how to get rid of it. */

import { ask } from "./admin/dialog.js";
import { Section, attempt, none } from "./admin/section.js";
import { table } from "./admin/table.js";
import { call } from "./api.js";
import { linkTo } from "./address.js";
import { byId, h } from "./dom.js";
import { count } from "./format.js";

const SHOWN = 8; // the newest; the others when asked for

let all = false;

const forget = (text) => attempt(() => call("DELETE", "/api/me/queries", { query: { text } }), "It is forgotten.", past);

const columns = [
  { name: "Search", cell: (text) => h("a", { class: "name", href: linkTo({ q: text, sort: "", item: "" }) }, text) },
  { name: "", cell: (text) => h("button", { class: "button quiet", type: "button", "aria-label": `Forget ${text}`, data: { focus: `forget ${text}` },
    on: { click: () => forget(text) } }, "Forget") },
];

function show({ queries }) {
  button.hidden = !queries.length;
  if (!queries.length) return none("There are none.");
  const some = all ? queries : queries.slice(0, SHOWN);
  const more = h("button", { class: "button quiet", type: "button", on: { click: () => { all = true; past.state = ""; past.look(); } } },
    `${count(queries.length - some.length)} more`);
  return [table("Past searches", columns, some), some.length < queries.length && more];
}

async function forgetAll() {
  const done = await ask({
    title: "Forget all past searches?", danger: true, action: "Forget them", body: h("p", {}, "They are no longer offered to you while you type."),
    run: () => call("DELETE", "/api/me/queries"),
  });
  if (done) attempt(async () => {}, "All past searches are forgotten.", past);
}

const button = byId("forget-all");
const past = new Section(byId("past"), () => call("GET", "/api/me/queries"), show);
button.addEventListener("click", forgetAll);
past.look();
