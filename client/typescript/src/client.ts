/** The client: a method for each route below /v1. */

import { Connection, type CallOptions } from "./connection.js";
import type { Request, Response } from "./documents.js";
import { RETRIES, type Retries } from "./retries.js";

export interface ClientOptions {
  /** Sent as a bearer token. */
  apiKey?: string;
  /** How often and how long to try. */
  retries?: Partial<Retries>;
  /** Seconds that each attempt may take. */
  timeout?: number;
  /** Sends the requests, in place of the global `fetch`. */
  fetch?: typeof globalThis.fetch;
}

/** Calls a service. Every method takes the document that docs/api.md describes, and throws a `DeltawireError`. */
export class Client {
  private readonly connection: Connection;

  /**
   * Keep the settings; nothing is sent yet.
   *
   * @param url address of the service, `http://127.0.0.1:8000`.
   * @param options key, retries and timeout.
   * @throws TypeError the URL is no address of a web service, or the key cannot be sent in a header.
   */
  constructor(url: string | URL, { apiKey, retries, timeout = 60, fetch = globalThis.fetch }: ClientOptions = {}) {
    const headers: Record<string, string> = apiKey === undefined ? {} : { Authorization: `Bearer ${checkedKey(apiKey)}` };
    this.connection = new Connection(addressOf(url), headers, { ...RETRIES, ...retries }, timeout, fetch);
  }

  /** Compute the loss of a batch, and its gradients. */
  gradients(request: Request<"GradientsRequest">, options?: CallOptions): Promise<Response<"GradientsResponse">> {
    return this.compute("gradients", request, options, request.trace ? "application/json" : undefined);
  }

  /** Compute the values of chosen nodes. */
  forward(request: Request<"ForwardRequest">, options?: CallOptions): Promise<Response<"ForwardResponse">> {
    return this.compute("forward", request, options);
  }

  /** Compute vector-Jacobian products. */
  vjp(request: Request<"VjpRequest">, options?: CallOptions): Promise<Response<"VjpResponse">> {
    return this.compute("vjp", request, options);
  }

  /** Compute Jacobian-vector products. */
  jvp(request: Request<"JvpRequest">, options?: CallOptions): Promise<Response<"JvpResponse">> {
    return this.compute("jvp", request, options);
  }

  /** Compute the Jacobian of each example. */
  jacobian(request: Request<"JacobianRequest">, options?: CallOptions): Promise<Response<"JacobianResponse">> {
    return this.compute("jacobian", request, options);
  }

  /** Compute Hessian-vector products, and estimate the Hessian's diagonal. */
  hvp(request: Request<"HvpRequest">, options?: CallOptions): Promise<Response<"HvpResponse">> {
    return this.compute("hvp", request, options);
  }

  /** Draw initial parameters from a seed. */
  init(request: Request<"InitRequest">, options?: CallOptions): Promise<Response<"InitResponse">> {
    return this.compute("init", request, options);
  }

  /** Return shapes, parameters, memory and cost, without computing. */
  plan(request: Request<"PlanRequest">, options?: CallOptions): Promise<Response<"PlanResponse">> {
    return this.compute("plan", request, options);
  }

  /** Compare gradients with two independent methods. */
  check(request: Request<"CheckRequest">, options?: CallOptions): Promise<Response<"CheckResponse">> {
    return this.compute("check", request, options);
  }

  /** List the installed layers. */
  layers(options?: CallOptions): Promise<Response<"LayersResponse">> {
    return this.read("layers", options);
  }

  /** Describe one layer. */
  layer(kind: string, options?: CallOptions): Promise<Response<"LayerResponse">> {
    return this.read(`layers/${encodeURIComponent(kind)}`, options);
  }

  /** List the published networks. */
  networks(options?: CallOptions): Promise<Response<"PublishedListResponse">> {
    return this.read("networks", options);
  }

  /** Describe one published network. */
  network(name: string, options?: CallOptions): Promise<Response<"PublishedResponse">> {
    return this.read(`networks/${encodeURIComponent(name)}`, options);
  }

  /** List every limit in force. */
  limits(options?: CallOptions): Promise<Response<"LimitsResponse">> {
    return this.read("limits", options);
  }

  private async compute<R>(route: string, request: object, options?: CallOptions, accepts?: string): Promise<R> {
    // Base64 keeps the dtype of a tensor where an answer is JSON.
    const document = route === "plan" ? request : { ...request, tensors: "base64" };
    return (await this.connection.post(`/v1/${route}`, document, accepts, options)) as R;
  }

  private async read<R>(path: string, options?: CallOptions): Promise<R> {
    return (await this.connection.get(`/v1/${path}`, options)) as R;
  }
}

/** Return the address of a service without a slash at its end. Messages do not quote the URL: it may hold a key. */
function addressOf(url: string | URL): string {
  if (!URL.canParse(url)) throw new TypeError("url: expected an address with its scheme, as http://127.0.0.1:8000");
  const { protocol, username, password, href } = new URL(url);
  if (!/^https?:$/.test(protocol)) throw new TypeError(`url: expected http:// or https://, got ${protocol}`);
  if (username || password) throw new TypeError("url: expected no user and no password; pass a key as apiKey");
  if (/[?#]/.test(href)) throw new TypeError("url: expected the address of a service, which has no ? and no #");
  return href.replace(/\/+$/, "");
}

function checkedKey(key: string): string {
  if (!/^[!-~]+$/.test(key)) throw new TypeError("apiKey: a key is made of ASCII letters, digits and punctuation");
  return key;
}
