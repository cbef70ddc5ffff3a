/** The calls that the client and its models share: what computes, what reads, and what changes something once. */

import type { Connection, CallOptions, ChangeOptions } from "./connection.js";
import { MEDIA_TYPE } from "./safetensors.js";

/** Which entries of a list are wanted, or which version of a model. */
export type Query = Readonly<Record<string, string | number | null | undefined>>;

/** Makes the calls of the routes below /v1. */
export class Calls {
  constructor(private readonly connection: Connection) {}

  /** POST a document to a route that computes; `accepts` is the media type of the answer. */
  async compute<R>(path: string, request: object, options?: CallOptions, accepts?: string): Promise<R> {
    // Base64 keeps the dtype of a tensor where an answer is JSON.
    const document = path.endsWith("plan") ? request : { ...request, tensors: "base64" };
    return (await this.connection.send("POST", `/v1/${path}`, document, accepts, options)) as R;
  }

  /** GET a path, in JSON. */
  async read<R>(path: string, options?: CallOptions, query: Query = {}): Promise<R> {
    return (await this.connection.get(`/v1/${path}${text(query)}`, options)) as R;
  }

  /** GET a path whose answer has tensors. */
  async readTensors<R>(path: string, options?: CallOptions, query: Query = {}): Promise<R> {
    return (await this.connection.get(`/v1/${path}${text(query)}`, options, MEDIA_TYPE)) as R;
  }

  /**
   * Change something at the service once, under an Idempotency-Key: that of the options, or a new one.
   *
   * @param method POST, PUT, PATCH or DELETE.
   * @param path the path below /v1.
   * @param request the document, if the route takes one.
   * @param options settings of the call, with the key.
   * @param accepts media type of the answer.
   */
  async change<R>(
    method: string,
    path: string,
    request: object | undefined,
    options: ChangeOptions = {},
    accepts = "application/json",
  ): Promise<R> {
    const key = options.idempotencyKey ?? newKey();
    return (await this.connection.send(method, `/v1/${path}`, request, accepts, options, key)) as R;
  }
}

function text(query: Query): string {
  const given = Object.entries(query).filter(([, value]) => value !== undefined && value !== null);
  return given.length ? `?${new URLSearchParams(given.map(([key, value]) => [key, String(value)]))}` : "";
}

/** Return 128 random bits in hex. `crypto.randomUUID` is missing in pages that came over plain HTTP. */
function newKey(): string {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("");
}
