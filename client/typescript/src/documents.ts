/** The types of requests and answers: those of the OpenAPI document, with tensors in place of their JSON. */

import type { components } from "./openapi.js";
import type { Tensor, TensorLike } from "./tensor.js";

type Schemas = components["schemas"];

export type Kind = Schemas["Node"]["kind"];

declare const none: unique symbol;

/** The config of a layer that has none. An index of `never` would turn an unknown key into a puzzle about `never`. */
interface NoConfig {
  readonly [none]?: undefined;
}

type Config<K extends Kind> = Schemas[`config.${K}`] extends Record<string, never> ? NoConfig : Schemas[`config.${K}`];

/** A layer at a place in the network, with the config of its kind. */
export type Node = {
  [K in Kind]: Omit<Schemas["Node"], "kind" | "config"> & { kind: K; config?: Config<K> };
}[Kind];

/** The graph of a network: its inputs, its nodes and its loss. */
export type Network = Omit<Schemas["Network"], "nodes"> & { nodes: Node[] };

/** Replace the JSON of tensors by `T`, wherever `Wire` may stand. */
type Replace<Document, Wire, T> = unknown extends Document
  ? Document
  : [Wire] extends [Document]
    ? T
    : Document extends object
      ? { [Key in keyof Document]: Replace<Document[Key], Wire, T> }
      : Document;

/** The document of a request. The client itself chooses how answers write their tensors. */
export type Request<Name extends keyof Schemas> = Omit<
  Replace<Schemas[Name], Schemas["Tensor"], TensorLike>,
  "network" | "tensors"
> &
  (Schemas[Name] extends { network: infer Known } ? { network: Network | Exclude<Known, Schemas["Network"]> } : unknown);

/** The document of an answer. `Number(answer.loss)` is a number, also where it is not finite. */
export type Response<Name extends keyof Schemas> = Replace<
  Schemas[Name],
  Schemas["Tensor"],
  Tensor<Float32Array<ArrayBuffer> | Float64Array<ArrayBuffer>>
>;
