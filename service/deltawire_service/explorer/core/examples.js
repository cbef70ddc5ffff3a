// Lists the networks to choose from and loads or builds each of them.
import { example } from "./api.js";
import { random } from "./random.js";

// The networks of the lecture, in explorer/examples/.
const FILES = ["circuit", "sigmoid_neuron_gates", "sigmoid_neuron_layer", "window_classifier", "flow_graph"];

function residual() {
  /** @type {object[]} */
  const nodes = [{ name: "h0", kind: "linear", inputs: ["x"], config: { units: 6 } }];
  let below = "h0";
  for (let block = 1; block <= 14; block += 1) {
    nodes.push({ name: `in${block}`, kind: "linear", inputs: [below], config: { units: 6 } });
    nodes.push({ name: `act${block}`, kind: "tanh", inputs: [`in${block}`] });
    nodes.push({ name: `out${block}`, kind: "linear", inputs: [`act${block}`], config: { units: 6 } });
    nodes.push({ name: `h${block}`, kind: "add", inputs: [`out${block}`, below] });
    below = `h${block}`;
  }
  nodes.push({ name: "scores", kind: "linear", inputs: [below], config: { units: 3 } });
  nodes.push({ name: "log_probs", kind: "log_softmax", inputs: ["scores"] });
  nodes.push({ name: "loss", kind: "nll", inputs: ["log_probs", "y"] });
  const draw = random(3);
  const x = Array.from({ length: 4 }, () => Array.from({ length: 4 }, () => Math.round(400 * draw() - 200) / 100));
  return { network: { inputs: { x: { shape: [4] }, y: { shape: [], dtype: "int64" } }, nodes, loss: "loss" }, data: { x, y: [0, 1, 2, 0] } };
}

// Six sigmoid layers: the biases of the third push its inputs far out, where its slope is nearly 0.
function deep() {
  const draw = random(11);
  const nodes = [], params = {};
  let below = "x";
  for (let layer = 1; layer <= 6; layer += 1) {
    nodes.push({ name: `z${layer}`, kind: "linear", inputs: [below], config: { units: 4 } });
    nodes.push({ name: `a${layer}`, kind: "sigmoid", inputs: [`z${layer}`] });
    params[`z${layer}.weight`] = Array.from({ length: 4 }, () => Array.from({ length: 4 }, () => Math.round(300 * draw() - 150) / 100));
    params[`z${layer}.bias`] = Array.from({ length: 4 }, () => (layer === 3 ? 8 : 0) + Math.round(40 * draw() - 20) / 100);
    below = `a${layer}`;
  }
  nodes.push({ name: "score", kind: "sum", inputs: [below] });
  return { network: { inputs: { x: { shape: [4] } }, nodes, loss: "score" }, params, data: { x: [[0.5, -1, 0.25, 1.5], [1, 0.5, -0.5, -1]] } };
}

function moons() {
  const draw = random(7);
  const x = [], y = [];
  for (let i = 0; i < 80; i += 1) {
    const label = i % 2;
    const angle = Math.PI * draw();
    const noise = () => 0.24 * (draw() - 0.5);
    x.push(label ? [1 - Math.cos(angle) + noise(), 0.4 - Math.sin(angle) + noise()] : [Math.cos(angle) + noise(), Math.sin(angle) + noise()]);
    y.push(label);
  }
  const rounded = x.map((row) => row.map((number) => Math.round(1000 * number) / 1000));
  return {
    network: {
      inputs: { x: { shape: [2] }, y: { shape: [], dtype: "int64" } },
      nodes: [
        { name: "hidden", kind: "linear", inputs: ["x"], config: { units: 8 } }, { name: "a", kind: "tanh" },
        { name: "scores", kind: "linear", config: { units: 2 } }, { name: "loss", kind: "softmax_nll", inputs: ["scores", "y"] },
      ],
      loss: "loss",
    },
    data: { x: rounded, y },
  };
}

function fanOut() {
  return {
    network: {
      inputs: { x: { shape: [] }, y: { shape: [] } },
      nodes: [
        { name: "s", kind: "add", inputs: ["x", "y"] }, { name: "m", kind: "multiply", inputs: ["s", "y"] },
        { name: "f", kind: "multiply", inputs: ["m", "x"] },
      ],
      loss: "f",
    },
    data: { x: [3], y: [2] },
  };
}

const BUILT = { fan_out: fanOut, deep_sigmoid: deep, residual, moons };

// The learning rate that an example starts with.
export const rateOf = (name) => ({ moons: 1 })[name] ?? 0.3;

export const NAMES = [...FILES.slice(0, 1), "fan_out", ...FILES.slice(1), "deep_sigmoid", "residual", "moons"];

// Returns {network, params?, data}; of an unknown name, the first example.
export async function exampleDocument(name) {
  const { network, params, data } = BUILT[name]?.() ?? (await example(FILES.includes(name) ? name : FILES[0]));
  return params ? { network, params, data } : { network, data };
}
