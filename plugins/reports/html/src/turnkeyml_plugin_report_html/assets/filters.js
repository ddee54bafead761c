// Which rows are shown, and in which order.

import { number, visible, headingOf } from "./format.js";

const SEARCHED =
  /^(model_name|build_name|hash|script|author|model_class|status|failed_step|error|device|device_name|runtime|runtime_version|verdict|chain|(labels|parameter)\..*)$/su;

export const OPERATORS = {
  is: "is",
  "is not": "is not",
  contains: "contains",
  "at least": "is at least",
  "at most": "is at most",
  below: "is below",
  present: "is present",
  missing: "is missing",
};

const TESTS = {
  is: (value, wanted) => value !== null && String(value) === String(wanted),
  "is not": (value, wanted) => value !== null && String(value) !== String(wanted),
  contains: (value, wanted) => value !== null && String(value).toLowerCase().includes(wanted.toLowerCase()),
  "at least": (value, wanted) => typeof value === "number" && value >= Number(wanted),
  "at most": (value, wanted) => typeof value === "number" && value <= Number(wanted),
  below: (value, wanted) => typeof value === "number" && value < Number(wanted),
  present: (value) => value !== null,
  missing: (value) => value === null,
};

// A rule: `column` (its name), `operator`, and `wanted`, text or a number.
export function ruleText(data, rule) {
  const column = data.column(rule.column);
  const title = column ? headingOf(column) : visible(rule.column);
  const wanted = typeof rule.wanted === "number" ? number(rule.wanted) : visible(rule.wanted ?? "");
  return `${title} ${OPERATORS[rule.operator]} ${wanted}`.trim();
}

export class View {
  #data;
  #listeners = [];
  #haystack = null;

  constructor(data) {
    this.#data = data;
    this.search = "";
    this.rules = [];
    this.sorting = null;
    this.rows = Uint32Array.from({ length: data.rowCount }, (_, row) => row);
  }

  get total() {
    return this.#data.rowCount;
  }

  get isFiltered() {
    return this.search.trim() !== "" || this.rules.length > 0;
  }

  // `listener(filtered)` is called after each change; `filtered` is whether other rows are shown.
  onChange(listener) {
    this.#listeners.push(listener);
  }

  setSearch(text) {
    this.search = text;
    this.#filter();
  }

  // Puts rules in place of those about the same columns.
  async setRules(rules) {
    const columns = new Set(rules.map((rule) => rule.column));
    this.rules = [...this.rules.filter((rule) => !columns.has(rule.column)), ...rules];
    await this.#load(rules);
    this.#filter();
  }

  // Adds one, beside others about the same column.
  async addRule(rule) {
    this.rules = [...this.rules, rule];
    await this.#load([rule]);
    this.#filter();
  }

  // Puts rules in place of all, and of the search.
  async setOnly(rules) {
    this.rules = rules;
    this.search = "";
    await this.#load(rules);
    this.#filter();
  }

  removeRule(rule) {
    this.rules = this.rules.filter((one) => one !== rule);
    this.#filter();
  }

  removeColumn(name) {
    this.rules = this.rules.filter((one) => one.column !== name);
    this.#filter();
  }

  async sortBy(column, isDescending) {
    this.sorting = { column, isDescending };
    await this.#data.load([column]);
    this.#sort();
    this.#tell(false);
  }

  async #load(rules) {
    const columns = rules.map((rule) => this.#data.column(rule.column)).filter((column) => column !== null);
    await this.#data.load(columns);
  }

  #filter() {
    const words = this.search.toLowerCase().split(/\s+/u).filter(Boolean);
    const hay = words.length > 0 ? this.#searchable() : null;
    const tests = this.rules.map((rule) => ({
      column: this.#data.column(rule.column),
      test: TESTS[rule.operator],
      wanted: rule.wanted,
    }));
    const found = [];
    for (let row = 0; row < this.total; row += 1) {
      const isRight =
        tests.every(({ column, test, wanted }) => test(column === null ? null : column.at(row), wanted)) &&
        words.every((word) => hay[row].includes(word));
      if (isRight) found.push(row);
    }
    this.rows = Uint32Array.from(found);
    this.#sort();
    this.#tell(true);
  }

  #sort() {
    if (this.sorting === null) {
      this.rows.sort();
      return;
    }
    const keys = this.sorting.column.order();
    const sign = this.sorting.isDescending ? -1 : 1;
    this.rows.sort((a, b) => {
      const [first, second] = [keys[a], keys[b]];
      if (first === second) return a - b;
      // What has nothing stands last, whichever way the others go.
      if (Number.isNaN(first)) return Number.isNaN(second) ? a - b : 1;
      if (Number.isNaN(second)) return -1;
      return sign * (first - second);
    });
  }

  #searchable() {
    if (this.#haystack === null) {
      const columns = this.#data.columns.filter((column) => column.isThere && SEARCHED.test(column.name));
      this.#haystack = Array.from({ length: this.total }, (_, row) =>
        columns.map((column) => column.at(row) ?? "").join("\n").toLowerCase(),
      );
    }
    return this.#haystack;
  }

  #tell(filtered) {
    for (const listener of this.#listeners) listener(filtered);
  }
}
