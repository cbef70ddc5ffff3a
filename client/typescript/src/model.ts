/** A model that learns at the service: its steps, its versions, and what is computed with them. */

import type { Calls } from "./calls.js";
import type { CallOptions, ChangeOptions } from "./connection.js";
import type { Request, Response } from "./documents.js";
import { MEDIA_TYPE } from "./safetensors.js";

/** A version of a model; the newest by default. */
export interface Version {
  version?: number;
}

/** One model, by its name. Nothing is sent until a method is called; docs/models.md describes the documents. */
export class Model {
  private readonly path: string;

  constructor(private readonly calls: Calls, readonly name: string) {
    this.path = `models/${encodeURIComponent(name)}`;
  }

  /** Describe the model. */
  describe(options?: CallOptions): Promise<Response<"ModelResponse">> {
    return this.calls.read(this.path, options);
  }

  /** Take one step on a batch, or with gradients. It is taken once, however often the call is repeated. */
  step(request: Request<"StepsRequest">, options?: ChangeOptions): Promise<Response<"StepResponse">> {
    return this.calls.change("POST", `${this.path}/steps`, { ...request, tensors: "base64" }, options, MEDIA_TYPE);
  }

  /** Return the parameters of a version. */
  params(version: Version = {}, options?: CallOptions): Promise<Response<"ModelParamsResponse">> {
    return this.calls.readTensors(`${this.path}/params`, options, { ...version });
  }

  /** Return the optimizer of a version, with its state. */
  optimizer(version: Version = {}, options?: CallOptions): Promise<Response<"ModelOptimizerResponse">> {
    return this.calls.readTensors(`${this.path}/optimizer`, options, { ...version });
  }

  /** List the changes of the model, from the first one on. */
  ledger(page: { limit?: number; after?: number } = {}, options?: CallOptions): Promise<Response<"LedgerResponse">> {
    return this.calls.read(`${this.path}/ledger`, options, page);
  }

  /** Change the optimizer. */
  change(request: Request<"ChangeModelRequest">, options?: ChangeOptions): Promise<Response<"ChangeResponse">> {
    return this.calls.change("PATCH", this.path, request, options);
  }

  /** Go back to the numbers of an earlier version, as a new one. */
  restore(request: Request<"RestoreRequest">, options?: ChangeOptions): Promise<Response<"RestoreResponse">> {
    return this.calls.change("POST", `${this.path}/restore`, request, options);
  }

  /** Make another model of a version. */
  fork(request: Request<"ForkRequest">, options?: ChangeOptions): Promise<Response<"CreationResponse">> {
    return this.calls.change("POST", `${this.path}/fork`, request, options);
  }

  /** Begin a run: training on a dataset, at the service. */
  run(recipe: Request<"Recipe">, options?: ChangeOptions): Promise<Response<"RunChangeResponse">> {
    return this.calls.change("POST", `${this.path}/runs`, recipe, options);
  }

  /** Delete the model and all its versions. */
  delete(options?: ChangeOptions): Promise<Response<"DeletionResponse">> {
    return this.calls.change("DELETE", this.path, undefined, options);
  }

  /** Compute the loss of a batch, and its gradients. */
  gradients(request: Request<"ModelGradientsRequest">, options?: CallOptions): Promise<Response<"ModelGradientsResponse">> {
    return this.compute("gradients", request, options, request.trace ? "application/json" : undefined);
  }

  /** Compute the values of chosen nodes; by default predictions. */
  forward(request: Request<"ModelForwardRequest">, options?: CallOptions): Promise<Response<"ModelForwardResponse">> {
    return this.compute("forward", request, options);
  }

  /** Compute vector-Jacobian products. */
  vjp(request: Request<"ModelVjpRequest">, options?: CallOptions): Promise<Response<"ModelVjpResponse">> {
    return this.compute("vjp", request, options);
  }

  /** Compute Jacobian-vector products. */
  jvp(request: Request<"ModelJvpRequest">, options?: CallOptions): Promise<Response<"ModelJvpResponse">> {
    return this.compute("jvp", request, options);
  }

  /** Compute the Jacobian of each example. */
  jacobian(request: Request<"ModelJacobianRequest">, options?: CallOptions): Promise<Response<"ModelJacobianResponse">> {
    return this.compute("jacobian", request, options);
  }

  /** Compute Hessian-vector products, and estimate the Hessian's diagonal. */
  hvp(request: Request<"ModelHvpRequest">, options?: CallOptions): Promise<Response<"ModelHvpResponse">> {
    return this.compute("hvp", request, options);
  }

  /** Compare gradients with two independent methods. */
  check(request: Request<"ModelCheckRequest">, options?: CallOptions): Promise<Response<"ModelCheckResponse">> {
    return this.compute("check", request, options);
  }

  /** Return shapes, parameters, memory and cost, without computing. */
  plan(request: Request<"ModelPlanRequest">, options?: CallOptions): Promise<Response<"ModelPlanResponse">> {
    return this.compute("plan", request, options);
  }

  private compute<R>(route: string, request: object, options?: CallOptions, accepts?: string): Promise<R> {
    return this.calls.compute(`${this.path}/${route}`, request, options, accepts);
  }
}
