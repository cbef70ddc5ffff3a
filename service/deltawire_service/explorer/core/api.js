// Calls the routes of the service and throws what it refuses as a Refused.

export class Refused extends Error {
  constructor(problem) {
    super(problem.detail);
    this.problem = problem;
    this.faults = problem.errors ?? [];
  }
}

const headers = { "Content-Type": "application/json", Accept: "application/json" };

const TRIES = 8; // while the service has no room for more
const LONGEST = 5; // seconds between two tries

async function send(route, options) {
  for (let tries = 1; ; tries += 1) {
    const response = await fetch(route, options);
    if (response.status !== 503 || tries === TRIES) return read(response);
    const seconds = Number(response.headers.get("Retry-After")) || 1;
    await new Promise((resume) => { setTimeout(resume, 1000 * Math.min(seconds, LONGEST)); });
  }
}

async function read(response) {
  const document = await response.json();
  if (!response.ok) throw new Refused(document);
  return document;
}

const post = (route, body) => send(route, { method: "POST", headers, body: JSON.stringify(body) });

// Returns a Map from kind to layer.
export const layers = async () => {
  const { layers } = await send("/v1/layers", { headers: { Accept: "application/json" } });
  return new Map(layers.map((layer) => [layer.kind, layer]));
};
export const example = (name) => send(`/explorer/examples/${name}.json`);
export const plan = (network) => post("/v1/plan", { network });
export const init = (network, seed = 0) => post("/v1/init", { network, seed });
export const forward = (body) => post("/v1/forward", body);
export const gradients = (body) => post("/v1/gradients", body);
export const check = (body) => post("/v1/check", body);
