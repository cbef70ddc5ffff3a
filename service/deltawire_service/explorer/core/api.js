// Calls the routes of the service and throws what it refuses as a Refused.

export class Refused extends Error {
  constructor(problem) {
    super(problem.detail);
    this.problem = problem;
    this.faults = problem.errors ?? [];
  }
}

// The service did not answer: it is away, or something between has answered for it.
export class Unreachable extends Error {}

const headers = { "Content-Type": "application/json", Accept: "application/json" };

const TRIES = 8; // while the service has no room for more
const LONGEST = 5; // seconds between two tries

async function send(route, options = {}, most = TRIES) {
  for (let tries = 1; ; tries += 1) {
    const response = await reach(route, options);
    if (response.status !== 503 || tries === most) return read(response);
    const seconds = Number(response.headers.get("Retry-After")) || 1;
    await new Promise((resume) => { setTimeout(resume, 1000 * Math.min(seconds, LONGEST)); });
  }
}

async function reach(route, options) {
  try {
    return await fetch(route, options);
  } catch (error) { // fetch gives no other reason than this one
    throw new Unreachable(error.message, { cause: error });
  }
}

async function read(response) {
  if (!response.headers.get("Content-Type")?.includes("json")) throw new Unreachable(`status ${response.status}`);
  const document = await response.json();
  if (!response.ok) throw new Refused(document);
  return document;
}

// Asks once: whoever asks again and again decides how long to wait.
export const getOnce = (route) => send(route, { headers: { Accept: "application/json" } }, 1);
export const postOnce = (route) => send(route, { method: "POST", headers, body: "{}" }, 1);

const post = (route, body) => send(route, { method: "POST", headers, body: JSON.stringify(body) });

// Computes a document; one of a model's version by the routes of the model, which have its network, parameters and dtype.
function compute(operation, { model, ...body }) {
  if (!model) return post(`/v1/${operation}`, body);
  const { network, params, ...rest } = body;
  return post(`${routeOf(model.name)}/${operation}`, { ...rest, version: model.version });
}

export const routeOf = (name) => `/v1/models/${encodeURIComponent(name)}`;

// Returns a Map from kind to layer.
export const layers = async () => {
  const { layers } = await send("/v1/layers", { headers: { Accept: "application/json" } });
  return new Map(layers.map((layer) => [layer.kind, layer]));
};
export const example = (name) => send(`/explorer/examples/${name}.json`);
export const plan = (network) => post("/v1/plan", { network });
export const init = (network, seed = 0) => post("/v1/init", { network, seed });
export const forward = (body) => compute("forward", body);
export const gradients = (body) => compute("gradients", body);
export const check = (body) => compute("check", body);
export const modelNamed = (name) => send(routeOf(name), { headers });
export const paramsOf = (name, version) => send(`${routeOf(name)}/params?version=${version}`, { headers });
