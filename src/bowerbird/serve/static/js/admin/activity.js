/** Jobs with their progress, and what could not be read, by reason, with another try. */

import { call, part } from "../api.js";
import { byId, fill, h, icon } from "../dom.js";
import { count, counted, duration, size } from "../format.js";
import { ask } from "./dialog.js";
import { Section, attempt, none } from "./section.js";
import { badge, filter, table } from "./table.js";
import { REASONS, STATES, capital, moment } from "./words.js";

const PAGE = 50;
const TONES = { failed: "bad", done: "good", running: "accent" };
const wanted = { code: "", source: new URLSearchParams(location.search).get("source") ?? "", limit: PAGE };

const active = (job) => ["queued", "running"].includes(job.state);

function title(job, sources) {
  const source = sources.find(({ id }) => id === job.source_id)?.name ?? (job.kind === "sync" ? "all sources" : "");
  return `${capital(job.kind)}${source && ` · ${source}`}`;
}

function jobCard(job, sources) {
  const name = title(job, sources);
  const took = job.ended && job.started && (new Date(job.ended) - new Date(job.started)) / 1000;
  const facts = [job.total ? `${count(job.done)} of ${counted(job.total, "item")}` : job.done > 0 && counted(job.done, "item"),
    job.failed > 0 && `${count(job.failed)} could not be read`, took && `took ${duration(took)}`].filter(Boolean);
  const cancel = h("button", { class: "button quiet", type: "button", "aria-label": `Cancel: ${name}`, data: { focus: `cancel ${job.id}` },
    on: { click: () => stop(job, name) } }, "Cancel");
  const meter = h("progress", { class: "meter below", "aria-label": `Progress: ${name}`, max: job.total || null, value: job.total ? job.done : null });
  return h("div", { class: `card${job.state === "failed" ? " bad" : ""}`, data: { job: job.id } }, icon(job.state === "failed" ? "alert" : "sync"),
    h("div", {}, h("div", { class: "name" }, h("h3", {}, name), badge(STATES[job.state], TONES[job.state])),
      h("div", { class: "aside" }, moment(job.ended ?? job.started ?? job.created), facts.map((fact) => ` · ${fact}`)),
      job.message && h("div", { class: "why" }, job.message)),
    h("div", { class: "actions" }, active(job) && cancel), job.state === "running" && meter);
}

async function stop(job, name) {
  const done = await ask({ title: `Cancel ${name}?`, action: "Cancel the job", body: h("p", {}, "What it finished stays finished. It can be asked for again at any time."),
    run: () => call("POST", `/api/jobs/${part(job.id)}/cancel`) });
  if (done) attempt(async () => {}, "It is asked to stop.", jobs);
}

const jobs = new Section(byId("jobs"), async () => {
  const [list, { sources }] = await Promise.all([call("GET", "/api/jobs", { query: { limit: 8 } }), call("GET", "/api/sources")]);
  return { jobs: list.jobs, sources };
}, (answer) => (answer.jobs.length ? h("div", { class: "cards" }, answer.jobs.map((job) => jobCard(job, answer.sources))) : none("Nothing has been asked for yet.")),
(answer) => (answer.jobs.some(active) ? 1.5 : 10));

function codeFilters({ codes }) {
  const place = byId("codes");
  const total = Object.values(codes).reduce((sum, number) => sum + number, 0);
  const choose = (code) => () => { Object.assign(wanted, { code, limit: PAGE }); refused.look(); };
  place.hidden = Object.keys(codes).length < 2 && !wanted.source;
  const held = document.activeElement?.dataset?.focus;
  fill(place, filter("All", count(total), !wanted.code, choose("")),
    Object.entries(codes).map(([code, number]) => filter(REASONS[code] ?? code, count(number), wanted.code === code, choose(code))),
    wanted.source && h("button", { class: "filter", type: "button", "aria-pressed": "true", "aria-label": `Only ${wanted.source}: remove this filter`,
      on: { click: () => { wanted.source = ""; history.replaceState(null, "", location.pathname); refused.look(); } } }, wanted.source, icon("close")));
  for (const one of place.children) if (held && one.dataset.focus === held) one.focus();
}

const again = (row) => h("button", { class: "button quiet", type: "button", "aria-label": `Try ${row.key} again`, data: { focus: `again ${row.item}` },
  on: { click: () => attempt(() => call("POST", "/api/admin/quarantine/retry", { body: { items: [row.item] } }), "It is read again.", refused, jobs) } },
icon("sync"), "Try again");

const COLUMNS = [
  { name: "File", cell: (row) => [h("div", { class: "name" }, row.key || "The whole source"), h("div", { class: "aside" }, [row.source, row.size > 0 && size(row.size)].filter(Boolean).join(" · "))] },
  { name: "Why", class: "why", cell: (row) => h("div", {}, row.cause || REASONS[row.code], " ", h("code", {}, row.code)) },
  { name: "When", cell: (row) => moment(row.at) },
  { name: "", cell: (row) => row.item && again(row) },
];

const refused = new Section(byId("refused"), () => call("GET", "/api/admin/quarantine", { query: wanted }), (answer) => {
  codeFilters(answer);
  byId("retry-all").hidden = !answer.total;
  if (!answer.total) return none(wanted.code || wanted.source ? "Nothing of this kind." : "Everything could be read.", true);
  const more = h("button", { class: "button", type: "button", data: { focus: "more" }, on: { click: () => { wanted.limit += PAGE; refused.look(); } } }, "Show more");
  return [table("Could not be read", COLUMNS, answer.refused), answer.next > 0 && h("div", { class: "older" }, more)];
}, () => 10);

byId("retry-all").addEventListener("click", async () => {
  const { codes } = JSON.parse(refused.state);
  const number = wanted.code ? codes[wanted.code] : Object.values(codes).reduce((sum, one) => sum + one, 0);
  const done = await ask({ title: `Read ${counted(number, "file")} again?`, action: "Try again",
    body: h("p", {}, "Worth it after the files were mended, or a limit was raised. It may take a while; searching goes on meanwhile."),
    run: () => call("POST", "/api/admin/quarantine/retry", { body: { code: wanted.code, source: wanted.source } }) });
  if (done) attempt(async () => done, ({ retried }) => `${counted(retried, "file")} will be read again.`, refused, jobs);
});

await Promise.all([jobs.look(), refused.look()]);
if (location.hash === "#quarantine") byId("quarantine").scrollIntoView();
