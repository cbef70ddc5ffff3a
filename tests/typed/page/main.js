/** Run the test vectors through the TypeScript client, against the service at `?service=`, and write what is wrong. */

import { Client, decode, encode, Refused, Tensor } from "/client/typescript/dist/index.js";

const VECTORS = "/tests/vectors";
const client = new Client(new URLSearchParams(location.search).get("service"));
const wrong = [];

/** Return the document as text, with base64 in place of tensors. */
const bits = (document) => JSON.stringify(document, (_, value) => (value && value.constructor === Object ? sorted(value) : value));
const sorted = (object) => Object.fromEntries(Object.entries(object).sort(([a], [b]) => (a < b ? -1 : 1)));

const load = async (path) => fetch(`${VECTORS}/${path}`);
const bytes = async (path) => new Uint8Array(await (await load(path)).arrayBuffer());

try {
  const routes = Object.entries(await (await load("routes.json")).json());
  for (const [name, route] of routes) {
    const request = decode(await bytes(`${name}/request.safetensors`), "request");
    const answer = decode(await bytes(`${name}/answer.safetensors`), "response");
    if (bits(answer) !== bits(await (await load(`${name}/answer.json`)).json())) wrong.push(`${name}: decoded`);
    if (bits(decode(encode(answer, "response"), "response")) !== bits(answer)) wrong.push(`${name}: encoded`);
    const received = await client[route.replace("/v1/", "")](request);
    received.network_id = answer.network_id; // changes with the defaults of the layers
    if (bits(received) !== bits(answer)) wrong.push(`${name}: answered`);
  }
  const trace = { network: { name: "line" }, data: { x: Tensor.from([[1, 2]], "float32"), y: [0] }, trace: true };
  if (!(await client.gradients(trace)).trace.forward[0].value.numbers.data) wrong.push("trace");
  const error = await client.forward({ network: { name: "circle" } }).catch((refused) => refused);
  if (!(error instanceof Refused && error.code === "network_not_found" && error.requestId)) wrong.push(`error: ${error}`);
  document.querySelector("pre").textContent = wrong.join("\n") || `${routes.length} vectors`;
} catch (error) {
  document.querySelector("pre").textContent = `${error}`;
}
