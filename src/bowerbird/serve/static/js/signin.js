/** The form that signs in by a password. */

import { call } from "./api.js";
import { byId } from "./dom.js";
import { wireEntry } from "./entry.js";

/** Pages that only let somebody in; all others are what was asked for, and are shown again. */
const ENTRANCES = ["/signin", "/setup", "/oidc/callback"];

wireEntry(byId("signin"), async (values) => {
  await call("POST", "/api/signin", { body: values });
  if (ENTRANCES.includes(location.pathname)) location.replace("/");
  else location.reload();
});
