// Reads a network from a file or a text: safetensors, a request or a spec as JSON.
import { sizeOf } from "../arrays.js";
import { Failure } from "../requests.js";
import { MOST_NUMBERS } from "../versions.js";
import { lossIn } from "./losses.js";
import { readSafetensors } from "./safetensors.js";
import { numbersIn } from "./tensors.js";

// The kinds of files that a network comes in, for a field that chooses one.
export const FILES = ".safetensors,.json,application/json";

const MOST_BYTES = 2 ** 24; // of JSON: as many as the service takes

// Returns the request that a file holds. Throws a Failure that says what was expected, by the name of the file.
/** @param {File} file */
export async function networkIn(file) {
  const { name } = file;
  const begin = new Uint8Array(await file.slice(0, 8).arrayBuffer());
  // The length of a header ends with zeros, and no other byte of JSON is one.
  if (begin.length === 8 && begin[7] === 0) return isNetwork(await readSafetensors(file, name, MOST_NUMBERS), name);
  if (file.size > MOST_BYTES) throw new Failure({ code: "file_bytes", file: name, bytes: file.size, most: MOST_BYTES });
  return networkInText(await file.text(), name);
}

// `file`: the name of the file; null for what was pasted.
/** @param {string} text @param {string | null} file */
export function networkInText(text, file) {
  let read;
  try {
    read = JSON.parse(text.replace(/^\uFEFF/, ""));
  } catch (error) { // what begins as JSON is to be mended, anything else is no network at all
    throw new Failure(/^\s*\{/.test(text) ? { code: "file_json", file, reason: /** @type {Error} */ (error).message } : { code: "file_other", file });
  }
  const loss = lossIn(text);
  if (loss) throw new Failure({ ...loss, file });
  const request = isNetwork(read?.nodes ? { network: read } : read, file);
  return { ...request, ...(request.params && { params: listed(request.params, file) }), ...(request.data && { data: listed(request.data, file) }) };
}

// Returns the request, unless it has no spec in it.
function isNetwork(request, file) {
  const network = request?.network;
  const name = typeof network === "string" ? network : network?.name;
  if (typeof name === "string" && !network.nodes) throw new Failure({ code: "file_name", file, name });
  if (!Array.isArray(network?.nodes) || typeof network.inputs !== "object") throw new Failure({ code: "file_network", file });
  return request;
}

// Arrays as lists, also those that JSON has in base64.
function listed(arrays, file) {
  return Object.fromEntries(Object.entries(arrays).map(([name, array]) => {
    if (typeof array?.base64 !== "string") return [name, array];
    const { dtype, shape, base64 } = array;
    if (!Array.isArray(shape)) throw new Failure({ code: "file_cut", file, name });
    const numbers = sizeOf(shape);
    if (numbers > MOST_NUMBERS) throw new Failure({ code: "file_numbers", file, numbers, most: MOST_NUMBERS });
    return [name, numbersIn({ name, dtype, shape, file }, bytesOfBase64(base64, name, file))];
  }));
}

function bytesOfBase64(base64, name, file) {
  try {
    return Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0)).buffer;
  } catch { // not base64
    throw new Failure({ code: "file_cut", file, name });
  }
}
