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

// A model: made, stepped once for its key, computed with, brought back, forked, deleted.

const own = { params: { path: { name: "typescript" } } };
const batch = { data: whole.data };
const optimizer = { kind: "sgd" };
const made = await client.POST("/v1/models", { body: { name: "typescript", network, params: whole.params, optimizer } });
assert.equal(called("POST /v1/models", made).version, 0);
for (const replayed of [false, true]) {
  const key = { ...own.params, header: { "Idempotency-Key": "typescript-step" } };
  const { data: step } = await client.POST("/v1/models/{name}/steps", { params: key, body: batch });
  assert.deepEqual([step?.version, step?.replayed], [1, replayed]);
}
console.log("POST /v1/models/{name}/steps");
const all = called("GET /v1/models", await client.GET("/v1/models"));
assert.ok(all.models.some((model) => model.name === "typescript"));
assert.equal(called("GET /v1/models/{name}", await client.GET("/v1/models/{name}", own)).step, 1);
const ledger = await client.GET("/v1/models/{name}/ledger", own);
assert.equal(called("GET /v1/models/{name}/ledger", ledger).entries.length, 2);
const first = await client.GET("/v1/models/{name}/params", { params: { ...own.params, query: { version: 0 } } });
assert.deepEqual(called("GET /v1/models/{name}/params", first).params, whole.params);
const state = await client.GET("/v1/models/{name}/optimizer", own);
assert.equal(called("GET /v1/models/{name}/optimizer", state).origin.step, 1);
const change = { optimizer: { config: { learning_rate: 0.5 } } };
const changed = await client.PATCH("/v1/models/{name}", { ...own, body: change });
assert.equal(called("PATCH /v1/models/{name}", changed).version, 2);
const restored = await client.POST("/v1/models/{name}/restore", { ...own, body: { version: 0 } });
assert.equal(called("POST /v1/models/{name}/restore", restored).step, 0);
const modelGradients = await client.POST("/v1/models/{name}/gradients", { ...own, body: batch });
assert.equal(typeof called("POST /v1/models/{name}/gradients", modelGradients).loss, "number");
const modelForward = await client.POST("/v1/models/{name}/forward", { ...own, body: { ...batch, values: ["line"] } });
assert.deepEqual(called("POST /v1/models/{name}/forward", modelForward).values, {
  line: [[-2, 8.5, -8.5], [-3, 0.5, 23.125]],
});
const modelVjp = await client.POST("/v1/models/{name}/vjp", { ...own, body: { ...batch, cotangents: { loss: [1, 0] } } });
assert.deepEqual(called("POST /v1/models/{name}/vjp", modelVjp).products.params["line.bias"], [-4, 17, -17]);
const modelJvp = await client.POST("/v1/models/{name}/jvp", { ...own, body: { ...batch, tangents: ones, outputs: ["line"] } });
assert.deepEqual(called("POST /v1/models/{name}/jvp", modelJvp).tangents, { line: [[1, 1, 1], [1, 1, 1]] });
const modelJacobian = await client.POST("/v1/models/{name}/jacobian", { ...own, body: { ...batch, outputs: ["loss"] } });
assert.ok(called("POST /v1/models/{name}/jacobian", modelJacobian).jacobian.loss);
const modelHvp = await client.POST("/v1/models/{name}/hvp", { ...own, body: { ...batch, vectors: ones, quadratic: true } });
assert.equal(called("POST /v1/models/{name}/hvp", modelHvp).quadratic, 6);
const modelCheck = await client.POST("/v1/models/{name}/check", { ...own, body: { ...batch, samples: 2 } });
assert.equal(called("POST /v1/models/{name}/check", modelCheck).passed, true);
const modelPlan = await client.POST("/v1/models/{name}/plan", { ...own, body: { batch: 7 } });
assert.equal(called("POST /v1/models/{name}/plan", modelPlan).fits, true);
const fork = await client.POST("/v1/models/{name}/fork", { ...own, body: { name: "typescript_fork", version: 1 } });
assert.equal(called("POST /v1/models/{name}/fork", fork).step, 1);

// A dataset and a run on it, which waits: this service has no trainer.

const table = { params: { path: { name: "typescript" } } };
const put = await client.PUT("/v1/datasets/{name}", { ...table, body: { path: process.env.TABLE! } });
assert.equal(called("PUT /v1/datasets/{name}", put).rows, 3);
const datasets = called("GET /v1/datasets", await client.GET("/v1/datasets")).datasets;
assert.ok(datasets.some((dataset) => dataset.name === "typescript"));
assert.equal(called("GET /v1/datasets/{name}", await client.GET("/v1/datasets/{name}", table)).columns.length, 2);
const recipe = { dataset: "typescript", columns: { x: ["a", "b"] }, epochs: 2 };
const run = called("POST /v1/models/{name}/runs", await client.POST("/v1/models/{name}/runs", { ...own, body: recipe }));
assert.equal(run.state, "queued");
const its = { params: { path: { id: run.id } } };
assert.equal(called("GET /v1/runs", await client.GET("/v1/runs")).runs[0]?.id, run.id);
assert.equal(called("GET /v1/runs/{id}", await client.GET("/v1/runs/{id}", its)).total_steps, 2);
assert.deepEqual(called("GET /v1/runs/{id}/metrics", await client.GET("/v1/runs/{id}/metrics", its)).steps, []);
assert.equal(called("POST /v1/runs/{id}/pause", await client.POST("/v1/runs/{id}/pause", its)).state, "paused");
assert.equal(called("POST /v1/runs/{id}/resume", await client.POST("/v1/runs/{id}/resume", its)).state, "queued");
assert.equal(called("POST /v1/runs/{id}/cancel", await client.POST("/v1/runs/{id}/cancel", its)).state, "cancelled");
assert.equal(called("DELETE /v1/models/{name}", await client.DELETE("/v1/models/{name}", own)).version, 3);
assert.equal(called("DELETE /v1/datasets/{name}", await client.DELETE("/v1/datasets/{name}", table)).name, "typescript");
assert.ok(called("GET /v1/optimizers", await client.GET("/v1/optimizers")).optimizers.length > 5);
const adam = await client.GET("/v1/optimizers/{kind}", { params: { path: { kind: "adam" } } });
assert.equal(called("GET /v1/optimizers/{kind}", adam).kind, "adam");

const refused = await client.POST("/v1/forward", { body: { network: { name: "circle" } } });
assert.equal(refused.error?.code, "network_not_found");
// @ts-expect-error: an option has other words
await client.POST("/v1/gradients", { body: { ...whole, reduction: "all" } });
