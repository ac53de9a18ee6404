/** Whom a rule can name: people, groups, roles, everybody. */

import { call } from "../api.js";
import { ROLES } from "./words.js";

/** What stands for everybody who is signed in, and for a role and those above it. */
const WIDE = [
  { value: "public", label: "Everybody who is signed in", group: "Everybody" },
  ...ROLES.slice(1).map(({ value, label }) => ({ value: `group:role:${value}`, label: value === "owner" ? "Owners" : `${label}s and above`, group: "Everybody" })),
];

const named = (one) => (one.name ? `${one.name} (${one.handle})` : one.handle);

/** Everybody as options, by handle. @returns {Promise<Array<{value: string, label: string}>>} the values are ids */
export async function people() {
  const { people: all } = await call("GET", "/api/people");
  return all.map((one) => ({ value: one.id, label: named(one) }));
}

/** Everything a rule can name, as options. */
export async function principals() {
  const [everybody, { groups }] = await Promise.all([people(), call("GET", "/api/groups")]);
  return [...WIDE, ...groups.map((one) => ({ value: one.id, label: one.source === "local" ? one.name : `${one.name} (${one.source})`, group: "Groups" })),
    ...everybody.map(({ value, label }) => ({ value: `user:${value}`, label, group: "People" }))];
}

/** A principal as the API labels it, as a person reads it. @param {string} label */
export function readable(label) {
  const wide = WIDE.find(({ value }) => value === label);
  return wide ? wide.label : label.replace(/^group:/, "");
}
