// Latency against parameters, both by powers of ten.

import { LogScale, SERIES, pathOf, quantile, signOf } from "./charts.js";
import { byId, el, heading, plainTable } from "./dom.js";
import { number, plural, power, short, visible } from "./format.js";

const LATENCY = "mean_latency_ms";
const SIZE = "parameters";
const MARGIN = { left: 58, right: 14, top: 10, bottom: 40 };
const REACH = 14;
const SIGN = 12;

export class Scatter {
  #data;
  #open;
  #canvas = el("canvas", { class: "scatter", role: "img" });
  #hint = el("div", { class: "hint", hidden: true });
  #legend = el("ul", { class: "legend" });
  #said = el("p", { class: "quiet" });
  #table = el("details", { class: "alternative" }, el("summary", { text: "The same as a table" }));
  #points = [];
  #series = new Map();
  #due = 0;

  // `open(row)` shows a row in detail.
  constructor(data, view, open) {
    this.#data = data;
    this.#open = open;
    byId("scatter").replaceChildren(
      heading("scatter-title", "Latency against parameters"),
      this.#said,
      this.#legend,
      el("div", { class: "canvas" }, this.#canvas, this.#hint),
      this.#table,
    );
    this.#rankSeries();
    this.#canvas.addEventListener("pointermove", (event) => this.#point(event));
    this.#canvas.addEventListener("pointerleave", () => this.#hide());
    this.#canvas.addEventListener("click", (event) => {
      const near = this.#nearest(event);
      if (near !== null) this.#open(near.row);
    });
    new ResizeObserver(() => this.#schedule()).observe(this.#canvas);
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.#schedule());
    this.#table.addEventListener("toggle", () => this.#fillTable());
    view.onChange((filtered) => {
      if (filtered) this.show(view.rows);
    });
    this.show(view.rows);
  }

  #rankSeries() {
    const counts = new Map();
    for (const number_ of this.#data.configurations.numbers) {
      if (number_ >= 0) counts.set(number_, (counts.get(number_) ?? 0) + 1);
    }
    const ranked = [...counts.keys()].sort((a, b) => counts.get(b) - counts.get(a));
    const own = ranked.length > SERIES.length ? SERIES.length - 1 : SERIES.length;
    ranked.forEach((configuration, rank) => this.#series.set(configuration, Math.min(rank, own)));
  }

  show(rows) {
    const [size, latency] = [this.#data.column(SIZE), this.#data.column(LATENCY)];
    this.#points = [];
    for (const row of size === null || latency === null ? [] : rows) {
      const [x, y] = [size.at(row), latency.at(row)];
      if (typeof x === "number" && typeof y === "number" && x > 0 && y > 0) {
        const series = this.#series.get(this.#data.configurations.numbers[row]) ?? 0;
        this.#points.push({ row, x, y, series, left: 0, top: 0 });
      }
    }
    const isEmpty = this.#points.length === 0;
    this.#canvas.parentElement.hidden = isEmpty;
    this.#table.hidden = isEmpty;
    this.#said.textContent = isEmpty
      ? "No row that is shown has both."
      : `${plural(this.#points.length, "result")} of the rows that are shown. A click opens a model.`;
    this.#drawLegend();
    this.#describe();
    this.#schedule();
    this.#fillTable();
  }

  // The rest of the page need not wait for it.
  #schedule() {
    cancelAnimationFrame(this.#due);
    this.#due = requestAnimationFrame(() => this.#paint());
  }

  #drawLegend() {
    const { names, numbers } = this.#data.configurations;
    const found = new Map();
    for (const point of this.#points) {
      const name = names[numbers[point.row]] ?? "unknown";
      const known = found.get(point.series);
      found.set(point.series, known === undefined || known === name ? name : "others");
    }
    const sorted = [...found].sort((a, b) => a[0] - b[0]);
    this.#legend.replaceChildren(
      ...sorted.map(([series, name]) => el("li", {}, signOf(series), el("bdi", { text: visible(name) }))),
    );
  }

  #describe() {
    if (this.#points.length === 0) return;
    const latencies = this.#points.map((point) => point.y).sort((a, b) => a - b);
    const sizes = this.#points.map((point) => point.x).sort((a, b) => a - b);
    this.#canvas.setAttribute(
      "aria-label",
      `Scatter chart of ${plural(this.#points.length, "result")}: parameters from ${number(sizes[0])} to ` +
        `${number(sizes.at(-1))}, mean latency from ${number(latencies[0])} to ${number(latencies.at(-1))} ms. ` +
        "The table below says the same.",
    );
  }

  #paint() {
    const [width, height] = [this.#canvas.clientWidth, this.#canvas.clientHeight];
    if (this.#points.length === 0 || width === 0) return;
    const density = window.devicePixelRatio || 1;
    this.#canvas.width = Math.round(width * density);
    this.#canvas.height = Math.round(height * density);
    const context = this.#canvas.getContext("2d");
    context.scale(density, density);
    const style = getComputedStyle(this.#canvas);
    const [xs, ys] = [bounds(this.#points, "x"), bounds(this.#points, "y")];
    const x = new LogScale(...xs, MARGIN.left, width - MARGIN.right);
    const y = new LogScale(...ys, height - MARGIN.bottom, MARGIN.top);
    this.#paintAxes(context, style, { x, y, width, height });
    const isDense = this.#points.length > 1500;
    const stamps = this.#stamps(style, density * (isDense ? 0.65 : 1));
    const half = stamps[0].width / density / 2;
    context.globalAlpha = isDense ? 0.45 : 0.8;
    for (const point of this.#points) {
      point.left = x.at(point.x);
      point.top = y.at(point.y);
      context.drawImage(stamps[point.series], point.left - half, point.top - half, 2 * half, 2 * half);
    }
  }

  // Each sign drawn once, as an image: much quicker than a path for each of thousands of points.
  #stamps(style, scale) {
    return SERIES.map((_, series) => {
      const stamp = el("canvas");
      stamp.width = stamp.height = Math.ceil(SIGN * scale);
      const context = stamp.getContext("2d");
      context.setTransform(scale, 0, 0, scale, stamp.width / 2, stamp.height / 2);
      context.fillStyle = style.getPropertyValue(`--series-${series + 1}`).trim();
      context.fill(new Path2D(pathOf(series)), "evenodd");
      return stamp;
    });
  }

  #paintAxes(context, style, { x, y, width, height }) {
    context.font = `12px ${style.fontFamily}`;
    context.lineWidth = 1;
    context.strokeStyle = style.getPropertyValue("--line");
    context.fillStyle = style.getPropertyValue("--quiet");
    context.textAlign = "center";
    for (const tick of x.ticks) {
      line(context, tick.at, MARGIN.top, tick.at, height - MARGIN.bottom);
      context.fillText(tick.text, tick.at, height - MARGIN.bottom + 15);
    }
    context.fillText("parameters", (MARGIN.left + width - MARGIN.right) / 2, height - 6);
    context.textAlign = "right";
    for (const tick of y.ticks) {
      line(context, MARGIN.left, tick.at, width - MARGIN.right, tick.at);
      context.fillText(tick.text, MARGIN.left - 6, tick.at + 4);
    }
    context.save();
    context.translate(11, (MARGIN.top + height - MARGIN.bottom) / 2);
    context.rotate(-Math.PI / 2);
    context.textAlign = "center";
    context.fillText("mean latency (ms)", 0, 0);
    context.restore();
  }

  #nearest(event) {
    const box = this.#canvas.getBoundingClientRect();
    const [left, top] = [event.clientX - box.left, event.clientY - box.top];
    let [best, distance] = [null, REACH];
    for (const point of this.#points) {
      const away = Math.hypot(point.left - left, point.top - top);
      if (away < distance) [best, distance] = [point, away];
    }
    return best;
  }

  #point(event) {
    const near = this.#nearest(event);
    this.#canvas.classList.toggle("points", near !== null);
    if (near === null) {
      this.#hide();
      return;
    }
    const name = this.#data.value("model_name", near.row) ?? this.#data.value("build_name", near.row) ?? "";
    const configuration = this.#data.configurations.names[this.#data.configurations.numbers[near.row]] ?? "";
    this.#hint.replaceChildren(
      el("strong", {}, el("bdi", { text: visible(name) })),
      el("span", {}, el("bdi", { text: visible(configuration) })),
      el("span", { text: `${number(near.x)} parameters, ${number(near.y)} ms` }),
    );
    this.#hint.hidden = false;
    const isRight = near.left > this.#canvas.clientWidth / 2;
    this.#hint.style.setProperty("left", isRight ? "auto" : `${near.left + 12}px`);
    this.#hint.style.setProperty("right", isRight ? `${this.#canvas.clientWidth - near.left + 12}px` : "auto");
    this.#hint.style.setProperty("top", `${Math.max(near.top - 30, 0)}px`);
  }

  #hide() {
    this.#hint.hidden = true;
  }

  #fillTable() {
    if (!this.#table.open || this.#points.length === 0) return;
    const groups = new Map();
    for (const point of this.#points) {
      const decade = Math.floor(Math.log10(point.x));
      if (!groups.has(decade)) groups.set(decade, []);
      groups.get(decade).push(point.y);
    }
    const rows = [...groups]
      .sort((a, b) => a[0] - b[0])
      .map(([decade, latencies]) => {
        latencies.sort((a, b) => a - b);
        return [
          `${power(decade)} to ${power(decade + 1)}`,
          number(latencies.length),
          short(latencies[0]),
          short(quantile(latencies, 0.5)),
          short(latencies.at(-1)),
        ];
      });
    this.#table.replaceChildren(
      this.#table.firstElementChild,
      plainTable(
        "Mean latency by number of parameters",
        ["Parameters", "Results", "Lowest (ms)", "Median (ms)", "Highest (ms)"],
        rows,
      ),
    );
  }
}

function bounds(points, axis) {
  let [low, high] = [Infinity, -Infinity];
  for (const point of points) {
    low = Math.min(low, point[axis]);
    high = Math.max(high, point[axis]);
  }
  return [low, high];
}

function line(context, x1, y1, x2, y2) {
  context.beginPath();
  context.moveTo(x1, y1);
  context.lineTo(x2, y2);
  context.stroke();
}
