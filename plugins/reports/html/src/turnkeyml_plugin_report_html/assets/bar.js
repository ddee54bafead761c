// The bar that filters: a search, the usual choices, a rule about any column, and what is in force.

import { byId, el } from "./dom.js";
import { OPERATORS, ruleText } from "./filters.js";
import { headingOf, number, visible } from "./format.js";

const CHOICES = ["status", "device", "runtime", "verdict", "parity"];
const MOST_VALUES = 60;
const DELAY_MS = 120;

export class FilterBar {
  #data;
  #view;
  #selects = new Map();
  #chips = el("ul", { class: "chips", "aria-label": "Filters in force" });
  #count = el("strong", { id: "row-count" });
  #clear = el("button", { type: "button", text: "Clear filters" });
  #search = el("input", {
    type: "search",
    id: "search",
    placeholder: "name, class, label, error …",
    autocomplete: "off",
    spellcheck: "false",
  });
  #waiting = 0;
  #sent = "";

  constructor(data, view) {
    this.#data = data;
    this.#view = view;
    this.#search.addEventListener("input", () => {
      clearTimeout(this.#waiting);
      this.#waiting = setTimeout(() => {
        this.#sent = this.#search.value;
        view.setSearch(this.#sent);
      }, DELAY_MS);
    });
    this.#clear.addEventListener("click", () => {
      view.setOnly([]);
      this.#search.focus();
    });
    byId("bar").append(
      el(
        "div",
        { class: "fields" },
        el("span", { class: "field" }, el("label", { for: "search", text: "Search" }), this.#search),
        CHOICES.map((name) => this.#choice(name)),
        this.#ruleForm(),
      ),
      el(
        "div",
        { class: "state" },
        el("span", {}, this.#count, ` of ${number(view.total)} rows`),
        this.#chips,
        this.#clear,
        el("a", { href: "#results", class: "down", text: "To the table ↓" }),
      ),
    );
    view.onChange((filtered) => {
      if (filtered) this.#draw();
    });
    this.#draw();
  }

  #choice(name) {
    const column = this.#data.column(name);
    const values = column === null || !column.isThere ? [] : column.counts();
    if (values.length < 2 && (values.length === 0 || column.filled === this.#view.total)) return null;
    const select = el(
      "select",
      { id: `choice-${name}` },
      el("option", { value: "", text: "all" }),
      values.slice(0, MOST_VALUES).map(([value, count], n) =>
        el("option", { value: String(n + 1), text: `${visible(value)} (${number(count)})` }),
      ),
    );
    select.addEventListener("change", () => {
      if (select.value === "") this.#view.removeColumn(name);
      else this.#view.setRules([{ column: name, operator: "is", wanted: values[Number(select.value) - 1][0] }]);
    });
    this.#selects.set(name, { select, values });
    return el("span", { class: "field" }, el("label", { for: select.id, text: headingOf(column) }), select);
  }

  #ruleForm() {
    const column = el("input", { id: "rule-column", list: "rule-columns", autocomplete: "off", spellcheck: "false" });
    const operator = el(
      "select",
      { id: "rule-operator" },
      Object.entries(OPERATORS).map(([value, text]) => el("option", { value, text })),
    );
    const wanted = el("input", { id: "rule-wanted", autocomplete: "off", spellcheck: "false" });
    const problem = el("p", { class: "bad", role: "alert" });
    const form = el(
      "form",
      { class: "rule" },
      field("Column", column),
      field("Rule", operator),
      field("Value", wanted),
      el("button", { type: "submit", text: "Add" }),
      problem,
    );
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      const name = column.value.trim();
      problem.textContent = this.#problemWith(name, operator.value, wanted.value);
      if (problem.textContent !== "") return;
      this.#view.addRule({ column: name, operator: operator.value, wanted: wanted.value });
      wanted.value = "";
    });
    return el(
      "details",
      { class: "any" },
      el("summary", { text: "Filter by any column" }),
      form,
      el(
        "datalist",
        { id: "rule-columns" },
        this.#data.columns.map((one) => el("option", { value: one.name })),
      ),
    );
  }

  #problemWith(name, operator, wanted) {
    const column = this.#data.column(name);
    if (column === null) return "There is no column of that name.";
    const isBound = ["at least", "at most", "below"].includes(operator);
    if (isBound && (wanted.trim() === "" || Number.isNaN(Number(wanted)))) return "The value has to be a number.";
    if (isBound && !column.isNumber) return "That column has no numbers.";
    return "";
  }

  #draw() {
    this.#count.textContent = number(this.#view.rows.length);
    // What is being typed stays as it is, unless the search was changed elsewhere.
    if (this.#view.search !== this.#sent) {
      clearTimeout(this.#waiting);
      this.#sent = this.#search.value = this.#view.search;
    }
    this.#clear.hidden = !this.#view.isFiltered;
    this.#chips.replaceChildren(...this.#view.rules.map((rule) => this.#chip(rule)));
    for (const [name, { select, values }] of this.#selects) {
      const rule = this.#view.rules.find((one) => one.column === name && one.operator === "is");
      const place = rule ? values.findIndex(([value]) => value === rule.wanted) : -1;
      select.value = place < 0 || place >= MOST_VALUES ? "" : String(place + 1);
    }
  }

  #chip(rule) {
    const text = ruleText(this.#data, rule);
    return el(
      "li",
      {},
      el(
        "button",
        {
          type: "button",
          class: "chip",
          "aria-label": `Remove the filter: ${text}`,
          title: text,
          on: {
            click: () => {
              this.#view.removeRule(rule);
              this.#search.focus();
            },
          },
        },
        el("bdi", { text }),
        el("span", { "aria-hidden": "true", text: "×" }),
      ),
    );
  }
}

function field(text, input) {
  return el("span", { class: "field" }, el("label", { for: input.id, text }), input);
}
