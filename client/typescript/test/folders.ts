import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

/** The test vectors of all clients. Compiled tests lie in build/test. */
export const VECTORS = fileURLToPath(new URL("../../../../tests/vectors/", import.meta.url));

export function bytes(path: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(readFileSync(VECTORS + path));
}

export function text(path: string): string {
  return readFileSync(VECTORS + path, "utf8");
}

export const ROUTES: Record<string, string> = JSON.parse(text("routes.json"));
