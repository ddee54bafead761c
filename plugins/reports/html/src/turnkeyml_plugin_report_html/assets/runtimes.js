// Runtimes side by side: the same models, as multiples of one runtime's latency.

import { LogScale, quantile } from "./charts.js";
import { byId, el, heading, svg } from "./dom.js";
import { number, plural, ratio, share, visible } from "./format.js";

const LATENCY = "mean_latency_ms";
const SHOWN = 24;
const PLOT = { width: 150, height: 22 };

export class Runtimes {
  #data;
  #baseline = null;
  #choice = el("select", { id: "baseline" });
  #said = el("p", { class: "quiet" });
  #body = el("div", { class: "scrolls", tabindex: "0", role: "region", "aria-label": "Runtimes side by side" });
  #latencies = new Map();

  constructor(data, view) {
    this.#data = data;
    byId("runtimes").replaceChildren(
      heading("runtimes-title", "Runtimes side by side"),
      this.#said,
      el("p", {}, el("label", { for: "baseline", text: "Compared with " }), this.#choice),
      this.#body,
    );
    this.#choice.addEventListener("change", () => {
      this.#baseline = Number(this.#choice.value);
      this.#draw();
    });
    view.onChange((filtered) => {
      if (filtered) this.show(view.rows);
    });
    this.show(view.rows);
  }

  show(rows) {
    this.#latencies = latestOf(this.#data, rows);
    const ranked = [...this.#latencies.keys()].sort(
      (a, b) => this.#latencies.get(b).size - this.#latencies.get(a).size,
    );
    if (!ranked.includes(this.#baseline)) this.#baseline = ranked[0] ?? null;
    this.#choice.replaceChildren(
      ...ranked.slice(0, SHOWN).map((number_) =>
        el("option", {
          value: String(number_),
          selected: number_ === this.#baseline,
          text: visible(this.#data.configurations.names[number_]),
        }),
      ),
    );
    this.#choice.parentElement.hidden = ranked.length < 2;
    this.#draw();
  }

  #draw() {
    const others = this.#compared();
    this.#body.hidden = others.length === 0;
    if (others.length === 0) {
      this.#said.textContent =
        this.#latencies.size < 2
          ? "The rows that are shown were measured on one runtime, or none."
          : "No model that is shown was measured on two of them.";
      return;
    }
    this.#said.textContent =
      "Mean latency of the same models in relation to one runtime: under 1× is faster. " +
      "Where a model was measured twice, the newer counts.";
    const all = others.flatMap((other) => [other.ratios[0], other.ratios.at(-1)]);
    const scale = new LogScale(Math.min(...all, 0.5), Math.max(...all, 2), 4, PLOT.width - 4);
    const heads = ["Runtime", "Models", "Median", "Faster", "Middle 80%"];
    this.#body.replaceChildren(
      el(
        "table",
        { class: "plain" },
        el("caption", { class: "unseen", text: "Ratios of mean latency to the runtime that was chosen" }),
        el("thead", {}, el("tr", {}, heads.map((text) => el("th", { scope: "col", text })))),
        el("tbody", {}, others.map((other) => this.#line(other, scale))),
      ),
    );
  }

  #compared() {
    const base = this.#latencies.get(this.#baseline) ?? new Map();
    const found = [];
    for (const [configuration, latencies] of this.#latencies) {
      if (configuration === this.#baseline) continue;
      const ratios = [];
      for (const [model, latency] of latencies) {
        if (base.has(model)) ratios.push(latency / base.get(model));
      }
      ratios.sort((a, b) => a - b);
      if (ratios.length > 0) found.push({ configuration, ratios });
    }
    return found.sort((a, b) => b.ratios.length - a.ratios.length).slice(0, SHOWN);
  }

  #line({ configuration, ratios }, scale) {
    const [low, middle, high] = [0.1, 0.5, 0.9].map((one) => quantile(ratios, one));
    const faster = ratios.filter((one) => one < 1).length;
    const text = `${ratio(low)} to ${ratio(high)}`;
    return el(
      "tr",
      {},
      el("th", { scope: "row" }, el("bdi", { text: visible(this.#data.configurations.names[configuration]) })),
      el("td", { class: "number", text: number(ratios.length) }),
      el("td", { class: "number", text: ratio(middle) }),
      el("td", { class: "number", text: share(faster, ratios.length), title: plural(faster, "model") }),
      el(
        "td",
        {},
        svg(
          "svg",
          { class: "strip", viewBox: `0 0 ${PLOT.width} ${PLOT.height}`, role: "img", "aria-label": text },
          svg("title", { text }),
          svg("line", { x1: scale.at(1), x2: scale.at(1), y1: 0, y2: PLOT.height, class: "limit" }),
          svg("line", { x1: scale.at(low), x2: scale.at(high), y1: 11, y2: 11, class: "range" }),
          svg("circle", { cx: scale.at(middle), cy: 11, r: 5, class: "middle" }),
        ),
      ),
    );
  }
}

// By configuration, the latency of each model; of several the one that was measured last.
function latestOf(data, rows) {
  const found = new Map();
  const times = new Map();
  const latency = data.column(LATENCY);
  for (const row of latency === null ? [] : rows) {
    const [configuration, model] = [data.configurations.numbers[row], data.models.numbers[row]];
    const value = latency.at(row);
    if (configuration < 0 || typeof value !== "number" || value <= 0) continue;
    const key = `${configuration} ${model}`;
    const at = data.value("measured_at", row) ?? "";
    if (times.has(key) && times.get(key) >= at) continue;
    times.set(key, at);
    if (!found.has(configuration)) found.set(configuration, new Map());
    found.get(configuration).set(model, value);
  }
  return found;
}
