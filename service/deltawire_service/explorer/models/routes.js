// Calls the routes of models and runs, once each, for a page that asks again by itself.
import { getOnce, postOnce, routeOf } from "../core/api.js";

const query = (parts) => new URLSearchParams(Object.entries(parts).filter(([, value]) => value !== null));

// Tells what the service has: {models, runs}.
export async function offered() {
  const [{ keeps_models: models }, { routes }] = await Promise.all([getOnce("/v1/limits"), getOnce("/")]);
  return { models, runs: models && routes.includes("GET /v1/runs") };
}

const runRoute = (id) => `/v1/runs/${encodeURIComponent(id)}`;

// Each list returns {rows, next}; `after`: the `next` of the page before, null on the first.
export async function listModels(after, limit) {
  const { models: rows, next } = await getOnce(`/v1/models?${query({ after, limit })}`);
  return { rows, next };
}

export async function listRuns(before, limit) {
  const { runs: rows, next } = await getOnce(`/v1/runs?${query({ before, limit })}`);
  return { rows, next };
}

export const model = (name) => getOnce(routeOf(name));
export const run = (id) => getOnce(runRoute(id));
export const ledger = (name, after, limit) => getOnce(`${routeOf(name)}/ledger?${query({ after, limit })}`);
export const metrics = (id, since, limit) => getOnce(`${runRoute(id)}/metrics?${query({ since, limit })}`);

// `action`: pause, resume or cancel. Returns the run as it is then.
export const change = (id, action) => postOnce(`${runRoute(id)}/${action}`);
