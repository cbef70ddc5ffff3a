// Reads a network from a safetensors file, as Network.save and deltawire publish write it.
import { sizeOf } from "../arrays.js";
import { Failure } from "../requests.js";
import { lossIn } from "./losses.js";
import { bytesOf, numbersIn } from "./tensors.js";

const LENGTH = 8; // bytes, of the header's length
const LONGEST = 2 ** 24; // bytes of a header
const PLACE = /^(?:(params|data)\/)?([^/]+)$/; // a name alone is that of a parameter

/** @param {any} described */
const isTensor = ({ dtype, shape, data_offsets: offsets } = {}) =>
  typeof dtype === "string" && [shape, offsets].every((one) => Array.isArray(one) && one.every(Number.isInteger)) && offsets.length === 2;

// Returns {network, params?, data?}. `most`: numbers in it, at most.
/** @param {Blob} blob @param {string} file @param {number} most */
export async function readSafetensors(blob, file, most) {
  /** @type {(code: string, values?: object) => never} */
  const refuse = (code, values = {}) => { throw new Failure({ code, file, ...values }); };
  const length = Number(new DataView(await blob.slice(0, LENGTH).arrayBuffer()).getBigUint64(0, true));
  if (length > Math.min(LONGEST, blob.size - LENGTH)) refuse("file_header");
  const header = await blob.slice(LENGTH, LENGTH + length).text();
  const { __metadata__: metadata, ...tensors } = parsed(header) ?? refuse("file_header");
  if (!Object.values(tensors).every(isTensor)) refuse("file_header");
  const document = parsed(metadata?.request ?? metadata?.response ?? "");
  if (!document?.network) refuse("file_spec");
  const loss = lossIn(header) ?? lossIn(metadata.request ?? metadata.response);
  if (loss) refuse(loss.code, loss);
  const placed = Object.entries(tensors).map(([name, { dtype, shape, data_offsets: [begin, end] }]) => {
    const [, part = "params", local] = PLACE.exec(name) ?? refuse("file_tensor", { name });
    return { part, local, begin, end, described: { name: local, dtype, shape, file } };
  });
  const named = new Set();
  for (const { part, local } of placed) { // NAME and params/NAME are the same
    const place = `${part}/${local}`;
    if (named.has(place)) refuse("file_twice", { name: place });
    named.add(place);
  }
  for (const { described } of placed) bytesOf(described); // a dtype that is not read is refused before the size
  const numbers = placed.reduce((sum, { described }) => sum + sizeOf(described.shape), 0);
  if (numbers > most) refuse("file_numbers", { numbers, most });
  /** @type {Record<string, Record<string, Nested<number | bigint>>>} */
  const arrays = { params: {}, data: {} };
  for (const { part, local, begin, end, described } of placed) {
    arrays[part][local] = numbersIn(described, await blob.slice(LENGTH + length + begin, LENGTH + length + end).arrayBuffer());
  }
  const filled = Object.entries(arrays).filter(([, part]) => Object.keys(part).length);
  return { network: document.network, ...Object.fromEntries(filled) };
}

// The object in a text of JSON; null where there is none.
/** @param {string} text */
function parsed(text) {
  try {
    const read = JSON.parse(text);
    return typeof read === "object" ? read : null;
  } catch { // not JSON
    return null;
  }
}
