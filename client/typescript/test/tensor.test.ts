import assert from "node:assert/strict";
import { test } from "node:test";
import { Client } from "../src/client.js";
import { encode } from "../src/safetensors.js";
import { Tensor, type Numbers } from "../src/tensor.js";

const LISTS: [Numbers, number[]][] = [
  [1.5, []],
  [[], [0]],
  [[[], []], [2, 0]],
  [[[1, 2, 3], [4, 5, 6]], [2, 3]],
  [[[[1], [2]], [[3], [4]]], [2, 2, 1]],
];

for (const [numbers, shape] of LISTS) {
  test(`lists of shape [${shape}] come back`, () => {
    for (const dtype of ["float32", "float64", "int64"] as const) {
      if (dtype === "int64" && numbers === 1.5) continue;
      const tensor = Tensor.from(numbers, dtype);
      assert.deepEqual([tensor.shape, tensor.dtype], [shape, dtype]);
      assert.deepEqual(tensor.toLists(), numbers);
    }
  });
}

test("lists of different lengths are refused", () => {
  for (const numbers of [[[1, 2], [3]], [[1], 2], [1, [2]], [[], [1]]]) assert.throws(() => Tensor.from(numbers), RangeError);
});

test("a fraction is no int64", () => {
  assert.throws(() => Tensor.from([1, 0.5], "int64"), RangeError);
});

test("a shape must have as many numbers as the data", () => {
  assert.throws(() => new Tensor(new Float32Array(3), [2]), RangeError);
  assert.throws(() => Tensor.fromBytes(new Uint8Array(8), "float64", [2]), RangeError);
});

test("aligned bytes are viewed, others are copied", () => {
  const body = Uint8Array.from({ length: 24 }, (_, at) => at);
  assert.equal(Tensor.fromBytes(body.subarray(8, 24), "float64", [2]).data.buffer, body.buffer);
  const copied = Tensor.fromBytes(body.subarray(4, 20), "float64", [2]);
  assert.notEqual(copied.data.buffer, body.buffer);
  assert.deepEqual(copied.bytes, body.slice(4, 20));
});

test("int64 beyond 2^53 keeps its bits in JSON", () => {
  const tensor = new Tensor(BigInt64Array.of(2n ** 53n + 1n, -(2n ** 63n)));
  const { base64 } = tensor.toJSON();
  assert.deepEqual(Buffer.from(base64, "base64"), Buffer.from(tensor.bytes));
});

test("a large tensor is written as base64 in pieces", () => {
  const tensor = new Tensor(Float64Array.from({ length: 100_000 }, Math.random), [100, 1000]);
  assert.equal(tensor.toJSON().base64, Buffer.from(tensor.bytes).toString("base64"));
});

test("an untyped list is no data of a tensor", () => {
  assert.throws(() => new Tensor([1, 2] as never, [2]), /TypeError: data: expected a Float64Array, Float32Array or BigInt64Array/);
  assert.throws(() => new Tensor(new Int32Array(2) as never, [2]), /TypeError: data: expected a Float64Array/);
});

test("a dtype of another library is refused", () => {
  assert.throws(() => Tensor.from([1], "int" as never), /TypeError: dtype: expected "float64", "float32" or "int64", got "int"/);
});

test("a list with NaN is refused by its place", () => {
  for (const odd of [[1, NaN], [[1], [-Infinity]], NaN]) {
    assert.throws(() => encode({ data: { x: odd } }, "request"), /TypeError: data\/x: JSON has no NaN and no Infinity: .* Tensor/);
  }
});

test("an array without a shape is refused by its place", () => {
  const document = { params: {}, data: { x: new Float64Array(2) } };
  assert.throws(() => encode(document, "request"), /TypeError: data\/x: an array has no shape: expected new Tensor/);
});

test("an address without a scheme is refused with an example", () => {
  assert.throws(() => new Client("127.0.0.1:8000"), /expected an address with its scheme, as http:/);
});
