// Keeps the page of a list that is shown: of models, or of runs that have ended.

const ROWS = 10; // on a page

// `pages`: what the page and those before it follow. `keyOf`: the key of a row.
export class Listing {
  rows; // until it is known
  next = null;
  pages = [null];

  constructor(read, keyOf) {
    this.read = read;
    this.keyOf = keyOf;
  }

  async refresh(contains) {
    Object.assign(this, await this.read({ after: this.pages.at(-1), limit: ROWS, contains }));
  }

  // Tells whether there is no other page.
  get alone() { return this.pages.length === 1 && this.next === null; }
}
