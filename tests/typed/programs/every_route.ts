/** Call every route below /v1 with openapi-fetch and the types that openapi-typescript made, and print each. */

import assert from "node:assert/strict";
import createClient from "openapi-fetch";
import type { components, paths } from "./openapi.js";

type Json = "application/json" | "application/problem+json"; // an answer may be binary as well, and then has another type
const client = createClient<paths, Json>({ baseUrl: process.env.DELTAWIRE_URL! });
const network: components["schemas"]["Network"] = {
  inputs: { x: { shape: [2] } },
  nodes: [
    { kind: "linear", name: "line", config: { units: 3 } },
    { kind: "multiply", name: "square", inputs: ["line", "line"] },
    { kind: "sum", name: "loss" },
  ],
};
const whole = {
  network,
  params: { "line.weight": [[1, -2], [0.5, 4], [-8, 0.25]], "line.bias": [1, 0, -1] },
  data: { x: [[1, 2], [-3, 0.5]] },
};
const ones = { params: { "line.bias": [1, 1, 1] } };

/** Print the route of an answer, and return its document. */
function called<T>(route: string, { data, error }: { data?: T; error?: { detail: string } }): T {
  assert.ok(data !== undefined, `${route}: ${error?.detail}`);
  console.log(route);
  return data;
}

const drawn = called("POST /v1/init", await client.POST("/v1/init", { body: { network, seed: 3 } }));
const gradients = called(
  "POST /v1/gradients",
  await client.POST("/v1/gradients", {
    body: { network, params: drawn.params as typeof whole.params, data: whole.data, wrt: { data: ["x"] } },
  }),
);
assert.equal(typeof gradients.loss, "number");
const forward = await client.POST("/v1/forward", { body: { network: { name: "line" } } });
assert.deepEqual(called("POST /v1/forward", forward).values, { scores: [[-1.5, 4.75, 1]] });
const vjp = await client.POST("/v1/vjp", { body: { ...whole, cotangents: { loss: [1, 0] } } });
assert.deepEqual(called("POST /v1/vjp", vjp).products.params["line.bias"], [-4, 17, -17]);
const jvp = await client.POST("/v1/jvp", { body: { ...whole, tangents: ones, outputs: ["line"] } });
assert.deepEqual(called("POST /v1/jvp", jvp).tangents, { line: [[1, 1, 1], [1, 1, 1]] });
const jacobian = await client.POST("/v1/jacobian", { body: { ...whole, outputs: ["loss"], mode: "forward" } });
assert.equal(called("POST /v1/jacobian", jacobian).mode, "forward");
const hvp = await client.POST("/v1/hvp", { body: { ...whole, vectors: ones, quadratic: true, diagonal: { samples: 2 } } });
assert.equal(called("POST /v1/hvp", hvp).quadratic, 6);
const check = await client.POST("/v1/check", { body: { ...whole, samples: 2 } });
assert.equal(called("POST /v1/check", check).passed, true);
assert.equal(called("POST /v1/plan", await client.POST("/v1/plan", { body: { network, batch: 7 } })).fits, true);
assert.ok(called("GET /v1/layers", await client.GET("/v1/layers")).layers.length > 50);
const layer = await client.GET("/v1/layers/{kind}", { params: { path: { kind: "linear" } } });
assert.equal(called("GET /v1/layers/{kind}", layer).kind, "linear");
assert.equal(called("GET /v1/networks", await client.GET("/v1/networks")).networks[0]?.name, "line");
const line = await client.GET("/v1/networks/{name}", { params: { path: { name: "line" } } });
assert.equal(called("GET /v1/networks/{name}", line).dtype, "float32");
assert.ok(called("GET /v1/limits", await client.GET("/v1/limits")).dtypes.includes("float32"));

const refused = await client.POST("/v1/forward", { body: { network: { name: "circle" } } });
assert.equal(refused.error?.code, "network_not_found");
// @ts-expect-error: an option has other words
await client.POST("/v1/gradients", { body: { ...whole, reduction: "all" } });
