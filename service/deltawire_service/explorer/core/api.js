// Calls the routes that the network graph is made of.
import * as requests from "./requests.js";

const { headers, routeOf } = requests;
const TRIES = 8; // while the service has no room for more
const LONGEST = 5; // seconds between two tries

async function send(route, options) {
  for (let tries = 1; ; tries += 1) {
    try {
      return await requests.send(route, options);
    } catch (error) {
      if (!(error instanceof requests.Failure) || !error.after || tries === TRIES) throw error;
      const { after } = error;
      await new Promise((resume) => { setTimeout(resume, 1000 * Math.min(after, LONGEST)); });
    }
  }
}

const post = (route, body) => send(route, { method: "POST", headers, body: JSON.stringify(body) });

// Computes a document; one of a model's version by the routes of the model, which have its network, parameters and dtype.
function compute(operation, { model, ...body }) {
  if (!model) return post(`/v1/${operation}`, body);
  const { network, params, ...rest } = body;
  return post(`${routeOf(model.name)}/${operation}`, { ...rest, version: model.version });
}

// Returns a Map from kind to layer, each with what is translated of its texts.
export const layers = async (lang) => {
  const { layers } = await send(lang === "en" ? "/v1/layers" : `/v1/layers?lang=${lang}`, { headers: { Accept: "application/json" } });
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
