/** Numbers, sizes, dates and names as a person reads them. */

const numbers = new Intl.NumberFormat("en");
const relative = new Intl.RelativeTimeFormat("en", { numeric: "auto" });
const absolute = new Intl.DateTimeFormat(undefined, { dateStyle: "full", timeStyle: "short" });
const sameYear = new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "short" });
const otherYear = new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "short", year: "numeric" });

/** The kinds in the plural, for filters and counts. */
export const KINDS = {
  document: "Documents", presentation: "Slides", spreadsheet: "Sheets", pdf: "PDF", note: "Notes", page: "Web pages",
  message: "Mail", event: "Events", contact: "Contacts", image: "Images", audio: "Audio", video: "Video", code: "Code",
  data: "Data", archive: "Archives", other: "Other",
};

/** The kinds in the singular. */
export const KIND = {
  document: "Document", presentation: "Slides", spreadsheet: "Sheet", pdf: "PDF", note: "Note", page: "Web page",
  message: "Mail", event: "Event", contact: "Contact", image: "Image", audio: "Audio", video: "Video", code: "Code",
  data: "Data", archive: "Archive", other: "File",
};

/** @param {number} value @returns {string} */
export const count = (value) => numbers.format(value);

/** @param {number} value @param {string} one @returns {string} `1 item`, `2 items` */
export const counted = (value, one) => `${count(value)} ${one}${value === 1 ? "" : "s"}`;

/** @param {number} bytes @returns {string} */
export function size(bytes) {
  const units = ["bytes", "KB", "MB", "GB", "TB"];
  let unit = 0;
  while (bytes >= 1000 && unit < units.length - 1) {
    bytes /= 1000;
    unit += 1;
  }
  return `${unit && bytes < 10 ? bytes.toFixed(1) : Math.round(bytes)} ${units[unit]}`;
}

/**
 * A date near now in words, others as a date.
 * @param {string | null} text RFC 3339
 * @param {Date} [now]
 * @returns {string}
 */
export function when(text, now = new Date()) {
  if (!text) return "";
  const date = new Date(text);
  const seconds = (date - now) / 1000;
  const days = Math.round((startOfDay(date) - startOfDay(now)) / 86_400_000);
  if (Math.abs(seconds) < 60) return "just now";
  if (Math.abs(seconds) < 3600) return relative.format(Math.round(seconds / 60), "minute");
  if (days === 0) return relative.format(Math.round(seconds / 3600), "hour");
  if (Math.abs(days) < 7) return relative.format(days, "day");
  return (date.getFullYear() === now.getFullYear() ? sameYear : otherYear).format(date);
}

/** @param {string | null} text RFC 3339 @returns {string} */
export const fullDate = (text) => (text ? absolute.format(new Date(text)) : "");

function startOfDay(date) {
  return new Date(date.getFullYear(), date.getMonth(), date.getDate());
}

/** @param {number} seconds @returns {string} `2:05` */
export const clock = (seconds) => `${Math.floor(seconds / 60)}:${String(Math.floor(seconds % 60)).padStart(2, "0")}`;

/** @param {number} seconds @returns {string} */
export function duration(seconds) {
  if (seconds < 90) return `${Math.max(1, Math.round(seconds))} s`;
  return seconds < 5400 ? `${Math.round(seconds / 60)} min` : `${(seconds / 3600).toFixed(1)} h`;
}

/** @param {string} source @param {string} path @returns {string[]} source and folders, without the file's name */
export function trail(source, path) {
  const steps = path.split("/").filter(Boolean);
  steps.pop();
  return [source, ...steps.map((step) => step.replace(/!$/, ""))].filter(Boolean);
}

/** @param {Array<{name: string, address: string}>} people @returns {string} */
export function names(people) {
  const shown = people.slice(0, 2).map((person) => person.name || person.address);
  return people.length > 2 ? `${shown.join(", ")} +${people.length - 2}` : shown.join(", ");
}
