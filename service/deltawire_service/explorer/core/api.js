// The service's routes. What it refuses is thrown as a Refused, with its faults.

export class Refused extends Error {
  constructor(problem) {
    super(problem.detail);
    this.problem = problem;
    this.faults = problem.errors ?? [];
  }
}

async function answered(response) {
  const document = await response.json();
  if (!response.ok) throw new Refused(document);
  return document;
}

const headers = { "Content-Type": "application/json", Accept: "application/json" };

const TRIES = 8; // while the service has no room for more

async function asked(route, options) {
  for (let tries = 1; ; tries += 1) {
    const response = await fetch(route, options);
    if (response.status !== 503 || tries === TRIES) return answered(response);
    const seconds = Number(response.headers.get("Retry-After")) || 1;
    await new Promise((resume) => { setTimeout(resume, 1000 * Math.min(seconds, 5)); });
  }
}

const post = (route, body) => asked(route, { method: "POST", headers, body: JSON.stringify(body) });

export const layers = async () => {
  const { layers } = await asked("/v1/layers", { headers: { Accept: "application/json" } });
  return new Map(layers.map((layer) => [layer.kind, layer]));
};
export const example = (name) => asked(`/explorer/examples/${name}.json`);
export const plan = (network) => post("/v1/plan", { network });
export const init = (network, seed = 0) => post("/v1/init", { network, seed });
export const forward = (body) => post("/v1/forward", body);
export const gradients = (body) => post("/v1/gradients", body);
export const check = (body) => post("/v1/check", body);
