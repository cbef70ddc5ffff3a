/** The errors of the client. `code` and `pointer` say what is wrong and where; docs/api.md lists the codes. */

import type { components } from "./openapi.js";

/** One thing wrong: `pointer` is a JSON pointer into the request, `code` is stable, `detail` is for people. */
export type Fault = components["schemas"]["FaultResponse"];

/** The base of every error of the client. */
export class DeltawireError extends Error {
  /**
   * Keep what is wrong.
   *
   * @param faults most important first, at least one.
   * @param status HTTP status of the answer; undefined without one.
   * @param requestId finds the request in the logs of the service.
   * @param cause the error beneath.
   */
  constructor(
    readonly faults: readonly [Fault, ...Fault[]],
    readonly status?: number,
    readonly requestId?: string,
    cause?: unknown,
  ) {
    super(faults.map(({ pointer, detail }) => (pointer ? `${pointer}: ${detail}` : detail)).join("; "), { cause });
    this.name = new.target.name;
  }

  get code(): string {
    return this.faults[0].code;
  }

  get pointer(): string {
    return this.faults[0].pointer;
  }
}

/** The request cannot be computed: repeating it unchanged cannot help. */
export class Refused extends DeltawireError {}

/** No answer came: the connection failed. What computes may be sent again; a change, with the same Idempotency-Key. */
export class Unreachable extends DeltawireError {
  /** Return the same failure, its detail with the number of attempts and the seconds they took. */
  after(attempts: number, seconds: number): Unreachable {
    const tried = `${attempts === 1 ? "1 attempt" : `${attempts} attempts`} in ${seconds.toFixed(1)} s`;
    const [first, ...rest] = this.faults;
    const faults = [{ ...first, detail: `${first.detail} (${tried})` }, ...rest] as const;
    return new Unreachable(faults, this.status, this.requestId, this.cause);
  }
}

/** The service sent no answer within the timeout. */
export class TimedOut extends Unreachable {}

/** The service failed, or something else answered in its place. The request itself may be right. */
export class ServiceFailed extends DeltawireError {}

/** A layer broke its contract: its own bug. The detail names the node and the kind. */
export class PluginFailed extends ServiceFailed {}

/** Return the error that a problem document describes, or undefined for any other document. */
export function failure(problem: unknown, status: number): DeltawireError | undefined {
  if (!isProblem(problem)) return undefined;
  const { errors, request_id } = problem;
  if (status < 500) return new Refused(errors, status, request_id);
  return new (errors[0].code === "plugin_error" ? PluginFailed : ServiceFailed)(errors, status, request_id);
}

function isProblem(value: unknown): value is { errors: [Fault, ...Fault[]]; request_id: string } {
  const errors = (value as { errors?: unknown } | null)?.errors;
  return Array.isArray(errors) && errors.length > 0 && errors.every((fault) => typeof fault?.code === "string");
}
