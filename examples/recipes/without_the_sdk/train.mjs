// Fit y = 2x - 1 with Node alone: node train.mjs [URL]
const url = process.argv[2] ?? "http://127.0.0.1:8000";
const network = {
  inputs: { x: { shape: [1] }, y: { shape: [1] } },
  nodes: [
    { name: "line", kind: "linear", inputs: ["x"], config: { units: 1 } },
    { name: "loss", kind: "squared_error", inputs: ["line", "y"] },
  ],
};
const data = { x: [[0], [1], [2]], y: [[-1], [1], [3]] };

async function post(route, document) {
  const headers = { "Content-Type": "application/json" };
  const response = await fetch(`${url}/v1/${route}`, { method: "POST", headers, body: JSON.stringify(document) });
  const answer = await response.json();
  if (!response.ok) throw new Error(`${answer.code}: ${answer.detail}`);
  return answer;
}

const descend = (value, gradient) =>
  Array.isArray(value) ? value.map((part, i) => descend(part, gradient[i])) : value - 0.3 * gradient;

let { params } = await post("init", { network, seed: 0 });
for (let step = 1; step <= 60; step++) {
  const { loss, gradients } = await post("gradients", { network, params, data });
  if (step % 20 === 0) console.log(`step ${step}: loss ${loss}`);
  for (const name in params) params[name] = descend(params[name], gradients.params[name]);
}
const [slope, intercept] = [params["line.weight"][0][0], params["line.bias"][0]];
console.log(`slope ${slope}, intercept ${intercept}`);
if (Math.abs(slope - 2) > 0.01 || Math.abs(intercept + 1) > 0.01) process.exit(1);
