// Make elements. Texts are set as text, never as markup: names and logs may be anybody's.

const SVG = "http://www.w3.org/2000/svg";

export function byId(id) {
  return document.getElementById(id);
}

// `attributes`: `text`, `on` (listeners by event), `style` (CSS properties), or attributes by name;
// true stands for an attribute without a value, and false, null and undefined for none.
export function el(tag, attributes = {}, ...children) {
  return dressed(document.createElement(tag), attributes, children);
}

export function svg(tag, attributes = {}, ...children) {
  return dressed(document.createElementNS(SVG, tag), attributes, children);
}

function dressed(element, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (name === "text") element.textContent = value;
    else if (name === "on") {
      for (const [event, listener] of Object.entries(value)) element.addEventListener(event, listener);
    } else if (name === "style") {
      for (const [property, one] of Object.entries(value)) element.style.setProperty(property, one);
    } else element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children.flat(Infinity).filter((child) => child !== null && child !== undefined));
  return element;
}

export function heading(id, text, ...more) {
  return el("div", { class: "head" }, el("h2", { id, text }), ...more);
}

let announcing = 0;

// Tells what changed to those who do not see it, after a moment without another change.
export function announce(text) {
  clearTimeout(announcing);
  announcing = setTimeout(() => {
    byId("said").textContent = text;
  }, 250);
}

// A table for those who cannot use a chart.
export function plainTable(caption, heads, rows) {
  return el(
    "div",
    { class: "scrolls", tabindex: "0", role: "region", "aria-label": caption },
    el(
      "table",
      { class: "plain" },
      el("caption", { text: caption }),
      el("thead", {}, el("tr", {}, heads.map((head) => el("th", { scope: "col", text: head })))),
      el(
        "tbody",
        {},
        rows.map((row) =>
          el(
            "tr",
            {},
            row.map((cell, n) =>
              n === 0
                ? el("th", { scope: "row" }, el("bdi", { text: cell }))
                : el("td", { class: /^[\d.,%×-]/u.test(cell) ? "number" : null }, el("bdi", { text: cell })),
            ),
          ),
        ),
      ),
    ),
  );
}
