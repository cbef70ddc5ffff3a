// Reads tensors from bytes into nested lists of numbers.
import { filled, flat, sizeOf } from "../arrays.js";
import { Failure } from "../requests.js";

/** @typedef {{ bytes: number, read: (view: DataView, at: number) => number | bigint }} Reader */

/** @type {Reader[]} */
const [DOUBLE, SINGLE, LONG] = [
  { bytes: 8, read: (view, at) => view.getFloat64(at, true) },
  { bytes: 4, read: (view, at) => view.getFloat32(at, true) },
  { bytes: 8, read: (view, at) => exact(view.getBigInt64(at, true)) },
];

// Returns an integer as a number, or as it is where no number here is equal.
/** @param {bigint} integer */
const exact = (integer) => (Number.isSafeInteger(Number(integer)) ? Number(integer) : integer);

// By their names in safetensors files, and in JSON.
/** @type {Record<string, Reader>} */
const DTYPES = { F64: DOUBLE, F32: SINGLE, I64: LONG, float64: DOUBLE, float32: SINGLE, int64: LONG };

// `name`: of the tensor, as the refusal has it. `file`: where it stands; null for what was pasted.
/** @typedef {{ name: string, dtype: string, shape: number[], file: string | null }} Described */

// How many bytes a tensor takes. Throws a Failure where its dtype is not read.
/** @param {Described} described */
export function bytesOf({ name, dtype, shape, file }) {
  if (!Object.hasOwn(DTYPES, dtype)) throw new Failure({ code: "file_dtype", file, name, dtype });
  return DTYPES[dtype].bytes * sizeOf(shape);
}

// Throws a Failure where the bytes are not those of the shape, or hold a number that is not finite, or an integer that is
// no number here.
/** @param {Described} described @param {ArrayBuffer} buffer */
export function numbersIn(described, buffer) {
  const { name, dtype, shape, file } = described;
  if (bytesOf(described) !== buffer.byteLength) throw new Failure({ code: "file_cut", file, name });
  const { bytes, read } = DTYPES[dtype];
  const view = new DataView(buffer);
  let index = 0;
  const numbers = filled(shape, () => read(view, bytes * index++));
  const lost = flat(numbers).find((number) => typeof number === "bigint");
  if (lost !== undefined) throw new Failure({ code: "file_exact", file, name, number: String(lost) });
  if (!flat(numbers).every(Number.isFinite)) throw new Failure({ code: "file_finite", file, name });
  return numbers;
}
