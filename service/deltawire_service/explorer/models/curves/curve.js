// Keeps the curve of a model or a run, which grows page by page: loss and gradient norm over places.
import * as routes from "../routes.js";

const LATEST = 20_000; // versions that a curve begins with
const MOST = 60_000; // points that a curve keeps

// `begin`: the version behind which the history begins. `first`: the one behind which the curve does.
class Curve {
  /** @type {any} */
  x = [];
  loss = [];
  norm = [];
  /** @type {any} */
  validation = { x: [], y: [] };
  stride = 1; // between the places it keeps, with the newest one

  constructor(described, begin, first) {
    this.described = described;
    this.begin = begin;
    this.first = this.read = first ?? Math.max(begin, described.version - LATEST);
  }

  get newest() { return Math.max(this.described.version, this.read); } // steps may be newer than the description

  get best() { return this.described.best_version ?? null; }

  // The run that it belongs to, if one.
  get run() { return null; }

  // Tells whether there are steps that were not read yet.
  get more() { return this.read < this.newest; }

  // Tells whether there are steps before the curve.
  get cut() { return this.first > this.begin; }

  // Returns a curve that begins earlier, to be read anew.
  longer() {
    return new /** @type {any} */ (this.constructor)(this.described, Math.max(this.begin, this.first - LATEST));
  }

  placeOf(version) { return version; }

  add({ version, loss, gradient_norm: norm }) {
    if (this.x.length && this.x.at(-1) % this.stride) for (const part of [this.x, this.loss, this.norm]) part.pop();
    this.x.push(this.placeOf(version));
    this.loss.push(loss);
    this.norm.push(norm);
    if (this.x.length >= MOST) this.thin();
  }

  // Keeps every second point: a run of millions of steps fits into the memory of a browser, all of it equally fine.
  thin() {
    this.stride *= 2;
    const kept = this.x.map((place, i) => (place % this.stride === 0 || i === this.x.length - 1));
    for (const part of ["x", "loss", "norm"]) this[part] = this[part].filter((_, i) => kept[i]);
  }
}

// Its places are versions.
export class ModelCurve extends Curve {
  counts = "version";
  events = []; // what is no step: {version, kind}

  constructor(described, first) { super(described, -1, first); }

  get label() { return this.described.name; }

  get model() { return this.described.name; }

  get identity() { return this.described.lineage; }

  versionAt(place) { return place; }

  async extend() {
    const { entries } = await routes.ledger(this.model, this.read);
    for (const entry of entries) {
      if (entry.gradient_norm === undefined) this.events.push(entry);
      else this.add(entry);
      this.read = entry.version;
    }
  }
}

// Its places count the steps of the run.
export class RunCurve extends Curve {
  counts = "step";

  constructor(described, first) { super(described, described.first_version, first); }

  get run() { return this.described; }

  // One version more than steps is the best one, restored at the end. While a run goes on, its steps may be behind.
  get events() { return this.run.state === "finished" && this.newest > this.begin + this.run.steps ? [{ version: this.newest, kind: "restored" }] : []; }

  get label() { return `${this.described.model} #${this.described.number}`; }

  get model() { return this.described.model; }

  get identity() { return this.described.id; }

  versionAt(place) { return place + this.begin; }

  placeOf(version) { return version - this.begin; }

  async extend() {
    const { steps, validations, next } = await routes.metrics(this.identity, this.read);
    steps.forEach((one) => this.add(one));
    for (const { version, loss } of validations) {
      this.validation.x.push(this.placeOf(version));
      this.validation.y.push(loss);
    }
    this.read = next;
  }
}
