/** What codes, kinds and states are called on the pages. */

import { h } from "../dom.js";
import { fullDate, when } from "../format.js";

/** Why something could not be read, in a few words. */
export const REASONS = {
  "extraction-failed": "Broken or unknown inside", "sandbox-timeout": "Took too long", "sandbox-crash": "Broke its parser",
  "sandbox-output": "Too much inside", "container-unsafe": "Unsafe archive", "source-unreadable": "No access", "disk-full": "Disk full",
};

/** The roles, the least first, with what each may do. */
export const ROLES = [
  { value: "guest", label: "Guest", meaning: "Reads what was shared with them, nothing else." },
  { value: "member", label: "Member", meaning: "Reads what is theirs and what is open to members." },
  { value: "admin", label: "Admin", meaning: "Looks after people, sources and permissions as well." },
  { value: "owner", label: "Owner", meaning: "May do everything, and makes other owners." },
];

export const roleName = (role) => ROLES.find(({ value }) => value === role)?.label ?? role;

export const STATES = { queued: "Waits for its turn", running: "Under way", done: "Done", failed: "Failed", cancelled: "Cancelled" };

/** A moment in words, the whole date on hover. @param {string | null} moment RFC 3339 @param {string} [never] */
export const moment = (moment, never = "never") =>
  moment ? h("time", { datetime: moment, title: fullDate(moment) }, when(moment)) : h("span", { class: "faint" }, never);

const dayAndTime = new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "long", hour: "2-digit", minute: "2-digit" });

/** @param {string} moment RFC 3339 @returns {string} `25 March, 12:00` */
export const longDate = (moment) => dayAndTime.format(new Date(moment)).replace(" at ", ", ");

const toTheSecond = new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "short", year: "numeric", hour: "2-digit", minute: "2-digit", second: "2-digit" });

/** @param {string} moment RFC 3339 @returns {string} `25 Mar 2026, 12:00:07` */
export const exactly = (moment) => toTheSecond.format(new Date(moment));

/** @param {string} text @returns {string} with a capital */
export const capital = (text) => text.slice(0, 1).toUpperCase() + text.slice(1);

/** Who may read a source, before any rule. */
export const POLICIES = [
  { value: "private", who: "its owner", label: "Private", meaning: "Its owner only." },
  { value: "members", who: "members", label: "Members", meaning: "Every member, admin and owner; guests are not let in." },
  { value: "public", who: "everybody", label: "Everybody", meaning: "Everybody who is signed in, guests too." },
  { value: "source", who: "whom it names", label: "As the source says", meaning: "Whom the source itself names: the owners and modes of files, for example." },
];
