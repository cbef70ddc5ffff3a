// Sends requests to the service, and throws each call that fails as a Failure.

// What the service refuses, or what the page does: then without a status, and with the values of its text.
/** @typedef {{ code?: string, status?: number, detail?: string, errors?: Fault[], [value: string]: unknown }} Problem */
/** @typedef {{ code?: string, pointer?: string, detail?: string, line?: number, [value: string]: unknown }} Fault */

// `problem`: what the service refuses, or what came instead of its answer. `passing`: the same call may succeed later.
export class Failure extends Error {
  /** @param {Problem} problem @param {{ passing?: boolean, after?: string | false | null }} [when] */
  constructor(problem, { passing = false, after = null } = {}) {
    super(problem.detail ?? problem.code);
    this.problem = problem;
    this.passing = passing;
    this.after = Number(after) || null; // seconds
    this.faults = problem.errors?.length ? problem.errors : [{ ...problem, pointer: "" }];
  }
}

/** @type {Record<number, string>} */
const CODES = { 413: "large", 502: "away", 503: "away", 504: "away" };
const BUSY = 503, TOO_OFTEN = 429;

export const headers = { "Content-Type": "application/json", Accept: "application/json" };

const LATE = 60; // seconds

/** @param {string} route @param {RequestInit} [options] */
export const send = async (route, options) => read(...await reach(route, options));

/** @param {Response} response */
const isJson = (response) => Boolean(response.headers.get("Content-Type")?.includes("json"));

// Returns the answer and its text, both before it is late.
/** @param {string} route @param {RequestInit} [options] @returns {Promise<[Response, string]>} */
async function reach(route, options) {
  const late = new AbortController();
  const timer = setTimeout(() => late.abort(), 1000 * LATE);
  try {
    const response = await fetch(route, { ...options, signal: late.signal });
    /** @param {unknown} error */
    const broken = (error) => { if (late.signal.aborted) throw error; return ""; };
    return [response, await response.text().catch(broken)];
  } catch { // fetch gives no reason
    throw new Failure({ code: late.signal.aborted ? "late" : "away", seconds: LATE }, { passing: true });
  } finally {
    clearTimeout(timer);
  }
}

/** @param {Response} response @param {string} body */
function read(response, body) {
  const { ok, status } = response;
  if (!isJson(response)) throw new Failure({ code: CODES[status] ?? "other", status }, { passing: CODES[status] === "away" });
  let document;
  try {
    document = JSON.parse(body);
  } catch {
    throw new Failure({ code: "cut", status }, { passing: true });
  }
  if (!ok) throw new Failure(document, { passing: status === BUSY || status === TOO_OFTEN, after: status === BUSY && response.headers.get("Retry-After") });
  return document;
}

/** @param {string} route */
export const getOnce = (route) => send(route, { headers: { Accept: "application/json" } });
/** @param {string} route */
export const postOnce = (route) => send(route, { method: "POST", headers, body: "{}" });

/** @param {string} name */
export const routeOf = (name) => `/v1/models/${encodeURIComponent(name)}`;
