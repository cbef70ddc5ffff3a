export { Client, type ClientOptions } from "./client.js";
export type { CallOptions, ChangeOptions, Table } from "./connection.js";
export type { Kind, Network, Node, Request, Response } from "./documents.js";
export { DeltawireError, PluginFailed, Refused, ServiceFailed, TimedOut, Unreachable, type Fault } from "./errors.js";
export type { components, paths } from "./openapi.js";
export type { Retries } from "./retries.js";
export { Model, type Version } from "./model.js";
export { decode, encode, MEDIA_TYPE, type Document, type Part } from "./safetensors.js";
export { Tensor, type Data, type DType, type Numbers, type TensorLike } from "./tensor.js";
