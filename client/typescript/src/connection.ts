/** Calls of a service: a document out, a document back, over `fetch`. */

import { DeltawireError, failure, ServiceFailed, TimedOut, Unreachable } from "./errors.js";
import { repeat, type Answer, type Retries } from "./retries.js";
import * as safetensors from "./safetensors.js";
import { parseJson } from "./tensor.js";

const JSON_TYPE = "application/json";
const LONGEST_HEADER = 2 ** 16; // of a safetensors body; the service refuses longer ones

/** Settings of one call. */
export interface CallOptions {
  /** Ends the call, and its repetitions, when it is aborted. */
  signal?: AbortSignal;
  /** Seconds that the service may compute, at most those of the service itself. */
  deadline?: number;
}

/** Settings of one call that changes something. */
export interface ChangeOptions extends CallOptions {
  /**
   * Makes the change once, however often it comes: send the call again with the same key to find out what became of it.
   * By default each call draws its own, which its repetitions keep.
   */
  idempotencyKey?: string;
}

/** The content of a file, and its media type. */
export interface Table {
  content: Uint8Array<ArrayBuffer> | string;
  mediaType: string;
}

interface Received extends Answer {
  body: Uint8Array<ArrayBuffer>;
}

/** Encodes documents, sends them, repeats calls, and decodes the answers. */
export class Connection {
  private answered = false; // by the service, once: until then, it may not be running

  constructor(
    private readonly url: string,
    private readonly headers: Readonly<Record<string, string>>,
    private readonly retries: Retries,
    private readonly timeout: number,
    private readonly fetch: typeof globalThis.fetch,
  ) {}

  /** GET a path, and return the document that comes back. */
  get(path: string, options: CallOptions = {}, accepts = JSON_TYPE): Promise<unknown> {
    return this.call(path, { method: "GET", headers: { Accept: accepts } }, options);
  }

  /**
   * Send a document, and return the document that comes back.
   *
   * @param method POST, PUT, PATCH or DELETE.
   * @param path the path of the route.
   * @param document objects, lists and numbers, with tensors at some leaves; a table; or nothing.
   * @param accepts media type of the answer; by default the binary one.
   * @param options settings of the call.
   * @param key makes a change once; without one, the call must change nothing.
   */
  send(
    method: string,
    path: string,
    document: object | undefined,
    accepts: string = safetensors.MEDIA_TYPE,
    options: CallOptions = {},
    key?: string,
  ): Promise<unknown> {
    const [body, type] = encoded(document);
    const headers = {
      Accept: accepts,
      ...(type === undefined ? {} : { "Content-Type": type }),
      ...(key === undefined ? {} : { "Idempotency-Key": key }),
    };
    return this.call(path, { method, headers, body }, options, key !== undefined);
  }

  private async call(path: string, init: RequestInit, { signal, deadline }: CallOptions, keyed = false): Promise<unknown> {
    const limit: Record<string, string> = deadline === undefined ? {} : { "Deltawire-Deadline": String(deadline) };
    const headers = { ...this.headers, ...limit, ...(init.headers as Record<string, string>) };
    const request = { ...init, headers, redirect: "manual" } as const;
    const answer = await repeat(
      () => this.attempt(path, request, signal),
      this.retries,
      (seconds) => sleep(seconds, signal),
      () => this.answered,
      keyed,
    );
    return read(answer, this.url);
  }

  private async attempt(path: string, init: RequestInit, signal?: AbortSignal): Promise<Received> {
    if (!this.answered && this.retries.startup > 0) await this.find(this.retries.startup, signal);
    const timeout = AbortSignal.timeout(this.timeout * 1000);
    try {
      const response = await this.fetched(path, init, timeout, signal);
      return { status: response.status, headers: response.headers, body: new Uint8Array(await response.arrayBuffer()) };
    } catch (error) {
      signal?.throwIfAborted();
      if (!timeout.aborted) throw this.noService(error);
      const detail = `${this.url} sent no answer within ${this.timeout} s`;
      throw new TimedOut([{ pointer: "", code: "timed_out", detail }], undefined, undefined, error);
    }
  }

  /**
   * Throw Unreachable when nothing comes from the service in so many seconds.
   *
   * `fetch` has no time-out for connecting: a host that drops packets looks like a slow answer. A health check is
   * answered at once. Only silence counts: a failure here may be that of a page that may not read the answer.
   */
  private async find(seconds: number, signal?: AbortSignal): Promise<void> {
    const timeout = AbortSignal.timeout(seconds * 1000);
    try {
      await this.fetched("/livez", { method: "HEAD", redirect: "manual" }, timeout, signal);
    } catch (error) {
      signal?.throwIfAborted();
      if (timeout.aborted) throw this.noService(error, ` within ${seconds} s`);
    }
  }

  private async fetched(path: string, init: RequestInit, timeout: AbortSignal, signal?: AbortSignal): Promise<Response> {
    const { fetch } = this; // called as a function: browsers refuse it as a method
    const response = await fetch(this.url + path, { ...init, signal: signal ? AbortSignal.any([signal, timeout]) : timeout });
    this.answered = true;
    return response;
  }

  private noService(error: unknown, within = ""): Unreachable {
    const detail = `no service answers at ${this.url}${within}: start one with \`deltawire serve\`, or mend the address`;
    return new Unreachable([{ pointer: "", code: "unreachable", detail }], undefined, undefined, error);
  }
}

/** Return the body of a document, and its media type; both undefined for none. */
function encoded(document: object | undefined): [Uint8Array<ArrayBuffer> | string | undefined, string | undefined] {
  if (document === undefined) return [undefined, undefined];
  if ("mediaType" in document) {
    const { content, mediaType } = document as Table;
    return [content, mediaType];
  }
  if ("path" in document) return [JSON.stringify(document), JSON_TYPE];
  const body = safetensors.encode(document as safetensors.Document, "request");
  const long = new DataView(body.buffer).getUint32(0, true) > LONGEST_HEADER;
  return long ? [JSON.stringify(document), JSON_TYPE] : [body, safetensors.MEDIA_TYPE];
}

function read({ status, headers, body }: Received, url: string): unknown {
  const type = headers.get("Content-Type")?.split(";")[0]?.trim();
  const good = status >= 200 && status < 300;
  try {
    if (good && type === safetensors.MEDIA_TYPE) return safetensors.decode(body, "response");
    const document = parseJson(new TextDecoder().decode(body));
    if (good) return document;
    const error = failure(document, status);
    if (error) throw error;
  } catch (error) {
    if (error instanceof DeltawireError) throw error;
    throw invalid(`${url} answered ${status} with a body that cannot be read: ${error}`, status, error);
  }
  throw invalid(`${url} answered ${status} without a problem document: is it a deltawire service?`, status);
}

function invalid(detail: string, status: number, cause?: unknown): ServiceFailed {
  return new ServiceFailed([{ pointer: "", code: "answer_invalid", detail }], status, undefined, cause);
}

function sleep(seconds: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    signal?.throwIfAborted();
    const stop = () => {
      clearTimeout(timer);
      reject(signal?.reason);
    };
    const timer = setTimeout(() => {
      signal?.removeEventListener("abort", stop);
      resolve();
    }, seconds * 1000);
    signal?.addEventListener("abort", stop, { once: true });
  });
}
