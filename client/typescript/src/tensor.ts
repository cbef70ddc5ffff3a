/** Arrays with a shape and a dtype, as requests and answers hold them. */

const ARRAYS = { float32: Float32Array, float64: Float64Array, int64: BigInt64Array } as const;

export type DType = keyof typeof ARRAYS;

/** The numbers of a tensor in C order, the last axis running fastest. */
export type Data = Float32Array<ArrayBuffer> | Float64Array<ArrayBuffer> | BigInt64Array<ArrayBuffer>;

/** A number, or nested lists of numbers. */
export type Numbers = number | readonly Numbers[];

/** A tensor that a request takes: nested lists are read in the dtype of the request. */
export type TensorLike = Tensor | Numbers;

/** An array of numbers with a shape. */
export class Tensor<D extends Data = Data> {
  readonly dtype: DType;

  /**
   * Hold numbers without copying them.
   *
   * @param data the numbers in C order.
   * @param shape sizes of the axes; `[]` for a single number.
   * @throws TypeError the numbers are in no typed array of a known dtype.
   * @throws RangeError the shape has another count of numbers.
   */
  constructor(readonly data: D, readonly shape: readonly number[] = [data.length]) {
    const dtype = (Object.keys(ARRAYS) as DType[]).find((name) => data instanceof ARRAYS[name]);
    if (!dtype) throw new TypeError("data: expected a Float64Array, Float32Array or BigInt64Array; Tensor.from takes lists");
    if (count(shape) !== data.length) {
      throw new RangeError(`expected ${count(shape)} numbers for shape [${shape}], got ${data.length}`);
    }
    this.dtype = dtype;
  }

  /**
   * Make a tensor of nested lists.
   *
   * @param numbers a number, or lists of equal lengths.
   * @param dtype the dtype of the tensor.
   * @throws TypeError there is no such dtype.
   * @throws RangeError the lists have different lengths, or an int64 is not a whole number.
   */
  static from(numbers: Numbers, dtype: DType = "float64"): Tensor {
    if (!Object.hasOwn(ARRAYS, dtype)) throw new TypeError(`dtype: expected "float64", "float32" or "int64", got "${dtype}"`);
    const shape: number[] = [];
    for (let first = numbers; typeof first !== "number"; first = first[0] ?? 0) shape.push(first.length);
    const flat: number[] = [];
    flatten(numbers, shape, 0, flat);
    return new Tensor(dtype === "int64" ? BigInt64Array.from(flat, BigInt) : ARRAYS[dtype].from(flat), shape);
  }

  /**
   * View the bytes of a tensor; they are copied only where they are not aligned.
   *
   * @param bytes the numbers in C order, little endian.
   * @param dtype the dtype of the numbers.
   * @param shape sizes of the axes.
   * @throws RangeError the shape needs another count of bytes.
   */
  static fromBytes(bytes: Uint8Array<ArrayBuffer>, dtype: DType, shape: readonly number[]): Tensor {
    const size = itemSize(dtype);
    if (count(shape) * size !== bytes.length) {
      throw new RangeError(`expected ${count(shape) * size} bytes for shape [${shape}] of ${dtype}, got ${bytes.length}`);
    }
    const aligned = bytes.byteOffset % size === 0 ? bytes : bytes.slice();
    return new Tensor(new ARRAYS[dtype](aligned.buffer, aligned.byteOffset, bytes.length / size), shape);
  }

  /** The bytes of the numbers, a view. Every machine that runs JavaScript engines of today is little endian. */
  get bytes(): Uint8Array<ArrayBuffer> {
    return new Uint8Array(this.data.buffer, this.data.byteOffset, this.data.byteLength);
  }

  /** Return the numbers as nested lists; an int64 beyond 2^53 is rounded. */
  toLists(): Numbers {
    let level: Numbers[] = Array.from(this.data as ArrayLike<number | bigint>, Number);
    for (let axis = this.shape.length - 1; axis > 0; axis--) {
      const [rows, size] = [count(this.shape.slice(0, axis)), this.shape[axis]!];
      const inner = level;
      level = Array.from({ length: rows }, (_, row) => inner.slice(row * size, (row + 1) * size));
    }
    return this.shape.length ? level : level[0]!;
  }

  /** Return the object that stands for the tensor in JSON; `JSON.stringify` calls this. */
  toJSON(): { dtype: DType; shape: readonly number[]; base64: string } {
    let text = "";
    for (let at = 0; at < this.bytes.length; at += 2 ** 15) {
      text += String.fromCharCode(...this.bytes.subarray(at, at + 2 ** 15));
    }
    return { dtype: this.dtype, shape: this.shape, base64: btoa(text) };
  }
}

/** Return the bytes of one number. */
export function itemSize(dtype: DType): number {
  return ARRAYS[dtype].BYTES_PER_ELEMENT;
}

/** Parse JSON in which objects with `dtype`, `shape` and `base64` are tensors. */
export function parseJson(text: string): unknown {
  return JSON.parse(text, (_, value) => (isBase64(value) ? fromBase64(value) : value));
}

interface Base64 {
  dtype: DType;
  shape: number[];
  base64: string;
}

function isBase64(value: unknown): value is Base64 {
  return value instanceof Object && "base64" in value && "dtype" in value && "shape" in value;
}

function fromBase64({ dtype, shape, base64 }: Base64): Tensor {
  return Tensor.fromBytes(Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0)), dtype, shape);
}

function count(shape: readonly number[]): number {
  return shape.reduce((product, size) => product * size, 1);
}

function flatten(numbers: Numbers, shape: readonly number[], axis: number, flat: number[]): void {
  if (typeof numbers === "number" ? axis !== shape.length : numbers.length !== shape[axis]) {
    throw new RangeError(`expected lists of equal lengths, for shape [${shape}]`);
  }
  if (typeof numbers === "number") flat.push(numbers);
  else for (const part of numbers) flatten(part, shape, axis + 1, flat);
}
