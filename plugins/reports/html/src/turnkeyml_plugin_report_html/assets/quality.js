// How exact what was built is, and how far numbers can be trusted.

import { bar, histogram } from "./charts.js";
import { byId, el, heading, plainTable } from "./dom.js";
import { markOf, number, plural, share, short, toneOf, visible } from "./format.js";

const BINS_A_DECADE = 2;
const SHOWN = 12;
const MEANINGS = {
  valid: "can be trusted",
  noisy: "moves more than it should",
  invalid: "says nothing",
  unverified: "no samples were handed over",
};

export function drawParity(data, show) {
  const steps = data.overview.parity;
  const all = steps.flatMap((step) => step.bins.map(([n]) => n));
  const limits = steps.map((step) => step.tolerance).filter((one) => one !== null && one > 0);
  for (const limit of limits) all.push(Math.floor(Math.log10(limit) * BINS_A_DECADE));
  const [first, last] = [Math.min(...all) - 1, Math.max(...all) + 1];
  byId("parity").replaceChildren(
    heading("parity-title", "Parity"),
    el("p", {
      class: "quiet",
      text:
        steps.length === 0
          ? "No row says whether what was built computes what the model does."
          : "The largest relative difference from what the model itself returns, by the step that made the file. Each bar is half a power of ten.",
    }),
    el("div", { class: "steps" }, steps.map((step) => parityOf(step, { first, last }, show))),
  );
}

function parityOf(step, { first, last }, show) {
  const [status, difference] = [`${step.step}.parity.status`, `${step.step}.parity.max_rel`];
  const chips = Object.entries(step.statuses).map(([name, count]) =>
    el(
      "button",
      {
        type: "button",
        class: `chip ${toneOf(name)}`,
        on: { click: () => show([{ column: status, operator: "is", wanted: name }]) },
      },
      `${markOf(name)} `,
      el("bdi", { text: visible(name) }),
      ` ${number(count)}`,
    ),
  );
  const facts = [
    step.exact > 0 ? `${number(step.exact)} without any difference` : "",
    step.worst !== null ? `largest ${short(step.worst)}` : "",
    step.tolerance !== null ? `tolerated ${short(step.tolerance)}` : "",
  ].filter(Boolean);
  return el(
    "div",
    { class: "parity" },
    el("h3", {}, el("bdi", { text: visible(step.step) })),
    el("p", { class: "chips" }, chips, el("span", { class: "quiet", text: facts.join(", ") })),
    step.bins.length === 0
      ? null
      : histogram({
          bins: step.bins,
          binsADecade: BINS_A_DECADE,
          first,
          last,
          mark: step.tolerance,
          markText: "tolerance",
          describe: (n, count) =>
            `${plural(count, "build")} between ${short(10 ** (n / BINS_A_DECADE))} and ${short(10 ** ((n + 1) / BINS_A_DECADE))}`,
          act: (n) =>
            show([
              { column: difference, operator: "at least", wanted: 10 ** (n / BINS_A_DECADE) },
              { column: difference, operator: "below", wanted: 10 ** ((n + 1) / BINS_A_DECADE) },
            ]),
        }),
  );
}

export function drawVerdicts(data, show) {
  const { verdicts, reasons, results } = data.overview;
  const rows = Object.entries(verdicts).map(([name, count]) =>
    el(
      "li",
      {},
      el("span", { class: "stage", title: Object.hasOwn(MEANINGS, name) ? MEANINGS[name] : null }, `${markOf(name)} ${visible(name) || "none"}`),
      bar([[toneOf(name) || "plain", count / results]]),
      el(
        "span",
        { class: "amounts" },
        el(
          "button",
          {
            type: "button",
            class: "link",
            "aria-label": `Show ${plural(count, "result")}: ${visible(name) || "without a verdict"}`,
            on: {
              click: () =>
                show([
                  name === ""
                    ? { column: "verdict", operator: "missing" }
                    : { column: "verdict", operator: "is", wanted: name },
                ]),
            },
          },
          number(count),
        ),
        el("span", { class: "quiet", text: ` (${share(count, results)})` }),
      ),
    ),
  );
  byId("verdicts").replaceChildren(
    heading("verdicts-title", "Can the numbers be trusted?"),
    el("p", { class: "quiet", text: results === 0 ? "Nothing was measured." : `Verdicts on ${plural(results, "result")}.` }),
    el("ol", { class: "funnel" }, rows),
    ...(reasons.length === 0
      ? []
      : [
          plainTable(
            "Why not",
            ["Reason", "Verdict", "Results"],
            reasons.slice(0, SHOWN).map((one) => [visible(one.reason), visible(one.verdict), number(one.rows)]),
          ),
        ]),
  );
}
