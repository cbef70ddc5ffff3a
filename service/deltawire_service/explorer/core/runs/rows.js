// Loads the rows of a run's dataset that its model was shown first.
import { sizeOf } from "../arrays.js";
import { Failure, getOnce, headers, routeOf, send } from "../requests.js";

const MOST_ROWS = 64, MOST_NUMBERS = 50_000; // of a large batch

/** @typedef {{ run: number, dataset: string, count: number, all: number, batch: boolean, fault: any }} Rows */
/** @typedef {{ shape: number[], shared?: boolean }} Input */
/** @typedef {{ start: number, stop: number }} Range */
/** @typedef {Record<string, any[]>} Data */

/** @type {{ rows: Rows, text: string } | null} */
let kept = null; // of the document of the page

// Tells where data come from; null where they were changed, or come from no run. `fault`: why they are random.
/** @param {Data} data */
export const rowsOf = (data) => (kept && kept.text === JSON.stringify(data) ? kept.rows : null);

/** @param {Rows} rows @param {Data} data */
export const keepRows = (rows, data) => { kept = { rows, text: JSON.stringify(data) }; };

// Returns the first batch of a run, {data, rows}: by input, and where they come from. `data` is null where the dataset or the
// run is there no more. `inputs`: those that take data.
/** @param {string} model @param {string} id @param {Record<string, Input>} inputs @returns {Promise<{ data: Data | null, rows: Rows }>} */
export async function firstBatch(model, id, inputs) {
  const rows = { run: 0, dataset: "", count: 0, all: 0, batch: true, fault: null };
  try {
    const { number, recipe, first_version: since, steps } = await getOnce(`/v1/runs/${encodeURIComponent(id)}`);
    Object.assign(rows, { run: number, dataset: recipe.dataset });
    const [taken, described] = await Promise.all([
      steps ? firstStep(model, id, since) : null, getOnce(`/v1/datasets/${encodeURIComponent(recipe.dataset)}`),
    ]);
    rows.batch = Boolean(taken) || !recipe.shuffle; // else the order is not known here
    const range = taken ?? { start: 0, stop: Math.min(recipe.batch_size, described.rows) };
    rows.all = range.stop - range.start;
    const numbers = Object.values(inputs).reduce((sum, { shape }) => sum + sizeOf(shape), 0);
    rows.count = Math.min(rows.all, MOST_ROWS, Math.max(1, Math.floor(MOST_NUMBERS / Math.max(1, numbers))));
    return { data: await numbersOf(recipe, { ...range, stop: range.start + rows.count }, inputs), rows };
  } catch (error) {
    if (!(error instanceof Failure) || error.passing) throw error;
    return { data: null, rows: { ...rows, fault: error.faults[0] } };
  }
}

// The rows of the first step of a run, as its ledger has them; null where it has them no more.
/** @param {string} model @param {string} id @param {number} since @returns {Promise<Range | null>} */
async function firstStep(model, id, since) {
  const { entries: [entry] } = await getOnce(`${routeOf(model)}/ledger?after=${since}&limit=1`);
  return entry?.run === id ? entry.rows ?? null : null;
}

// A network that gives each input back has the service read the rows into numbers.
/** @param {{ dataset: string, columns: any }} recipe @param {Range} rows @param {Record<string, Input>} inputs @returns {Promise<Data>} */
async function numbersOf({ dataset, columns }, rows, inputs) {
  const names = Object.keys(inputs).filter((name) => !inputs[name].shared);
  const network = {
    inputs: Object.fromEntries(names.map((name) => [name, { shape: inputs[name].shape }])), // integers too are read as numbers
    nodes: names.map((name, i) => ({ name: `value_${i}`, kind: "identity", inputs: [name] })),
  };
  const body = { network, data: { dataset, rows, columns }, values: network.nodes.map((node) => node.name) };
  const { values } = await send("/v1/forward", { method: "POST", headers, body: JSON.stringify(body) });
  return Object.fromEntries(names.map((name, i) => [name, values[`value_${i}`]]));
}
