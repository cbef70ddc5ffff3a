// Calls the routes of models and runs, once each, for a page that asks again by itself.
import { getOnce, postOnce, routeOf } from "../core/requests.js";

const MOST = 1000; // entries that the service gives at once

const query = (parts) => new URLSearchParams(Object.entries(parts).filter(([, value]) => value !== null && value !== ""));

// Tells what the service has: {models, runs, workers}, as `workers` below tells.
export async function offered() {
  const [{ keeps_models: models, workers }, { routes }] = await Promise.all([getOnce("/v1/limits"), getOnce("/")]);
  return { models, runs: models && routes.includes("GET /v1/runs"), workers };
}

// Counts the workers on other machines: {connected, equal, other}; null for a service that uses none.
export const workers = async () => (await getOnce("/v1/limits")).workers;

const runRoute = (id) => `/v1/runs/${encodeURIComponent(id)}`;

// Each list returns {rows, next}. `after`: the `next` of the page before, null on the first. `contains`: a part of a model's name.
export async function listModels({ after, limit, contains }) {
  const { models: rows, next } = await getOnce(`/v1/models?${query({ after, limit, contains })}`);
  return { rows, next };
}

export async function listEndedRuns({ after, limit, contains }) {
  const { runs: rows, next } = await getOnce(`/v1/runs?${query({ open: false, before: after, limit, contains })}`);
  return { rows, next };
}

// There are a few of them at most: a quota bounds them.
export async function listOpenRuns() {
  const { runs: rows } = await getOnce(`/v1/runs?${query({ open: true, limit: MOST })}`);
  return rows;
}

export const model = (name) => getOnce(routeOf(name));
export const run = (id) => getOnce(runRoute(id));
export const ledger = (name, after) => getOnce(`${routeOf(name)}/ledger?${query({ after, limit: MOST })}`);
export const metrics = (id, since) => getOnce(`${runRoute(id)}/metrics?${query({ since, limit: MOST })}`);

// `action`: pause, resume or cancel. Returns the run as it is then.
export const change = (id, action) => postOnce(`${runRoute(id)}/${action}`);
