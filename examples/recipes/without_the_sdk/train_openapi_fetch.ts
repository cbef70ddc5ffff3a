// Fit y = 2x - 1 with openapi-fetch, and the types that openapi-typescript writes into openapi.ts.
import createClient from "openapi-fetch";
import type { components, paths } from "./openapi.js";

const network: components["schemas"]["Network"] = {
  inputs: { x: { shape: [1] }, y: { shape: [1] } },
  nodes: [
    { name: "line", kind: "linear", inputs: ["x"], config: { units: 1 } },
    { name: "loss", kind: "squared_error", inputs: ["line", "y"] },
  ],
};
const data = { x: [[0], [1], [2]], y: [[-1], [1], [3]] };

type Json = "application/json" | "application/problem+json"; // an answer may be binary as well, and then has another type
const client = createClient<paths, Json>({ baseUrl: process.argv[2] ?? "http://127.0.0.1:8000" });

/** Return the document of an answer, or throw what the problem document says. */
function read<T>({ data, error }: { data?: T; error?: { detail: string } }): T {
  if (data === undefined) throw new Error(error?.detail);
  return data;
}

// The document says "lists"; how deep they are depends on the network.
type Lists = number | Lists[];

/** Return parameters a step further down, in lists of any depth. */
function descend(values: Lists, gradient: Lists): Lists {
  if (!Array.isArray(values)) return values - 0.3 * (gradient as number);
  return values.map((value, i) => descend(value, (gradient as Lists[])[i]!));
}

let { params } = read(await client.POST("/v1/init", { body: { network, seed: 0 } }));
for (let step = 1; step <= 60; step++) {
  const { loss, gradients } = read(await client.POST("/v1/gradients", { body: { network, params, data } }));
  if (step % 20 === 0) console.log(`step ${step}: loss ${loss}`);
  const changed = Object.entries(params).map(([name, values]) => [
    name,
    descend(values as Lists, gradients.params[name] as Lists),
  ]);
  params = Object.fromEntries(changed);
}
const slope = (params["line.weight"] as [[number]])[0][0];
const intercept = (params["line.bias"] as [number])[0];
console.log(`slope ${slope}, intercept ${intercept}`);
if (Math.abs(slope - 2) > 0.01 || Math.abs(intercept + 1) > 0.01) process.exit(1);
