/** Talking to the server that served this page. */

/** The server answered with an error: `code`, `cause` and `remedy` come from it. */
export class ApiError extends Error {
  /** @param {number} status @param {{code?: string, cause?: string, remedy?: string, path?: string}} body */
  constructor(status, body) {
    super(body.cause ?? `The server answered ${status}.`);
    this.status = status;
    this.code = body.code ?? "failed";
    this.remedy = body.remedy ?? "";
    this.path = body.path ?? "";
  }
}

/** Nobody answers: the server stopped, or the machine sleeps. */
export class OfflineError extends Error {}

/**
 * @param {string} method
 * @param {string} path
 * @param {{query?: Record<string, string | number>, body?: object, signal?: AbortSignal}} [options]
 * @returns {Promise<any>}
 */
export async function call(method, path, { query, body, signal } = {}) {
  const url = new URL(path, location.origin);
  for (const [name, value] of Object.entries(query ?? {})) if (value !== "") url.searchParams.set(name, String(value));
  const init = { method, signal, credentials: "same-origin", headers: { accept: "application/json" } };
  if (body) Object.assign(init, { body: JSON.stringify(body), headers: { ...init.headers, "content-type": "application/json" } });
  let response;
  try {
    response = await fetch(url, init);
  } catch (problem) {
    if (problem.name === "AbortError") throw problem;
    throw new OfflineError("Bowerbird does not answer.");
  }
  const answer = await response.json().catch(() => ({}));
  if (!response.ok) throw new ApiError(response.status, answer);
  return answer;
}

export const part = encodeURIComponent;

export const search = (query, signal) => call("GET", "/api/search", { query, signal });
export const explain = (query, signal) => call("GET", "/api/explain", { query, signal });
export const item = (id, signal) => call("GET", `/api/items/${part(id)}`, { signal });
export const text = (id, start, length, signal) =>
  call("GET", `/api/items/${part(id)}/text`, { query: { start, length }, signal });
export const reveal = (id) => call("POST", `/api/items/${part(id)}/reveal`);
export const status = (signal) => call("GET", "/api/status", { signal });
export const previewFolder = (location) => call("POST", "/api/sources/preview", { body: { location } });
export const addFolder = (location) => call("POST", "/api/sources", { body: { location } });
export const saved = () => call("GET", "/api/me/saved");
export const save = ({ name, query, sort }) => call("POST", "/api/me/saved", { body: { name, query, sort } });
export const changeSaved = (id, change) => call("PATCH", `/api/me/saved/${part(id)}`, { body: change });
export const forgetSaved = (id) => call("DELETE", `/api/me/saved/${part(id)}`);
export const pageImage = (id, page, width) => `/api/items/${part(id)}/pages/${page}.png?width=${width}`;
export const original = (id) => `/open/${part(id)}`;
