import assert from "node:assert/strict";
import { test } from "node:test";
import { Refused, TimedOut, Unreachable } from "../src/errors.js";
import { repeat, RETRIES, seconds, type Answer } from "../src/retries.js";

const FAULT = { pointer: "", code: "unreachable", detail: "" };

/** Replay answers and errors; return what `repeat` gave, the attempts and the waits. */
async function replay(outcomes: (Answer | Error)[], settings = {}, answered = () => true, keyed = false) {
  const waits: number[] = [];
  let attempts = 0;
  const attempt = async () => {
    const outcome = outcomes[Math.min(attempts++, outcomes.length - 1)]!;
    if (outcome instanceof Error) throw outcome;
    return outcome;
  };
  const result = repeat(attempt, { ...RETRIES, ...settings }, async (wait) => void waits.push(wait), answered, keyed);
  const outcome = await result.catch((error: unknown) => error);
  return { outcome, attempts, waits };
}

function answer(status: number, retryAfter?: string): Answer {
  return { status, headers: new Headers(retryAfter === undefined ? {} : { "Retry-After": retryAfter }) };
}

for (const status of [429, 502, 503]) {
  test(`${status} is repeated until it is over`, async () => {
    const good = answer(200);
    const { outcome, attempts, waits } = await replay([answer(status), answer(status), good]);
    assert.equal(outcome, good);
    assert.equal(attempts, 3);
    assert.ok(waits[0]! >= 0.05 && waits[0]! <= 0.1 && waits[1]! >= 0.1 && waits[1]! <= 0.2, String(waits));
  });
}

for (const status of [200, 400, 422, 500, 504]) {
  test(`${status} is final`, async () => {
    assert.equal((await replay([answer(status)])).attempts, 1);
  });
}

test("a change is repeated after a time-out, and after the 504 of a proxy", async () => {
  const good = answer(200);
  const late = new TimedOut([FAULT]);
  assert.equal((await replay([late, answer(504), good], {}, () => true, true)).outcome, good);
  assert.equal((await replay([late, good])).attempts, 1);
});

test("a change is not repeated after a 504 of the service, which changed nothing", async () => {
  const headers = { "Content-Type": "application/problem+json", "X-Request-Id": "1" };
  const late = (code: string) => ({ status: 504, headers: new Headers(headers), body: new TextEncoder().encode(`{"code": "${code}"}`) });
  assert.equal((await replay([late("deadline_exceeded"), answer(200)], {}, () => true, true)).attempts, 1);
  assert.equal((await replay([late("outcome_unknown"), answer(200)], {}, () => true, true)).attempts, 2);
});

test("the last busy answer is returned", async () => {
  const { outcome, attempts } = await replay([answer(503)], { attempts: 3 });
  assert.equal((outcome as Answer).status, 503);
  assert.equal(attempts, 3);
});

test("broken connections are repeated, and the last error is thrown", async () => {
  const { outcome, attempts } = await replay([new Unreachable([FAULT])], { attempts: 4 });
  assert.ok(outcome instanceof Unreachable);
  assert.match(outcome.message, /\(4 attempts in 0\.0 s\)$/);
  assert.equal(attempts, 4);
});

test("a service that has never answered is given up after the startup", async () => {
  const { outcome, attempts } = await replay([new Unreachable([FAULT])], { startup: 0.04 }, () => false);
  assert.ok(outcome instanceof Unreachable);
  assert.equal(attempts, 1);
  assert.equal((await replay([new Unreachable([FAULT]), answer(200)], { startup: 1.5 }, () => false)).attempts, 2);
});

test("what took too long, and what is refused, is not repeated", async () => {
  for (const error of [new TimedOut([FAULT]), new Refused([FAULT]), new Error()]) {
    assert.deepEqual(await replay([error]), { outcome: error, attempts: 1, waits: [] });
  }
});

test("Retry-After is kept", async () => {
  const { waits } = await replay([answer(429, "7"), answer(200)]);
  assert.ok(waits[0]! >= 7.05 && waits[0]! <= 7.1, String(waits));
});

test("a service that asks for a longer wait than the patience or the budget is not asked again", async () => {
  assert.equal((await replay([answer(503, "61")])).attempts, 1);
  assert.equal((await replay([answer(503, "30")], { budget: 20 })).attempts, 1);
});

test("Retry-After is a number of seconds, or a date", () => {
  assert.equal(seconds("12"), 12);
  assert.equal(seconds(null), 0);
  assert.equal(seconds("soon"), 0);
  assert.equal(seconds("Thu, 01 Jan 1970 00:00:00 GMT"), 0);
  const wait = seconds(new Date(Date.now() + 30_000).toUTCString());
  assert.ok(wait > 28 && wait <= 30, String(wait));
});
