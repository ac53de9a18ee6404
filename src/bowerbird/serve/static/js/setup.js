/** Sets a password by a one-time link. The link's secret is in the fragment of the address, which no server sees. */

import { call } from "./api.js";
import { byId, fill, worded } from "./dom.js";
import { wireEntry } from "./entry.js";

const secret = location.hash.slice(1);
const form = byId("setup");

async function look() {
  if (!secret) throw new Error("This page needs the link that an admin made for you, in full.");
  const person = await call("POST", "/api/setup/check", { body: { secret } });
  form.elements.namedItem("handle").value = person.handle;
  fill(byId("told"), person.name ? `Welcome, ${person.name}. ` : "", "With it you sign in from now on, in any browser.");
  form.hidden = false;
  form.elements.namedItem("password").focus();
}

wireEntry(form, async ({ password, again }) => {
  if (password !== again) throw new Error("The two passwords are not the same.");
  const done = await call("POST", "/api/setup", { body: { secret, password } });
  location.replace(done.signed_in ? "/" : "/signin");
});
window.addEventListener("hashchange", () => location.reload());
look().catch((problem) => fill(byId("told"), worded(`${problem.message} ${problem.remedy ?? ""}`.trim())));
