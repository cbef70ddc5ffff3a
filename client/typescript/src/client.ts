/** The client: a method for each route below /v1; those of one model are in model.ts. */

import { Calls } from "./calls.js";
import { Connection, type CallOptions, type ChangeOptions, type Table } from "./connection.js";
import type { Request, Response } from "./documents.js";
import { Model } from "./model.js";
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
  private readonly calls: Calls;

  /**
   * Keep the settings; nothing is sent yet.
   *
   * @param url address of the service, `http://127.0.0.1:8000`.
   * @param options key, retries and timeout.
   * @throws TypeError the URL is no address of a web service, or the key cannot be sent in a header.
   */
  constructor(url: string | URL, { apiKey, retries, timeout = 60, fetch = globalThis.fetch }: ClientOptions = {}) {
    const headers: Record<string, string> = apiKey === undefined ? {} : { Authorization: `Bearer ${checkedKey(apiKey)}` };
    this.calls = new Calls(new Connection(addressOf(url), headers, { ...RETRIES, ...retries }, timeout, fetch));
  }

  /** Compute the loss of a batch, and its gradients. */
  gradients(request: Request<"GradientsRequest">, options?: CallOptions): Promise<Response<"GradientsResponse">> {
    return this.calls.compute("gradients", request, options, request.trace ? "application/json" : undefined);
  }

  /** Compute the values of chosen nodes. */
  forward(request: Request<"ForwardRequest">, options?: CallOptions): Promise<Response<"ForwardResponse">> {
    return this.calls.compute("forward", request, options);
  }

  /** Compute vector-Jacobian products. */
  vjp(request: Request<"VjpRequest">, options?: CallOptions): Promise<Response<"VjpResponse">> {
    return this.calls.compute("vjp", request, options);
  }

  /** Compute Jacobian-vector products. */
  jvp(request: Request<"JvpRequest">, options?: CallOptions): Promise<Response<"JvpResponse">> {
    return this.calls.compute("jvp", request, options);
  }

  /** Compute the Jacobian of each example. */
  jacobian(request: Request<"JacobianRequest">, options?: CallOptions): Promise<Response<"JacobianResponse">> {
    return this.calls.compute("jacobian", request, options);
  }

  /** Compute Hessian-vector products, and estimate the Hessian's diagonal. */
  hvp(request: Request<"HvpRequest">, options?: CallOptions): Promise<Response<"HvpResponse">> {
    return this.calls.compute("hvp", request, options);
  }

  /** Draw initial parameters from a seed. */
  init(request: Request<"InitRequest">, options?: CallOptions): Promise<Response<"InitResponse">> {
    return this.calls.compute("init", request, options);
  }

  /** Return shapes, parameters, memory and cost, without computing. */
  plan(request: Request<"PlanRequest">, options?: CallOptions): Promise<Response<"PlanResponse">> {
    return this.calls.compute("plan", request, options);
  }

  /** Compare gradients with two independent methods. */
  check(request: Request<"CheckRequest">, options?: CallOptions): Promise<Response<"CheckResponse">> {
    return this.calls.compute("check", request, options);
  }

  /** List the installed layers. */
  layers(options?: CallOptions): Promise<Response<"LayersResponse">> {
    return this.calls.read("layers", options);
  }

  /** Describe one layer. */
  layer(kind: string, options?: CallOptions): Promise<Response<"LayerResponse">> {
    return this.calls.read(`layers/${encodeURIComponent(kind)}`, options);
  }

  /** List the published networks. */
  networks(options?: CallOptions): Promise<Response<"PublishedListResponse">> {
    return this.calls.read("networks", options);
  }

  /** Describe one published network. */
  network(name: string, options?: CallOptions): Promise<Response<"PublishedResponse">> {
    return this.calls.read(`networks/${encodeURIComponent(name)}`, options);
  }

  /** List every limit in force. */
  limits(options?: CallOptions): Promise<Response<"LimitsResponse">> {
    return this.calls.read("limits", options);
  }

  /** List the installed optimizers and schedules. */
  optimizers(options?: CallOptions): Promise<Response<"OptimizersResponse">> {
    return this.calls.read("optimizers", options);
  }

  /** Describe one optimizer. */
  optimizer(kind: string, options?: CallOptions): Promise<Response<"OptimizerResponse">> {
    return this.calls.read(`optimizers/${encodeURIComponent(kind)}`, options);
  }

  /** List the models. */
  models(page: { limit?: number; after?: string } = {}, options?: CallOptions): Promise<Response<"ModelListResponse">> {
    return this.calls.read("models", options, page);
  }

  /** Make a model: a network, its first parameters, and an optimizer. */
  createModel(request: Request<"CreateModelRequest">, options?: ChangeOptions): Promise<Response<"CreationResponse">> {
    return this.calls.change("POST", "models", request, options);
  }

  /** Return the methods of a model; nothing is sent. */
  model(name: string): Model {
    return new Model(this.calls, name);
  }

  /** List the datasets. */
  datasets(page: { limit?: number; after?: string } = {}, options?: CallOptions): Promise<Response<"DatasetListResponse">> {
    return this.calls.read("datasets", options, page);
  }

  /** Describe one dataset: its columns, with their types and statistics. */
  dataset(name: string, options?: CallOptions): Promise<Response<"DatasetResponse">> {
    return this.calls.read(`datasets/${encodeURIComponent(name)}`, options);
  }

  /**
   * Make a dataset of a table.
   *
   * @param name the name of the dataset.
   * @param table the content of a file and its media type, `text/csv`, or the path of one that the service may read.
   * @param options settings of the call.
   */
  putDataset(name: string, table: Table | Request<"Path">, options?: ChangeOptions): Promise<Response<"PutDatasetResponse">> {
    return this.calls.change("PUT", `datasets/${encodeURIComponent(name)}`, table, options);
  }

  /** Delete a dataset that no ledger needs. */
  deleteDataset(name: string, options?: ChangeOptions): Promise<Response<"DatasetDeletionResponse">> {
    return this.calls.change("DELETE", `datasets/${encodeURIComponent(name)}`, undefined, options);
  }

  /** List the runs, the newest first. */
  runs(page: { limit?: number; before?: number; model?: string } = {}, options?: CallOptions): Promise<Response<"RunListResponse">> {
    return this.calls.read("runs", options, page);
  }

  /** Describe one run. */
  run(id: string, options?: CallOptions): Promise<Response<"RunResponse">> {
    return this.calls.read(`runs/${encodeURIComponent(id)}`, options);
  }

  /** Return the losses of a run. */
  runMetrics(id: string, page: { limit?: number; since?: number } = {}, options?: CallOptions): Promise<Response<"RunMetricsResponse">> {
    return this.calls.read(`runs/${encodeURIComponent(id)}/metrics`, options, page);
  }

  /** Pause a run, let it go on, or end it. */
  changeRun(id: string, change: "pause" | "resume" | "cancel", options?: ChangeOptions): Promise<Response<"RunChangeResponse">> {
    return this.calls.change("POST", `runs/${encodeURIComponent(id)}/${change}`, undefined, options);
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
