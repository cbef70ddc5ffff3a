/**
 * Documents as safetensors files: tensors named by their place, the rest as JSON text in the metadata.
 *
 *     8 bytes   n, the length of the header, an unsigned integer, little endian
 *     n bytes   the header, JSON: {"__metadata__": {"request": "{…}"}, "data/x": {"dtype", "shape", "data_offsets"}, …}
 *     the rest  the numbers of all tensors, one after the other, without holes
 */

import { itemSize, Tensor, type DType } from "./tensor.js";

export const MEDIA_TYPE = "application/vnd.safetensors";

export type Part = "request" | "response";
export type Document = { [key: string]: unknown };

interface Entry {
  dtype: string;
  shape: number[];
  data_offsets: [number, number];
}

const METADATA = "__metadata__";
const CODES: Record<DType, string> = { float64: "F64", int64: "I64", float32: "F32" };
const DTYPES = new Map(Object.entries(CODES).map(([dtype, code]) => [code, dtype as DType]));

/**
 * Return the body of a document.
 *
 * @param document objects, lists, strings and numbers, with tensors at some leaves of objects.
 * @param part the key of the JSON text in the metadata.
 */
export function encode(document: Document, part: Part): Uint8Array<ArrayBuffer> {
  const tensors: [string, Tensor][] = [];
  const text = JSON.stringify(without(document, "", tensors));
  tensors.sort(([, a], [, b]) => itemSize(b.dtype) - itemSize(a.dtype)); // the widest first: all are aligned
  const entries: [string, unknown][] = [[METADATA, { [part]: text }]];
  let end = 0;
  for (const [place, { dtype, shape, bytes }] of tensors) {
    entries.push([place, { dtype: CODES[dtype], shape, data_offsets: [end, (end += bytes.length)] }]);
  }
  const header = new TextEncoder().encode(JSON.stringify(Object.fromEntries(entries)));
  const begin = 8 + Math.ceil(header.length / 8) * 8;
  const body = new Uint8Array(begin + end).fill(32, 8, begin);
  new DataView(body.buffer).setBigUint64(0, BigInt(begin - 8), true);
  body.set(header, 8);
  let at = begin;
  for (const [, { bytes }] of tensors) {
    body.set(bytes, at);
    at += bytes.length;
  }
  return body;
}

/**
 * Return the document in a body; its tensors are views of the body where they are aligned.
 *
 * @param body the whole body.
 * @param part the key of the JSON text in the metadata.
 * @throws Error the body is not well formed.
 */
export function decode(body: Uint8Array<ArrayBuffer>, part: Part): Document {
  if (body.length < 8) throw new RangeError(`a body has at least 8 bytes, got ${body.length}`);
  const length = Number(new DataView(body.buffer, body.byteOffset).getBigUint64(0, true));
  if (length > body.length - 8) throw new RangeError(`the header claims ${length} bytes, ${body.length - 8} follow`);
  const header = parse(new TextDecoder().decode(body.subarray(8, 8 + length)));
  const text = (header[METADATA] as Document | undefined)?.[part];
  if (typeof text !== "string") throw new RangeError(`${METADATA}.${part} is missing`);
  const document = parse(text);
  const numbers = body.subarray(8 + length);
  const entries = Object.entries(header).filter(([place]) => place !== METADATA) as [string, Entry][];
  entries.sort(([, a], [, b]) => a.data_offsets[0] - b.data_offsets[0] || a.data_offsets[1] - b.data_offsets[1]);
  let end = 0;
  for (const [place, { dtype: code, shape, data_offsets: [start, stop] }] of entries) {
    const dtype = DTYPES.get(code);
    if (!dtype) throw new RangeError(`tensor '${place}' has the unknown dtype ${code}`);
    if (start !== end) throw new RangeError(`tensor '${place}' leaves a hole or overlaps another`);
    end = stop;
    put(document, place.split("/"), Tensor.fromBytes(numbers.subarray(start, stop), dtype, shape));
  }
  if (end !== numbers.length) throw new RangeError(`the tensors end at ${end}, the body at ${numbers.length}`);
  return document;
}

function parse(text: string): Document {
  const parsed: unknown = JSON.parse(text);
  if (!isObject(parsed)) throw new RangeError(`expected a JSON object, got ${text.slice(0, 20)}`);
  return parsed;
}

function isObject(value: unknown): value is Document {
  return typeof value === "object" && value !== null && !Array.isArray(value) && !(value instanceof Tensor);
}

/** Return the document without its tensors; append those to `tensors` by their places. */
function without(node: Document, place: string, tensors: [string, Tensor][]): Document {
  const bare = Object.entries(node).find(([, value]) => ArrayBuffer.isView(value));
  if (bare) throw new TypeError(`${place}${bare[0]}: an array has no shape: expected new Tensor(array, shape), or lists`);
  const odd = Object.entries(node).find(([, value]) => !(value instanceof Tensor) && holdsNonFinite(value));
  if (odd) throw new TypeError(`${place}${odd[0]}: JSON has no NaN and no Infinity: send these numbers in a Tensor`);
  const rest = Object.entries(node).filter(([key, value]) => !(value instanceof Tensor && tensors.push([place + key, value])));
  return Object.fromEntries(rest.map(([key, value]) => [key, isObject(value) ? without(value, `${place}${key}/`, tensors) : value]));
}

function holdsNonFinite(value: unknown): boolean {
  return Array.isArray(value) ? value.some(holdsNonFinite) : typeof value === "number" && !Number.isFinite(value);
}

/** Put a tensor at a path of the document. A key may be `__proto__`, so keys are defined, not assigned. */
function put(node: Document, path: string[], tensor: Tensor): void {
  const [key, ...more] = path as [string, ...string[]];
  const known = Object.hasOwn(node, key) ? node[key] : undefined;
  if (more.length ? known !== undefined && !isObject(known) : known !== undefined) {
    throw new RangeError(`a tensor '${key}' has no place of its own in the document`);
  }
  const value = more.length ? (known ?? {}) : tensor;
  Object.defineProperty(node, key, { value, writable: true, enumerable: true, configurable: true });
  if (more.length) put(value as Document, more, tensor);
}
