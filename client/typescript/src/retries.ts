/**
 * When a call is made again. A call that computes is pure, so that repeating it costs time and changes nothing. One that
 * changes something carries an Idempotency-Key, so that the change is made once; it is repeated in more cases.
 *
 * The wait before a repetition is drawn uniformly between half a bound and the bound, which doubles each time: clients
 * that are turned away together do not come back together.
 */

import { TimedOut, Unreachable } from "./errors.js";

/** How often and how long to try; times are in seconds. */
export interface Retries {
  /** Most times a call is made. */
  attempts: number;
  /** Seconds for all attempts; no wait begins that would end later. */
  budget: number;
  /** Bound of the first wait. */
  first: number;
  /** Bound of any wait. */
  longest: number;
  /** A service that asks for a longer wait by `Retry-After` is not asked again. */
  patience: number;
  /** Seconds for all attempts, and for each, while the service has never answered: it may not be running at all. */
  startup: number;
}

export const RETRIES: Readonly<Retries> = { attempts: 8, budget: 120, first: 0.1, longest: 10, patience: 60, startup: 1.5 };

/** Statuses that mean "not now". 504 is not among them: what took too long once takes too long again. */
const BUSY = new Set([429, 502, 503]);

/** An answer as far as a repetition depends on it. */
export interface Answer {
  status: number;
  headers: Headers;
  body?: Uint8Array<ArrayBuffer>;
}

/**
 * Call `attempt` until the service is reached and not busy.
 *
 * @param attempt sends the request once.
 * @param retries how often and how long to try.
 * @param sleep waits so many seconds.
 * @param answered returns whether the service has ever answered.
 * @param keyed whether the call changes something once, by its Idempotency-Key.
 * @returns the first answer that is not busy, or the last one.
 * @throws Unreachable the last attempt found no service.
 * @throws TimedOut an attempt was too slow; it is repeated only with a key.
 */
export async function repeat<A extends Answer>(
  attempt: () => Promise<A>,
  retries: Retries,
  sleep: (seconds: number) => Promise<void>,
  answered: () => boolean = () => true,
  keyed = false,
): Promise<A> {
  const begun = now();
  const isLast = (number: number, wait: number) => {
    const most = answered() ? retries.budget : Math.min(retries.startup, retries.budget);
    return number >= retries.attempts || now() + wait > begun + most;
  };
  let unsure = false; // whether an attempt before may have made the change
  for (let number = 1; ; number++) {
    let wait = delay(number, 0, retries);
    try {
      const answer = await attempt();
      unsure ||= keyed && !changedNothing(answer);
      if (!BUSY.has(answer.status) && !(answer.status === 504 && unsure)) return answer;
      wait = delay(number, seconds(answer.headers.get("Retry-After")), retries);
      if (isLast(number, wait)) return answer;
    } catch (error) {
      if (!(error instanceof Unreachable) || (error instanceof TimedOut && !keyed)) throw error;
      unsure = keyed;
      if (isLast(number, wait)) throw error.after(number, now() - begun);
    }
    await sleep(wait);
  }
}

/** Return the seconds that a `Retry-After` header asks for, as a number or a date; 0 for anything else. */
export function seconds(retryAfter: string | null): number {
  if (retryAfter === null) return 0;
  if (/^\s*\d+\s*$/.test(retryAfter)) return Number(retryAfter);
  return Math.max(0, (Date.parse(retryAfter) - Date.now()) / 1000) || 0;
}

/**
 * Return whether an answer says for certain that its attempt changed nothing.
 *
 * A 429 does, and a 503 or 504 of the service itself, which has the id of the request. A proxy does not know.
 */
function changedNothing({ status, headers, body }: Answer): boolean {
  const ours = headers.get("Content-Type")?.startsWith("application/problem+json") && headers.has("X-Request-Id");
  const unknown = () => new TextDecoder().decode(body).includes('"outcome_unknown"');
  return status === 429 || (Boolean(ours) && (status === 503 || status === 504) && !unknown());
}

function delay(number: number, requested: number, { first, longest, patience }: Retries): number {
  const bound = Math.min(longest, first * 2 ** (number - 1));
  return requested <= patience ? requested + (bound * (1 + Math.random())) / 2 : Infinity;
}

function now(): number {
  return performance.now() / 1000;
}
