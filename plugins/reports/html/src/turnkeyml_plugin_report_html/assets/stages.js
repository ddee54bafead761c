// How many builds came through which stage, and why the others did not.

import { bar } from "./charts.js";
import { byId, el, heading } from "./dom.js";
import { plural, share, visible, number } from "./format.js";

const TITLES = {
  found: "Found",
  exported: "Exported",
  optimized: "Optimized",
  converted: "Converted",
  built: "Engine built",
  run: "Run",
};
const SHOWN = 12;

// `show(rules)` shows the rows that keep the rules, and no others.
export function drawStages(data, show) {
  const { stages, builds, attempts } = data.overview;
  const rows = stages.map((stage) => {
    const missed = stage.tried - stage.passed;
    const title = TITLES[stage.name] ?? stage.name;
    return el(
      "li",
      {},
      el("span", { class: "stage", text: title }),
      bar([
        ["good", stage.passed / attempts],
        ["bad", missed / attempts],
      ]),
      el(
        "span",
        { class: "amounts" },
        el(
          "button",
          {
            type: "button",
            class: "link",
            "aria-label": `Show what passed: ${title}, ${plural(stage.passed, "build")}`,
            on: { click: () => show([{ column: stage.name, operator: "is", wanted: "successful" }]) },
          },
          `✓ ${number(stage.passed)}`,
        ),
        el("span", { class: "quiet", text: ` of ${number(stage.tried)} (${share(stage.passed, stage.tried)})` }),
        missed === 0
          ? null
          : el(
              "button",
              {
                type: "button",
                class: "link bad",
                "aria-label": `Show what did not pass: ${title}, ${plural(missed, "build")}`,
                on: { click: () => show([{ column: stage.name, operator: "is not", wanted: "successful" }]) },
              },
              `✕ ${number(missed)}`,
            ),
      ),
    );
  });
  byId("stages").replaceChildren(
    heading("stages-title", "Builds by stage"),
    el("p", {
      class: "quiet",
      text:
        `Of ${plural(builds, "build")}` +
        (attempts > builds ? ` and ${plural(attempts - builds, "input")} without a model` : "") +
        ". A stage that a chain does not have is not tried.",
    }),
    rows.length > 0 ? el("ol", { class: "funnel" }, rows) : el("p", { text: "No stage is recorded." }),
  );
}

export function drawCauses(data, show) {
  const { causes, other_causes: others, failed } = data.overview;
  const list = el("ol", { class: "causes" });
  const more = el("button", { type: "button", class: "more" });
  const fill = (count) => {
    list.replaceChildren(...causes.slice(0, count).map((cause) => causeItem(cause, show)));
    more.hidden = count >= causes.length;
    more.textContent = `Show all ${number(causes.length)} causes`;
  };
  more.addEventListener("click", () => {
    fill(causes.length);
    list.children[SHOWN]?.querySelector("button")?.focus();
  });
  fill(SHOWN);
  byId("causes").replaceChildren(
    heading("causes-title", "Why not"),
    el("p", {
      class: "quiet",
      text:
        causes.length > 0
          ? `${plural(failed, "row")} failed, for ${plural(causes.length + others, "cause")}: errors that are the same but for names and numbers.`
          : "Nothing failed.",
    }),
    list,
    more,
  );
}

function causeItem(cause, show) {
  const text = cause.cause === "" ? "No reason is recorded, as when a command is stopped." : visible(cause.cause);
  return el(
    "li",
    {},
    el(
      "button",
      {
        type: "button",
        class: "count",
        "aria-label": `Show ${plural(cause.rows, "row")}: ${text}`,
        on: { click: () => show(rulesOf(cause)) },
      },
      number(cause.rows),
    ),
    el(
      "div",
      {},
      cause.step === "" ? null : el("span", { class: "step" }, el("bdi", { text: visible(cause.step) })),
      el("bdi", { class: "cause", text }),
      el(
        "details",
        {},
        el("summary", {}, "For example ", el("bdi", { text: visible(cause.example_name) })),
        el("p", { class: "foreign" }, el("bdi", { text: visible(cause.example_error) || "It says nothing." })),
        el("button", {
          type: "button",
          class: "link",
          text: "Open this model",
          on: { click: () => show(null, cause.example) },
        }),
      ),
    ),
  );
}

function rulesOf(cause) {
  const rules = [
    cause.step === ""
      ? { column: "failed_step", operator: "missing" }
      : { column: "failed_step", operator: "is", wanted: cause.step },
    cause.cause === ""
      ? { column: "cause", operator: "missing" }
      : { column: "cause", operator: "is", wanted: cause.cause },
  ];
  // Without it, rows of which nothing failed would be among them.
  if (cause.cause === "") rules.push({ column: "status", operator: "is not", wanted: "successful" });
  return rules;
}
