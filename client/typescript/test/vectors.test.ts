/** The codecs pass the vectors that the Python codec passes. */

import assert from "node:assert/strict";
import { readdirSync } from "node:fs";
import { test } from "node:test";
import { decode, encode, type Document, type Part } from "../src/safetensors.js";
import { parseJson } from "../src/tensor.js";
import { bytes, ROUTES, text, VECTORS } from "./folders.js";

for (const name of Object.keys(ROUTES)) {
  for (const [file, part] of [["request", "request"], ["answer", "response"]] as [string, Part][]) {
    const document = parseJson(text(`${name}/${file}.json`)) as Document;

    test(`${name}: both files of the ${file} hold one document`, () => {
      assert.deepStrictEqual(decode(bytes(`${name}/${file}.safetensors`), part), document);
    });

    test(`${name}: the ${file} that is encoded is decoded again`, () => {
      assert.deepStrictEqual(decode(encode(document, part), part), document);
      assert.deepStrictEqual(parseJson(JSON.stringify(document)), document);
    });
  }
}

for (const file of readdirSync(`${VECTORS}refused`)) {
  test(`refused: ${file}`, () => {
    assert.throws(() => decode(bytes(`refused/${file}`), "response"));
  });
}
