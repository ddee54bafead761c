// One model with all its rows; the address of the page names it.

import { announce, byId, el } from "./dom.js";
import { cellText, headingOf, markOf, number, toneOf, visible } from "./format.js";
import { samplesOf } from "./samples.js";

const PREFIX = "#model=";
const ROW_HEADS = ["Device", "Runtime", "Mean latency (ms)", "Verdict", "Status", "Chain"];
const ROW_COLUMNS = ["device", "runtime", "mean_latency_ms", "verdict", "status", "chain"];
const FACTS = [
  "model_class", "parameters", "parameter_bytes", "input_shapes", "hash", "author", "script", "build_name",
];
const RESULT_FACTS = [
  "device_name", "rt_args", "iterations", "mean_latency_ms", "median_latency_ms", "throughput_ips", "verdict",
  "verdict_reasons", "measured_at", "parity", "chain",
];
const VERSIONS = /^(runtime_version|turnkey_version|version\..*|[^.]+\.package)$/su;
const MOST_ROWS = 100;

export class Detail {
  #data;
  #dialog = byId("detail");
  #model = null;
  #row = null;
  #content = el("div", { class: "content" });

  constructor(data) {
    this.#data = data;
    this.#dialog.addEventListener("close", () => this.#closed());
    this.#dialog.addEventListener("click", (event) => {
      if (event.target === this.#dialog) this.#dialog.close();
    });
    window.addEventListener("hashchange", () => this.openFromAddress());
  }

  // Shows the model of a row, and this row of it.
  open(row) {
    this.#row = row;
    const name = this.#data.models.names[this.#data.models.numbers[row]];
    const address = `${PREFIX}${encodeURIComponent(wellFormed(name))}`;
    if (location.hash === address) this.openFromAddress();
    else location.hash = address;
  }

  openFromAddress() {
    if (!location.hash.startsWith(PREFIX)) {
      if (this.#dialog.open) this.#dialog.close();
      return;
    }
    let name = "";
    try {
      name = decodeURIComponent(location.hash.slice(PREFIX.length));
    } catch {
      // An address that was cut off names no model.
    }
    const model = this.#data.models.names.findIndex((one) => wellFormed(one) === name);
    if (model < 0) {
      announce("This report has no model of that name.");
      return;
    }
    this.#show(model);
  }

  #closed() {
    this.#row = null;
    this.#model = null;
    if (location.hash.startsWith(PREFIX)) history.replaceState(null, "", location.pathname + location.search);
  }

  #show(model) {
    this.#model = model;
    const rows = this.#data.rowsOfModel(model);
    const chosen = rows.includes(this.#row) ? this.#row : rows[0];
    const value = (name) => this.#data.value(name, chosen);
    const title = visible(value("model_name") ?? this.#data.models.names[model]);
    this.#dialog.replaceChildren(
      el(
        "div",
        { class: "head" },
        el("h2", { id: "detail-title", tabindex: "-1" }, el("bdi", { text: title })),
        el("button", {
          type: "button",
          class: "close",
          text: "Close",
          on: { click: () => this.#dialog.close() },
        }),
      ),
      this.#rowTable(rows, chosen),
      this.#content,
    );
    if (!this.#dialog.open) this.#dialog.showModal();
    byId("detail-title").focus({ preventScroll: true });
    this.#dialog.scrollTop = 0;
    this.#fill(chosen);
  }

  #rowTable(rows, chosen) {
    if (rows.length === 1) return null;
    const buttons = [];
    const table = el(
      "table",
      { class: "plain rows" },
      el("caption", { text: `${number(rows.length)} rows of this model` }),
      el(
        "thead",
        {},
        el("tr", {}, ["", ...ROW_HEADS].map((text) => el("th", { scope: "col", text: text || "Row" }))),
      ),
      el(
        "tbody",
        {},
        rows.slice(0, MOST_ROWS).map((row, n) => {
          const button = el("button", {
            type: "button",
            text: `Row ${n + 1}`,
            "aria-pressed": String(row === chosen),
          });
          button.addEventListener("click", () => {
            this.#row = row;
            for (const one of buttons) one.setAttribute("aria-pressed", String(one === button));
            this.#fill(row);
          });
          buttons.push(button);
          return el(
            "tr",
            {},
            el("td", {}, button),
            ROW_COLUMNS.map((name) => valueCell(this.#data.value(name, row))),
          );
        }),
      ),
    );
    return el("div", { class: "scrolls", tabindex: "0", role: "region", "aria-label": "Rows of this model" }, table);
  }

  async #fill(row) {
    const columns = this.#data.columns.filter((column) => column.later !== null);
    this.#content.replaceChildren(el("p", { class: "quiet", text: "Unpacking …" }));
    const [found] = await Promise.all([this.#data.details(row), this.#data.load(columns)]);
    // Meanwhile another one may have been asked for.
    if (!this.#dialog.open || (this.#row !== null && this.#row !== row)) return;
    const named = (names) => names.map((name) => this.#data.column(name)).filter((column) => column !== null);
    const versions = this.#data.columns.filter((column) => VERSIONS.test(column.name));
    const told = new Set([...FACTS, ...RESULT_FACTS, "error", "cause", "command", "log", ...versions.map((c) => c.name)]);
    const others = this.#data.columns.filter((column) => !told.has(column.name));
    this.#content.replaceChildren(
      ...[
        this.#failure(row),
        part("Result", facts(named(RESULT_FACTS), row)),
        this.#samples(found, row),
        this.#command(row),
        part("Model", facts(named(FACTS), row)),
        this.#logs(found, row),
        part("Versions", facts(versions, row)),
        folded("Everything else", facts(others, row)),
      ].filter((one) => one !== null),
    );
  }

  #failure(row) {
    const error = this.#data.value("error", row);
    if (error === null) return null;
    const step = this.#data.value("failed_step", row);
    return part(
      step === null ? "Error" : `Failed in ${visible(step)}`,
      el("p", { class: "foreign bad" }, el("bdi", { text: visible(error) })),
    );
  }

  #samples(found, row) {
    if (this.#data.value("mean_latency_ms", row) === null) return null;
    if (found?.samples) return part("Samples", samplesOf(found.samples));
    const why = row >= this.#data.detailedRows ? "there was no more room for them in this file" : found?.unsampled;
    return part("Samples", el("p", { class: "quiet", text: `None: ${why ?? "nothing is known of them"}.` }));
  }

  #logs(found, row) {
    const log = this.#data.value("log", row);
    const logs = found?.logs ?? [];
    if (logs.length === 0 && log === null) return null;
    return part(
      "Logs",
      log === null ? null : el("p", { class: "quiet foreign" }, "In full: ", el("bdi", { text: visible(log) })),
      logs.map(([name, text]) =>
        el(
          "details",
          { open: log !== null && log.endsWith(name) },
          el("summary", {}, "The end of ", el("bdi", { text: visible(name) })),
          el("pre", { tabindex: "0", dir: "ltr", text: visible(text) }),
        ),
      ),
    );
  }

  #command(row) {
    const command = this.#data.value("command", row);
    if (command === null) return null;
    const said = el("span", { class: "quiet", role: "status" });
    const code = el("code", { dir: "ltr", text: visible(command) });
    const copy = el("button", { type: "button", text: "Copy" });
    copy.addEventListener("click", async () => {
      said.textContent = (await copied(command)) ? "Copied." : "It was not copied: mark it and copy it by hand.";
    });
    return part("Do it again", el("pre", { class: "command", tabindex: "0" }, code), el("p", {}, copy, " ", said));
  }
}

// Half of a pair of surrogates cannot stand in an address.
function wellFormed(name) {
  return name.replace(/\p{Surrogate}/gu, "�");
}

async function copied(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    return false;
  }
}

function part(title, ...children) {
  return children.flat().every((child) => child === null)
    ? null
    : el("section", {}, el("h3", {}, el("bdi", { text: title })), children);
}

function folded(title, list) {
  return list === null ? null : el("details", {}, el("summary", { text: title }), list);
}

function facts(columns, row) {
  const found = columns.filter((column) => column.at(row) !== null);
  if (found.length === 0) return null;
  return el(
    "dl",
    {},
    found.map((column) => {
      const value = column.at(row);
      const mark = typeof value === "string" ? markOf(value) : "";
      return el(
        "div",
        {},
        el("dt", {}, el("bdi", { text: headingOf(column) })),
        el("dd", { class: toneOf(value) || null }, mark ? `${mark} ` : "", el("bdi", { text: cellText(value) })),
      );
    }),
  );
}

function valueCell(value) {
  const mark = typeof value === "string" ? markOf(value) : "";
  const text = cellText(value);
  return el(
    "td",
    { class: typeof value === "number" ? "number" : `${toneOf(value)} ${text.length < 20 ? "short" : ""}`.trim() },
    mark ? `${mark} ` : "",
    el("bdi", { text }),
  );
}
