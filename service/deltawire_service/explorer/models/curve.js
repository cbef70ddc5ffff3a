// Keeps the curve of a model or a run, which grows page by page: loss and gradient norm over places.
import * as routes from "./routes.js";

const PAGE = 1000; // steps that the service gives at once
const LATEST = 20_000; // versions that a curve begins with

// `begin`: the version behind which the history begins. `first`: the one behind which the curve does.
class Curve {
  x = [];
  loss = [];
  norm = [];
  validation = { x: [], y: [] };
  events = []; // what is no step: {version, kind}

  constructor(described, begin, first) {
    this.described = described;
    this.begin = begin;
    this.first = this.read = first ?? Math.max(begin, described.version - LATEST);
  }

  get newest() { return this.described.version; }

  // Tells whether there are steps that were not read yet.
  get more() { return this.read < this.newest; }

  // Tells whether there are steps before the curve.
  get cut() { return this.first > this.begin; }

  // Returns a curve that begins earlier, to be read anew.
  longer() {
    return new this.constructor(this.described, Math.max(this.begin, this.first - LATEST));
  }

  add({ version, loss, gradient_norm: norm }) {
    this.x.push(this.placeOf(version));
    this.loss.push(loss);
    this.norm.push(norm);
  }
}

// Its places are versions.
export class ModelCurve extends Curve {
  counts = "version";

  constructor(described, first) { super(described, -1, first); }

  get label() { return this.described.name; }

  get model() { return this.described.name; }

  get identity() { return this.described.lineage; }

  versionAt(place) { return place; }

  placeOf(version) { return version; }

  async extend() {
    const { entries } = await routes.ledger(this.model, this.read, PAGE);
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

  get label() { return `${this.described.model} #${this.described.number}`; }

  get model() { return this.described.model; }

  get identity() { return this.described.id; }

  versionAt(place) { return place + this.begin; }

  placeOf(version) { return version - this.begin; }

  async extend() {
    const { steps, validations, next } = await routes.metrics(this.identity, this.read, PAGE);
    steps.forEach((one) => this.add(one));
    for (const { version, loss } of validations) {
      this.validation.x.push(this.placeOf(version));
      this.validation.y.push(loss);
    }
    this.read = next;
  }
}
