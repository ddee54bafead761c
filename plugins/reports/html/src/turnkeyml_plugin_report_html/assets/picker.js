// The dialog in which columns are chosen.

import { byId, el } from "./dom.js";
import { headingOf, plural, visible } from "./format.js";

const USUAL = [
  "model_name",
  "status",
  "hash",
  "parameters",
  "device",
  "runtime",
  "mean_latency_ms",
  "throughput_ips",
  "verdict",
  "parity",
  "failed_step",
  "error",
  "model_class",
];
const MOST_SWEPT = 4;
const LISTED = 500;

// The columns that the table opens with.
export function usualColumns(data) {
  const usual = USUAL.map((name) => data.column(name)).filter((column) => column !== null);
  const swept = data.columns.filter((column) => column.name.startsWith("parameter.")).slice(0, MOST_SWEPT);
  usual.splice(3, 0, ...swept);
  return usual;
}

export class Picker {
  #data;
  #grid;
  #search = el("input", { type: "search", id: "picker-search", autocomplete: "off", spellcheck: "false" });
  #list = el("ul", { class: "choices" });
  #said = el("p", { class: "quiet", "aria-live": "polite" });

  constructor(data, grid) {
    this.#data = data;
    this.#grid = grid;
    this.#search.addEventListener("input", () => this.#fill());
    const close = () => byId("picker").close();
    byId("picker").append(
      el(
        "div",
        { class: "head" },
        el("h2", { id: "picker-title", text: "Columns" }),
        el("button", { type: "button", text: "Usual columns", on: { click: () => this.#reset() } }),
        el("button", { type: "button", class: "close", text: "Close", on: { click: close } }),
      ),
      el("p", {}, el("label", { for: "picker-search", text: "Find a column " }), this.#search),
      this.#said,
      this.#list,
      data.leftOut.length === 0
        ? null
        : el("p", {
            class: "quiet",
            text:
              `${plural(data.leftOut.length, "column")} did not fit into this file; the formats csv and jsonl have ` +
              `all: ${data.leftOut.slice(0, 20).map(visible).join(", ")}${data.leftOut.length > 20 ? ", …" : "."}`,
          }),
    );
  }

  open() {
    this.#search.value = "";
    this.#fill();
    byId("picker").showModal();
    this.#search.focus();
  }

  async #reset() {
    await this.#grid.show(usualColumns(this.#data));
    this.#fill();
  }

  #fill() {
    const words = this.#search.value.toLowerCase().split(/\s+/u).filter(Boolean);
    const shown = new Set(this.#grid.columns);
    const found = this.#data.columns.filter((column) => {
      const text = `${column.name} ${headingOf(column)} ${column.meaning}`.toLowerCase();
      return words.every((word) => text.includes(word));
    });
    found.sort((a, b) => Number(shown.has(b)) - Number(shown.has(a)));
    this.#said.textContent =
      `${plural(found.length, "column")}` +
      (found.length > LISTED ? `; the first ${LISTED} are listed.` : found.length === 0 ? " of that name." : ".");
    this.#list.replaceChildren(...found.slice(0, LISTED).map((column) => this.#choice(column, shown.has(column))));
  }

  #choice(column, isShown) {
    const box = el("input", { type: "checkbox", checked: isShown });
    box.addEventListener("change", () => this.#toggle(column, box.checked));
    return el(
      "li",
      {},
      el(
        "label",
        {},
        box,
        el(
          "span",
          {},
          el("bdi", { text: headingOf(column) }),
          el("span", { class: "quiet" }, " ", el("bdi", { text: visible(column.meaning || column.name) })),
        ),
        el("span", { class: "quiet number", text: plural(column.filled, "row") }),
      ),
    );
  }

  async #toggle(column, isWanted) {
    const others = this.#grid.columns.filter((one) => one !== column);
    await this.#grid.show(isWanted ? [...others, column] : others);
  }
}
