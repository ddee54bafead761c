// Begins: unpacks the data and draws the page.

import { FilterBar } from "./bar.js";
import { Dataset } from "./dataset.js";
import { Detail } from "./detail.js";
import { byId, el, heading } from "./dom.js";
import { View } from "./filters.js";
import { number, visible } from "./format.js";
import { Grid } from "./grid.js";
import { Picker, usualColumns } from "./picker.js";
import { drawParity, drawVerdicts } from "./quality.js";
import { Runtimes } from "./runtimes.js";
import { Scatter } from "./scatter.js";
import { drawCauses, drawStages } from "./stages.js";

function drawHead(data) {
  const { caches, made_at: madeAt, turnkey_version: version } = data.heading;
  const shown = caches.slice(0, 5).map(visible).join(", ");
  const more = caches.length > 5 ? ` and ${number(caches.length - 5)} more` : "";
  const when = new Intl.DateTimeFormat("en-GB", { dateStyle: "medium", timeStyle: "short" }).format(new Date(madeAt));
  byId("about").replaceChildren("From ", el("bdi", { text: `${shown}${more}` }), `, ${when}, turnkey ${visible(version)}.`);
  const { builds, rows, results, failed } = data.overview;
  const tiles = [
    ["Builds", builds],
    ["Results", results],
    ["Failed rows", failed],
    ["Rows", rows],
  ];
  byId("tiles").replaceChildren(
    ...tiles.map(([name, count]) =>
      el("li", {}, el("span", { class: "quiet", text: name }), el("strong", { text: number(count) })),
    ),
  );
}

function drawResults(grid, picker) {
  byId("results").replaceChildren(
    heading(
      "results-title",
      "Results",
      el("button", { type: "button", text: "Columns …", on: { click: () => picker.open() } }),
    ),
    el("p", {
      id: "grid-help",
      class: "quiet",
      text: "A click or Enter on a row opens its model, a click or Enter on a heading sorts. Arrow keys move.",
    }),
    grid.note,
    grid.element,
  );
}

async function begin() {
  const data = await Dataset.open(JSON.parse(byId("data").textContent));
  const view = new View(data);
  const detail = new Detail(data);
  const open = (row) => detail.open(row);
  const show = (rules, row) => {
    if (rules === null) open(row);
    else view.setOnly(rules);
  };
  const grid = new Grid(data, view, open);
  const picker = new Picker(data, grid);
  byId("app").hidden = false;
  drawHead(data);
  drawResults(grid, picker);
  new FilterBar(data, view);
  drawStages(data, show);
  drawCauses(data, show);
  drawParity(data, show);
  drawVerdicts(data, show);
  await grid.show(usualColumns(data));
  new Scatter(data, view, open);
  new Runtimes(data, view);
  detail.openFromAddress();
  document.documentElement.dataset.ready = "yes";
  performance.mark("ready");
}

begin().catch((error) => {
  const problem = byId("problem");
  problem.hidden = false;
  problem.textContent =
    typeof DecompressionStream === "undefined"
      ? "This browser is too old for this page. Chrome 111, Firefox 121 and Safari 16.4 are new enough."
      : `This page could not be shown: ${error}. The file may be cut off.`;
});
