// The data of the page: unpacked when it is wanted, and only once.

const NOTHING = { cells: [] };

async function unpacked(text) {
  const raw = atob(text);
  const bytes = new Uint8Array(raw.length);
  for (let n = 0; n < raw.length; n += 1) bytes[n] = raw.charCodeAt(n);
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
  return new Response(stream).json();
}

// A column: `name`, `title`, `unit`, `meaning`, `isNumber`, `filled` (how many cells have something).
class Column {
  #form;
  #order = null;

  constructor(entry, rowCount) {
    this.name = entry.name;
    this.title = entry.title;
    this.unit = entry.unit;
    this.meaning = entry.meaning;
    this.isNumber = entry.is_number;
    this.filled = entry.filled;
    this.rowCount = rowCount;
    this.later = entry.later ?? null;
    this.#form = this.later === null ? entry : null;
  }

  get isThere() {
    return this.#form !== null;
  }

  fill(form) {
    this.#form = form;
    this.#order = null;
  }

  // A number, text, or null.
  at(row) {
    const form = this.#form ?? NOTHING;
    if (form.codes) {
      const code = form.codes[row];
      return code === 0 ? null : form.words[code - 1];
    }
    return form.all ?? form.cells[row] ?? null;
  }

  // The different values and how often each is there, most frequent first.
  counts() {
    const found = new Map();
    for (let row = 0; row < this.rowCount; row += 1) {
      const value = this.at(row);
      if (value !== null) found.set(value, (found.get(value) ?? 0) + 1);
    }
    return [...found].sort((a, b) => b[1] - a[1]);
  }

  // Numbers by which rows are sorted; NaN where there is nothing.
  order() {
    if (this.#order === null) {
      const keys = new Float64Array(this.rowCount).fill(NaN);
      const ranks = this.isNumber ? null : this.#ranks();
      for (let row = 0; row < this.rowCount; row += 1) {
        const value = this.at(row);
        if (value !== null) keys[row] = ranks === null ? value : ranks.get(value);
      }
      this.#order = keys;
    }
    return this.#order;
  }

  #ranks() {
    const collator = new Intl.Collator("en", { numeric: true });
    const values = new Set();
    for (let row = 0; row < this.rowCount; row += 1) {
      const value = this.at(row);
      if (value !== null) values.add(value);
    }
    const sorted = [...values].sort((a, b) => collator.compare(String(a), String(b)));
    return new Map(sorted.map((value, rank) => [value, rank]));
  }
}

export class Dataset {
  #packed;
  #columns;
  #details = new Map();
  #loading = new Map();

  static async open(packed) {
    return new Dataset(packed, await unpacked(packed.main));
  }

  constructor(packed, main) {
    this.#packed = packed;
    this.rowCount = main.row_count;
    this.heading = main.heading;
    this.overview = main.overview;
    this.leftOut = main.left_out;
    this.models = main.models;
    this.configurations = main.configurations;
    this.columns = main.columns.map((entry) => new Column(entry, main.row_count));
    this.#columns = new Map(this.columns.map((column) => [column.name, column]));
    this.detailedRows = main.detailed_rows;
    this.rowsInAChunk = main.rows_in_a_chunk;
  }

  // The column of that name, or null if no row has anything in it.
  column(name) {
    return this.#columns.get(name) ?? null;
  }

  value(name, row) {
    return this.column(name)?.at(row) ?? null;
  }

  // Waits until columns can be read.
  async load(columns) {
    await Promise.all(columns.filter((column) => !column.isThere).map((column) => this.#loaded(column)));
  }

  #loaded(column) {
    if (!this.#loading.has(column)) {
      const work = unpacked(this.#packed.columns[column.later]).then((form) => column.fill(form));
      this.#loading.set(column, work);
    }
    return this.#loading.get(column);
  }

  // Samples and logs of a row; null if there are none.
  async details(row) {
    if (row >= this.detailedRows) return null;
    const chunk = Math.floor(row / this.rowsInAChunk);
    if (!this.#details.has(chunk)) this.#details.set(chunk, unpacked(this.#packed.details[chunk]));
    return (await this.#details.get(chunk))[row % this.rowsInAChunk];
  }

  rowsOfModel(model) {
    const found = [];
    this.models.numbers.forEach((number, row) => {
      if (number === model) found.push(row);
    });
    return found;
  }
}
