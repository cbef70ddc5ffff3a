// One example's trip through the network: what is known of it at every step of the way.
import { flat, plus } from "./numbers.js";

// The numbers of a traced array without the batch axis; null where there is only a summary.
const only = (traced) => (traced ? (traced.numbers ? traced.numbers[0] : null) : undefined);

const strip = (traced) => traced && { ...traced, numbers: only(traced), shape: traced.shape.slice(1) };

const whole = (traced) => ({ ...traced, numbers: traced.numbers ?? null });

export function summary(numbers, shape) {
  let [min, max, square] = [Infinity, -Infinity, 0];
  for (const number of flat(numbers)) {
    min = Math.min(min, number);
    max = Math.max(max, number);
    square += number * number;
  }
  return { numbers, shape, min, max, norm: Math.sqrt(square) };
}

// place: an input or a node, in the order of the spec. edges: source -> node, with the delta sent back.
export function build(document, plan, answer, layers, index) {
  const places = new Map();
  for (const [name, slot] of Object.entries(document.network.inputs)) {
    const numbers = slot.shared ? document.data[name] : document.data[name][index];
    places.set(name, {
      name, kind: null, inputs: [], shape: slot.shape, slot, value: summary(numbers, slot.shape), parameters: [],
    });
  }
  const spec = document.network.nodes;
  const named = placesOf(document.network);
  const values = new Map(answer.trace.forward.map(({ node, value }) => // of what the trace only samples, the answer has all
    [node, { ...strip(value), numbers: only(value) ?? answer.values[node][0] }]));
  const returned = new Map(answer.trace.backward.map((step) => [step.node, step]));
  for (const { name, kind, inputs, shape } of plan.nodes) {
    const entry = spec[named.get(name)] ?? {};
    places.set(name, {
      name, kind, inputs, shape, config: entry.config ?? {}, place: named.get(name), layer: layers.get(kind),
      value: values.get(name), tiedTo: entry.tied_to, weight: plan.loss[name] ?? 0,
      parameters: Object.entries(returned.get(name)?.gradients ?? {}).map(([parameter, share]) => ({
        name: parameter, local: parameter.split(".")[1], share: whole(share),
      })),
    });
  }
  for (const parameter of plan.parameters) {
    const owner = places.get(parameter.name.split(".")[0]);
    const known = owner.parameters.some(({ name }) => name === parameter.name);
    if (!known) owner.parameters.push({ name: parameter.name, local: parameter.name.split(".")[1], share: null });
  }
  const edges = [];
  for (const node of plan.nodes) {
    node.inputs.forEach((source, position) => {
      const sent = returned.get(node.name)?.sends.find((one) => one.input === position);
      edges.push({
        id: `${source}→${node.name}/${position}`, from: source, to: node.name, position,
        delta: strip(sent?.delta), local: strip(sent?.local),
      });
    });
  }
  const forward = answer.trace.forward.map((step) => step.node);
  const backward = answer.trace.backward.map((step) => step.node);
  return {
    places, edges, forward, backward, gradients: answer.gradients.params, params: document.params ?? {},
    loss: answer.loss, regularization: document.network.regularization, parameters: plan.parameters,
    delta: new Map(answer.trace.backward.map((step) => [step.node, strip(step.delta)])),
    last: forward.length + backward.length,
  };
}

// name -> place in the spec; nodes without a name have the one the service gives them: kind and a running number.
function placesOf({ inputs, nodes }) {
  const places = new Map(nodes.flatMap(({ name }, place) => (name ? [[name, place]] : [])));
  const running = {};
  nodes.forEach(({ name, kind }, place) => {
    if (name) return;
    do running[kind] = (running[kind] ?? 0) + 1;
    while (places.has(kind + running[kind]) || kind + running[kind] in inputs);
    places.set(kind + running[kind], place);
  });
  return places;
}

export function stepOf(model, name) {
  const back = model.backward.indexOf(name);
  if (back >= 0) return model.forward.length + back + 1;
  const there = model.forward.indexOf(name);
  if (there >= 0) return there + 1;
  const last = Math.max(0, ...model.edges.filter((edge) => edge.from === name && edge.delta).map((edge) => stepOf(model, edge.to)));
  return last || model.last;
}

export function nodeAt(model, step) {
  const ahead = model.forward.length;
  return step === 0 ? null : step <= ahead ? model.forward[step - 1] : model.backward[step - ahead - 1];
}

export const isBackward = (model, step) => step > model.forward.length;

export function valueKnown(model, name, step) {
  const there = model.forward.indexOf(name);
  return !model.places.get(name).kind || (there >= 0 && there < step);
}

export const edgeKnown = (model, edge, step) => Boolean(edge.delta) && stepOf(model, edge.to) <= step;

// What has arrived at a place by a step: terms, and how many are still to come.
export function arrivals(model, name, step) {
  const place = model.places.get(name);
  const coming = model.edges.filter((edge) => edge.from === name && edge.delta)
    .sort((a, b) => stepOf(model, a.to) - stepOf(model, b.to)); // as they arrive
  const terms = coming.filter((edge) => edgeKnown(model, edge, step)).map((edge) => ({ from: edge.to, edge, delta: edge.delta }));
  const start = place.weight ? 1 : 0;
  if (start && isBackward(model, step)) {
    terms.unshift({ from: null, delta: summary(place.weight, []) });
  }
  const missing = coming.length + start - terms.length;
  let sum = null;
  if (terms.length && terms.every((term) => term.delta.numbers !== null)) {
    sum = summary(terms.map((term) => term.delta.numbers).reduce(plus), place.shape);
  } else if (terms.length && !missing) sum = model.delta.get(name) ?? null;
  return { terms, missing, sum, expected: coming.length + start };
}

// The ways from a place to the loss, with the local gradient of every edge; none when there are many, or arrays.
export function chains(model, name, most = 6) {
  const found = [];
  let tooMany = false;
  const walk = (at, way) => {
    if (found.length > most) { tooMany = true; return; }
    const place = model.places.get(at);
    if (place.weight) found.push([...way]);
    for (const edge of model.edges) {
      if (edge.from !== at || !edge.delta || tooMany) continue;
      if (!edge.local || edge.local.shape.length) { tooMany = true; return; }
      walk(edge.to, [...way, edge]);
    }
  };
  walk(name, []);
  return tooMany || found.length > most ? [] : found.filter((way) => way.length);
}
