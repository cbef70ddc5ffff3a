/**
 * Every route of a real service, at DELTAWIRE_URL. It publishes the network `line`.
 *
 * `npm test` without that variable expects a service at http://127.0.0.1:8000.
 */

import assert from "node:assert/strict";
import { test } from "node:test";
import { Client, encode, MEDIA_TYPE, Refused, Tensor, type Network } from "../src/index.js";
import { parseJson } from "../src/tensor.js";
import { ROUTES, text } from "./folders.js";

const url = process.env.DELTAWIRE_URL ?? "http://127.0.0.1:8000";
const client = new Client(url);

const network: Network = {
  inputs: { x: { shape: [2] }, y: { shape: [], dtype: "int64" } },
  nodes: [
    { kind: "linear", name: "scores", inputs: ["x"], config: { units: 3 } },
    { kind: "softmax_nll", name: "loss", inputs: ["scores", "y"] },
  ],
};
const data = { x: Tensor.from([[1, 2], [3, -4]]), y: Tensor.from([0, 2], "int64") };

for (const [name, route] of Object.entries(ROUTES)) {
  test(`${route} answers the vector ${name}, from either media type`, async () => {
    const request = JSON.parse(text(`${name}/request.json`));
    const method = route.replace("/v1/", "") as "gradients" | "forward" | "vjp" | "jvp" | "jacobian" | "hvp";
    for (const document of [request, parseJson(text(`${name}/request.json`))]) {
      const answer = await client[method](document as never);
      const { network_id } = answer; // changes with the defaults of the layers
      assert.deepStrictEqual(answer, { ...(parseJson(text(`${name}/answer.json`)) as object), network_id });
    }
  });
}

test("init and gradients train", async () => {
  let { params } = await client.init({ network, seed: 1 });
  const losses: number[] = [];
  for (let step = 0; step < 20; step++) {
    const answer = await client.gradients({ network, params, data });
    losses.push(Number(answer.loss));
    for (const [name, gradient] of Object.entries(answer.gradients.params)) {
      params[name]!.data.forEach((value, at, values) => (values[at] = value - 0.1 * gradient.data[at]!));
    }
  }
  assert.ok(losses.at(-1)! < losses[0]! / 2, String(losses));
});

test("float32 parameters come back as float32", async () => {
  const { params } = await client.init({ network, dtype: "float32" });
  assert.ok(params["scores.weight"]!.data instanceof Float32Array);
});

test("a trace has tensors in it", async () => {
  const { params } = await client.init({ network });
  const { trace } = await client.gradients({ network, params, data, trace: true });
  assert.deepEqual(trace!.forward[0]!.value.numbers!.shape, [2, 3]);
});

test("a loss that is not finite is a number", async () => {
  const log: Network = { inputs: { x: { shape: [] } }, nodes: [{ kind: "log" }] };
  const answer = await client.gradients({ network: log, data: { x: [0] }, wrt: { data: true }, non_finite: "return" });
  assert.equal(Number(answer.loss), -Infinity);
  assert.deepEqual(answer.gradients.data.x!.toLists(), [Infinity]);
});

test("plan and check describe a network", async () => {
  const plan = await client.plan({ network, batch: 1000 });
  assert.deepEqual([plan.fits, plan.parameters.length], [true, 2]);
  const { params } = await client.init({ network });
  assert.equal((await client.check({ network, params, data })).passed, true);
});

test("a published network needs its name and data only", async () => {
  const { networks } = await client.networks();
  assert.ok(networks.some(({ name }) => name === "line"));
  const line = await client.network("line");
  const answer = await client.forward({ network: { name: "line" }, data: { x: [[1, 2]] } });
  assert.equal(answer.params_id, line.params_id);
});

test("layers and limits are described", async () => {
  const { layers } = await client.layers();
  assert.deepEqual(await client.layer("linear"), layers.find(({ kind }) => kind === "linear"));
  assert.ok((await client.limits()).media_types.includes(MEDIA_TYPE));
});

test("a model learns, and a step with its key is taken once", async () => {
  const name = `typescript_${Date.now()}`;
  const made = await client.createModel({ name, network, optimizer: { kind: "sgd", config: { learning_rate: 0.1 } }, seed: 1 });
  assert.equal(made.version, 0);
  const model = client.model(name);
  const steps = [];
  for (let each = 0; each < 2; each++) {
    steps.push(await model.step({ data, wrt: { params: true } }, { idempotencyKey: `${name}-step` }));
  }
  assert.deepEqual(steps.map(({ version, replayed }) => [version, replayed]), [[1, false], [1, true]]);
  assert.deepEqual((await model.step({ data })).version, 2); // a call without a key draws one of its own
  const { params } = await model.params({ version: 0 });
  assert.deepEqual(params["scores.weight"]!.shape, [3, 2]);
  assert.ok((await model.params()).params["scores.bias"]!.data instanceof Float64Array);
  assert.equal((await model.optimizer()).origin.step, 2);
  assert.equal((await model.change({ optimizer: { config: { learning_rate: 0.5 } } })).version, 3);
  assert.equal((await model.restore({ version: 1 })).step, 1);
  assert.equal((await model.ledger({ limit: 2 })).entries.length, 2);
  assert.equal((await model.describe()).name, name);
  assert.ok((await client.models({ limit: 1 })).models.length === 1);
  const { values } = await model.forward({ data: { x: data.x } });
  assert.deepEqual(Object.keys(values), ["scores"]); // without labels, the scores are the output
  const batch = { data };
  const ones = { params: { "scores.bias": [1, 1, 1] } };
  const answer = await model.gradients(batch);
  assert.ok(Number(answer.loss) < Number(steps[0]!.loss));
  assert.ok((await model.vjp({ ...batch, cotangents: { loss: [1, 0] } })).products.params["scores.bias"]);
  assert.deepEqual((await model.jvp({ ...batch, tangents: ones, outputs: ["scores"] })).tangents.scores!.shape, [2, 3]);
  assert.ok((await model.jacobian({ ...batch, outputs: ["loss"] })).jacobian.loss);
  const first = { params: { "scores.bias": [1, 0, 0] } };
  const { quadratic } = await model.hvp({ ...batch, vectors: first, quadratic: true });
  assert.ok(Number(quadratic!.toLists()) > 0);
  assert.equal((await model.check(batch)).passed, true);
  assert.equal((await model.plan({ batch: 7 })).fits, true);
  const fork = await model.fork({ name: `${name}_fork`, version: 1 });
  assert.equal(fork.step, 1);
  for (const each of [name, `${name}_fork`]) await client.model(each).delete();
  await assert.rejects(model.describe(), (error) => error instanceof Refused && error.code === "model_not_found");
});

test("a dataset is put, and a run on it is changed", async () => {
  const name = `typescript_${Date.now()}`;
  const table = { content: "a,b,c\n1,2,0\n3,4,1\n", mediaType: "text/csv" };
  assert.equal((await client.putDataset(name, table)).rows, 2);
  assert.equal((await client.dataset(name)).columns.length, 3);
  assert.ok((await client.datasets()).datasets.some((each) => each.name === name));
  await client.createModel({ name, network, optimizer: { kind: "adam" } });
  const run = await client.model(name).run({ dataset: name, columns: { x: ["a", "b"], y: "c" }, epochs: 2 });
  assert.equal((await client.changeRun(run.id, "pause")).state, "paused");
  assert.equal((await client.changeRun(run.id, "resume")).state, "queued");
  assert.equal((await client.run(run.id)).model, name);
  assert.deepEqual((await client.runMetrics(run.id)).steps, []);
  assert.equal((await client.runs({ model: name })).runs[0]!.id, run.id);
  assert.equal((await client.changeRun(run.id, "cancel")).state, "cancelled");
  await client.model(name).delete();
  assert.equal((await client.deleteDataset(name)).name, name);
});

test("optimizers are described", async () => {
  const { optimizers } = await client.optimizers();
  assert.deepEqual(await client.optimizer("adam"), optimizers.find(({ kind }) => kind === "adam"));
});

test("a wrong request names the place", async () => {
  const params = { "scores.weight": Tensor.from([[1]]), "scores.bias": [0, 0, 0] };
  await assert.rejects(client.gradients({ network, params, data }), (error) => {
    assert.ok(error instanceof Refused);
    assert.deepEqual([error.code, error.pointer, error.status], ["shape_mismatch", "/params/scores.weight", 422]);
    return true;
  });
});

test("the service accepts every place that the client writes", async () => {
  const request = parseJson(text("tangents/request.json")) as never;
  const response = await fetch(`${url}/v1/jvp`, {
    method: "POST",
    headers: { "Content-Type": MEDIA_TYPE },
    body: encode(request, "request"),
  });
  assert.equal(response.status, 200);
});

test("types refuse what the service would refuse", () => {
  () => {
    // @ts-expect-error: there is no such kind
    const kind: Network = { inputs: {}, nodes: [{ kind: "lineaar" }] };
    // @ts-expect-error: a sigmoid has no units
    const config: Network = { inputs: {}, nodes: [{ kind: "sigmoid", config: { units: 3 } }] };
    // @ts-expect-error: the option has another name
    client.gradients({ network, data, reduce: "sum" });
    // @ts-expect-error: forward returns no gradients
    client.forward({ network, data, values: ["loss"] }).then((answer) => answer.gradients);
    return [kind, config];
  };
});
