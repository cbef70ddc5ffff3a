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

const post = async (route, body, signal) =>
  answered(await fetch(route, { method: "POST", headers, body: JSON.stringify(body), signal }));

export const layers = async () => {
  const { layers } = await answered(await fetch("/v1/layers", { headers: { Accept: "application/json" } }));
  return new Map(layers.map((layer) => [layer.kind, layer]));
};
export const example = async (name) => answered(await fetch(`/explorer/examples/${name}.json`));
export const plan = (network) => post("/v1/plan", { network });
export const init = (network, seed = 0) => post("/v1/init", { network, seed });
export const gradients = (body, signal) => post("/v1/gradients", body, signal);
export const check = (body) => post("/v1/check", body);
