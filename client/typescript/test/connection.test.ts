/** What the client makes of odd answers, from a server that answers whatever a test wants. */

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { connect, type AddressInfo } from "node:net";
import { after, before, test } from "node:test";
import { Client, decode, MEDIA_TYPE, PluginFailed, Refused, ServiceFailed, Tensor, TimedOut, Unreachable } from "../src/index.js";

const NETWORK = { inputs: { x: { shape: [] } }, nodes: [{ kind: "sum" }] } satisfies import("../src/index.js").Network;
const REQUEST = { network: NETWORK, data: { x: new Tensor(Float64Array.of(1)) } };
const RETRIES = { attempts: 3, first: 0.001 };

/** How the server answers, all but the question whether it is there. */
let answer: (request: IncomingMessage, response: ServerResponse, body: Buffer) => void;
const server = createServer(async (request, response) => {
  if (request.method === "HEAD" && request.url === "/livez") return void response.end();
  const pieces: Buffer[] = [];
  for await (const piece of request) pieces.push(piece as Buffer);
  answer(request, response, Buffer.concat(pieces));
});
let url: string;

before(async () => {
  await new Promise<void>((ready) => server.listen(0, "127.0.0.1", ready));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
after(() => {
  server.closeAllConnections();
  server.close();
});

/** Start a process that accepts no connection, and fill its queue: the system drops the packets of further ones. */
async function droppingHost(): Promise<{ url: string; close: () => void }> {
  const program =
    "const server = require('net').createServer().listen(0, '127.0.0.1', 1, () => {" +
    "require('fs').writeSync(1, String(server.address().port)); Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0); });";
  const child = spawn(process.execPath, ["-e", program]);
  const port = Number(await new Promise((ready) => child.stdout.once("data", ready)));
  const waiting = Array.from({ length: 4 }, () => connect(port, "127.0.0.1").on("error", () => undefined));
  await new Promise((ready) => waiting[0]!.once("connect", ready));
  return {
    url: `http://127.0.0.1:${port}`,
    close: () => {
      for (const socket of waiting) socket.destroy();
      child.kill("SIGKILL");
    },
  };
}

function problem(response: ServerResponse, status: number, code: string): void {
  const fault = { pointer: "/data/x", code, detail: "wrong" };
  response.writeHead(status, { "Content-Type": "application/problem+json" });
  response.end(JSON.stringify({ status, code, request_id: "id", errors: [fault] }));
}

for (const [status, code, kind] of [
  [422, "tensor_invalid", Refused],
  [500, "internal", ServiceFailed],
  [500, "plugin_error", PluginFailed],
] as const) {
  test(`a problem document with ${code} is a ${kind.name}`, async () => {
    answer = (_, response) => problem(response, status, code);
    await assert.rejects(new Client(url).forward({ ...REQUEST, values: [] }), (error) => {
      assert.ok(error instanceof kind);
      assert.deepEqual([error.name, error.code, error.status], [kind.name, code, status]);
      assert.deepEqual([error.pointer, error.requestId, error.message], ["/data/x", "id", "/data/x: wrong"]);
      return true;
    });
  });
}

test("a change keeps its key from attempt to attempt, and another call draws another", async () => {
  const keys: unknown[] = [];
  answer = (request, response) => {
    keys.push(request.headers["idempotency-key"]);
    if (keys.length === 1) return void response.writeHead(503).end();
    response.writeHead(201, { "Content-Type": "application/json" }).end('{"version": 1}');
  };
  const model = new Client(url, { retries: RETRIES }).model("a/b");
  assert.equal((await model.step({ data: { x: [1] } })).version, 1);
  await model.step({ data: { x: [1] } });
  await model.step({ data: { x: [1] } }, { idempotencyKey: "mine" });
  assert.match(String(keys[0]), /^[0-9a-f]{32}$/);
  assert.equal(keys[0], keys[1]);
  assert.notEqual(keys[1], keys[2]);
  assert.equal(keys[3], "mine");
});

test("what computes has no key", async () => {
  let key: unknown = "none";
  answer = (request, response) => {
    key = request.headers["idempotency-key"];
    response.writeHead(200, { "Content-Type": "application/json" }).end("{}");
  };
  await new Client(url).gradients(REQUEST);
  assert.equal(key, undefined);
});

for (const [name, status, type, body] of [
  ["a page", 200, "text/html", "<html>"],
  ["another document", 404, "application/json", '{"error": "no"}'],
  ["a redirect", 302, "text/html", ""],
  ["a broken body", 200, MEDIA_TYPE, "broken"],
] as const) {
  test(`${name} is no answer of a service`, async () => {
    answer = (_, response) => response.writeHead(status, { "Content-Type": type, Location: "/" }).end(body);
    await assert.rejects(new Client(url).limits(), (error) => error instanceof ServiceFailed && error.code === "answer_invalid");
  });
}

test("a broken connection is repeated", async () => {
  let attempts = 0;
  answer = (_, response) => {
    attempts++;
    if (attempts === 1) response.destroy();
    else if (attempts === 2) response.writeHead(200, { "Content-Length": "9" }).write("cut", () => response.destroy());
    else response.writeHead(200, { "Content-Type": "application/json" }).end('{"limits": {}}');
  };
  assert.deepEqual(await new Client(url, { retries: RETRIES }).limits(), { limits: {} });
  assert.equal(attempts, 3);
});

test("no service is Unreachable", async () => {
  const begun = performance.now();
  await assert.rejects(new Client("http://127.0.0.1:9").limits(), (error) => {
    assert.ok(error instanceof Unreachable);
    assert.match(error.message, /no service answers at http:\/\/127\.0\.0\.1:9: start one with `deltawire serve`.* attempts in /);
    return true;
  });
  assert.ok(performance.now() - begun < 2500);
});

test("a host that drops packets is Unreachable within two seconds", async () => {
  const begun = performance.now();
  const host = await droppingHost();
  try {
    const client = new Client(host.url, { retries: { startup: 1 } });
    await assert.rejects(client.limits(), (error) => {
      assert.ok(error instanceof Unreachable && !(error instanceof TimedOut));
      assert.match(error.message, /no service answers at .* within 1 s: start one with `deltawire serve`.* \(1 attempt in 1\.\d s\)/);
      return true;
    });
    assert.ok(performance.now() - begun < 2500);
    await assert.rejects(new Client(host.url, { timeout: 0.2, retries: { startup: 0 } }).limits(), TimedOut);
  } finally {
    host.close();
  }
});

test("a slow answer of a service that is there is waited for", async () => {
  answer = (_, response) =>
    void setTimeout(() => response.writeHead(200, { "Content-Type": "application/json" }).end("{}"), 300);
  assert.deepEqual(await new Client(url, { retries: { startup: 0.2 } }).limits(), {});
});

test("a health check that a page may not read is no failure", async () => {
  const unreadable: typeof fetch = async (address, init) => {
    if (init?.method === "HEAD") throw new TypeError("Failed to fetch");
    return fetch(address, init);
  };
  answer = (_, response) => response.writeHead(200, { "Content-Type": "application/json" }).end("{}");
  assert.deepEqual(await new Client(url, { fetch: unreadable }).limits(), {});
});

test("whether a service is there is asked once, and any answer will do", async () => {
  const asked: string[] = [];
  const counting: typeof fetch = async (address, init) => {
    asked.push(`${init?.method} ${String(address).replace(url, "")}`);
    return init?.method === "HEAD" ? new Response(null, { status: 403 }) : fetch(address, init);
  };
  answer = (_, response) => response.writeHead(200, { "Content-Type": "application/json" }).end("{}");
  const client = new Client(url, { fetch: counting });
  await client.limits();
  await client.layers();
  assert.deepEqual(asked, ["HEAD /livez", "GET /v1/limits", "GET /v1/layers"]);
});

test("a service that is too slow is TimedOut, and not asked again", async () => {
  let attempts = 0;
  answer = () => void attempts++;
  await assert.rejects(new Client(url, { timeout: 0.1 }).limits(), TimedOut);
  assert.equal(attempts, 1);
});

test("an aborted call ends with the reason, also between two attempts", async () => {
  answer = (_, response) => response.writeHead(503, { "Retry-After": "30" }).end();
  const stop = new AbortController();
  const call = new Client(url).limits({ signal: stop.signal });
  setTimeout(() => stop.abort(new Error("enough")), 50);
  await assert.rejects(call, /enough/);
  await assert.rejects(new Client(url).limits({ signal: AbortSignal.abort(new Error("before")) }), /before/);
});

test("key, deadline and media types are sent", async () => {
  let headers: IncomingMessage["headers"] = {};
  answer = (request, response) => {
    headers = request.headers;
    response.writeHead(200, { "Content-Type": "application/json" }).end("{}");
  };
  const client = new Client(`${url}/`, { apiKey: "secret" });
  await client.gradients({ ...REQUEST, trace: true }, { deadline: 2.5 });
  assert.equal(headers.authorization, "Bearer secret");
  assert.equal(headers["deltawire-deadline"], "2.5");
  assert.deepEqual([headers["content-type"], headers.accept], [MEDIA_TYPE, "application/json"]);
});

test("a request whose header is too long is sent as JSON", async () => {
  let sent: [string | undefined, unknown] = [undefined, undefined];
  answer = (request, response, body) => {
    const type = request.headers["content-type"];
    sent = [type, type === MEDIA_TYPE ? decode(Uint8Array.from(body), "request") : JSON.parse(String(body))];
    response.writeHead(200, { "Content-Type": "application/json" }).end("{}");
  };
  await new Client(url).forward({ ...REQUEST, values: ["f"] });
  assert.deepEqual(sent, [MEDIA_TYPE, { ...REQUEST, values: ["f"], tensors: "base64" }]);
  await new Client(url).forward({ ...REQUEST, values: Array(20_000).fill("f") });
  assert.equal(sent[0], "application/json");
});

test("an address or a key that cannot be sent is refused at once, and not quoted", () => {
  for (const address of ["http://u:SECRET@h", "http://u@h", "http://h/?key=SECRET", "http://h/?", "http://h/#SECRET", "ftp://u:SECRET@h"]) {
    assert.throws(() => new Client(address), (error) => error instanceof TypeError && !/SECRET/.test(String(error)));
  }
  for (const apiKey of ["SECRET\u00e9", "SECRET\n", "SECRET ", "\u2028", ""]) {
    assert.throws(() => new Client(url, { apiKey }), (error) => error instanceof TypeError && !/SECRET/.test(String(error)));
  }
});

test("an address without http is refused", () => {
  for (const address of ["ftp://127.0.0.1", "127.0.0.1:8000", ""]) assert.throws(() => new Client(address), TypeError);
});
