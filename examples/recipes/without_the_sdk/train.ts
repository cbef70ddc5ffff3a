// Fit y = 2x - 1 with the TypeScript client.
import { Client, Tensor, type Network } from "deltawire";

const network: Network = {
  inputs: { x: { shape: [1] }, y: { shape: [1] } },
  nodes: [
    { name: "line", kind: "linear", inputs: ["x"], config: { units: 1 } },
    { name: "loss", kind: "squared_error", inputs: ["line", "y"] },
  ],
};
const data = { x: Tensor.from([[0], [1], [2]]), y: Tensor.from([[-1], [1], [3]]) };

const client = new Client(process.argv[2] ?? "http://127.0.0.1:8000");
const { params } = await client.init({ network, seed: 0 });
for (let step = 1; step <= 60; step++) {
  const { loss, gradients } = await client.gradients({ network, params, data });
  if (step % 20 === 0) console.log(`step ${step}: loss ${loss}`);
  for (const [name, { data: values }] of Object.entries(params)) {
    gradients.params[name]!.data.forEach((gradient, i) => (values[i]! -= 0.3 * gradient));
  }
}
const [slope, intercept] = [params["line.weight"]!.data[0]!, params["line.bias"]!.data[0]!];
console.log(`slope ${slope}, intercept ${intercept}`);
if (Math.abs(slope - 2) > 0.01 || Math.abs(intercept + 1) > 0.01) process.exit(1);
