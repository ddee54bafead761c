// The table of results. Only the rows that can be seen exist as elements.

import { announce, el } from "./dom.js";
import { cellText, headingOf, markOf, plural, toneOf } from "./format.js";

const ROW_HEIGHT = 34;
const SPARE = 6;
const PRINTED = 300;
const SAMPLED = 2000;
const [NARROWEST, WIDEST] = [7, 44];
const HEADER = -1;

export class Grid {
  #data;
  #view;
  #open;
  #columns = [];
  #header = el("div", { class: "row header", role: "row", "aria-rowindex": "1" });
  #body = el("div", { class: "body", role: "rowgroup" });
  #slots = [];
  #active = { place: HEADER, column: 0 };
  #isPrinting = false;
  #isDue = false;

  // `open(row)` shows a row in detail.
  constructor(data, view, open) {
    this.#data = data;
    this.#view = view;
    this.#open = open;
    this.element = el(
      "div",
      {
        class: "grid",
        role: "grid",
        tabindex: "-1",
        "aria-label": "Results",
        "aria-describedby": "grid-help",
        "aria-readonly": "true",
        on: {
          scroll: () => this.#schedule(),
          keydown: (event) => this.#key(event),
          focusin: (event) => this.#focused(event),
        },
      },
      el("div", { role: "rowgroup" }, this.#header),
      this.#body,
    );
    this.note = el("p", { class: "quiet printed" });
    view.onChange((filtered) => {
      if (filtered) this.element.scrollTop = 0;
      this.#active.place = Math.min(this.#active.place, view.rows.length - 1);
      this.#refresh();
      announce(`${plural(view.rows.length, "row")} of ${view.total} shown`);
    });
    new ResizeObserver(() => this.#refresh()).observe(this.element);
    window.addEventListener("beforeprint", () => this.#print(true));
    window.addEventListener("afterprint", () => this.#print(false));
  }

  get columns() {
    return this.#columns;
  }

  // Shows these columns, once they are unpacked.
  async show(columns) {
    await this.#data.load(columns);
    this.#columns = columns;
    this.#active.column = Math.min(this.#active.column, Math.max(columns.length - 1, 0));
    // The first one stands still, so it must leave room for others on a narrow screen.
    const widths = columns.map((column, n) => (n === 0 ? `min(${widthOf(column)}ch, 42vw)` : `${widthOf(column)}ch`));
    const last = widths.pop();
    this.element.style.setProperty("--columns", [...widths, `minmax(${last ?? "10ch"}, 1fr)`].join(" "));
    this.element.setAttribute("aria-colcount", String(columns.length));
    this.#slots = [];
    this.#body.replaceChildren();
    this.#drawHeader();
    this.#refresh();
  }

  #drawHeader() {
    const { sorting } = this.#view;
    this.#header.replaceChildren(
      ...this.#columns.map((column, place) => {
        const isSorted = sorting?.column === column;
        const direction = isSorted ? (sorting.isDescending ? "descending" : "ascending") : "none";
        const sign = { ascending: "▲", descending: "▼", none: "↕" }[direction];
        return el(
          "div",
          {
            role: "columnheader",
            class: column.isNumber ? "number" : null,
            "aria-sort": direction,
            "aria-colindex": String(place + 1),
            title: column.meaning || null,
          },
          el(
            "button",
            { type: "button", tabindex: "-1", "data-place": String(place), on: { click: () => this.#sort(column) } },
            el("bdi", { text: headingOf(column) }),
            el("span", { class: "sign", "aria-hidden": "true", text: sign }),
          ),
        );
      }),
    );
  }

  async #sort(column) {
    const { sorting } = this.#view;
    const isDescending = sorting?.column === column && !sorting.isDescending;
    const hadFocus = this.#header.contains(document.activeElement);
    await this.#view.sortBy(column, isDescending);
    this.#drawHeader();
    this.#markActive(hadFocus);
    announce(`Sorted by ${headingOf(column)}, ${isDescending ? "descending" : "ascending"}`);
  }

  #schedule() {
    if (this.#isDue) return;
    this.#isDue = true;
    requestAnimationFrame(() => {
      this.#isDue = false;
      this.#draw();
    });
  }

  // Draws again although the same places are seen: the rows there are others.
  #refresh() {
    for (const slot of this.#slots) slot.place = null;
    this.#draw();
  }

  #draw() {
    const count = this.#view.rows.length;
    this.element.setAttribute("aria-rowcount", String(count + 1));
    this.#body.style.setProperty("height", `${count * ROW_HEIGHT}px`);
    this.element.style.setProperty("--content", `${(count + 2) * ROW_HEIGHT}px`);
    const seen = this.#isPrinting ? PRINTED : Math.ceil(this.element.clientHeight / ROW_HEIGHT) + 2 * SPARE;
    while (this.#slots.length < Math.min(seen, count)) this.#addSlot();
    const first = this.#isPrinting ? 0 : Math.max(Math.floor(this.element.scrollTop / ROW_HEIGHT) - SPARE, 0);
    const start = Math.max(Math.min(first, count - this.#slots.length), 0);
    for (let n = 0; n < this.#slots.length; n += 1) {
      const place = start + n;
      const slot = this.#slots[place % this.#slots.length];
      slot.element.hidden = place >= count;
      if (place < count && slot.place !== place) this.#fill(slot, place);
    }
    this.#markActive(this.#holdsFocus());
  }

  #addSlot() {
    const cells = this.#columns.map((column, place) =>
      el("div", {
        role: "gridcell",
        tabindex: "-1",
        class: column.isNumber ? "number" : null,
        "aria-colindex": String(place + 1),
        "data-place": String(place),
      }),
    );
    const slot = { place: null, cells, element: el("div", { class: "row", role: "row" }, cells) };
    slot.element.addEventListener("click", (event) => {
      // Whoever marks text to copy it wants no dialog.
      if (event.detail <= 1 && String(getSelection()) === "") this.#open(this.#view.rows[slot.place]);
    });
    this.#slots.push(slot);
    for (const one of this.#slots) one.place = null;
    this.#body.append(slot.element);
  }

  #fill(slot, place) {
    const row = this.#view.rows[place];
    slot.place = place;
    slot.element.setAttribute("aria-rowindex", String(place + 2));
    slot.element.style.setProperty("transform", `translateY(${place * ROW_HEIGHT}px)`);
    slot.element.classList.toggle("odd", place % 2 === 1);
    this.#columns.forEach((column, n) => {
      const value = column.at(row);
      const cell = slot.cells[n];
      const mark = typeof value === "string" ? markOf(value) : "";
      const text = cellText(value);
      cell.textContent = mark ? `${mark} ${text}` : text;
      cell.title = text.length > 12 ? text : "";
      cell.className = `${column.isNumber ? "number" : ""} ${mark ? toneOf(value) : ""} ${n === 0 ? "name" : ""}`.trim();
    });
  }

  #print(isPrinting) {
    this.#isPrinting = isPrinting;
    const count = this.#view.rows.length;
    this.note.textContent = count > PRINTED ? `These are the first ${PRINTED} of ${plural(count, "row")}.` : "";
    this.#slots = [];
    this.#body.replaceChildren();
    this.#draw();
  }

  #holdsFocus() {
    const focused = document.activeElement;
    return focused !== null && (focused === this.element || this.#body.contains(focused));
  }

  // The one cell that the tabulator key comes to.
  #markActive(shouldFocus) {
    const { place, column } = this.#active;
    let target = null;
    this.#header.querySelectorAll("button").forEach((button, n) => {
      const isActive = place === HEADER && n === column;
      button.tabIndex = isActive ? 0 : -1;
      if (isActive) target = button;
    });
    for (const slot of this.#slots) {
      slot.cells.forEach((cell, n) => {
        const isActive = slot.place === place && n === column && !slot.element.hidden;
        cell.tabIndex = isActive ? 0 : -1;
        if (isActive) target = cell;
      });
    }
    // Where its row was scrolled away, the table itself keeps the focus and the keys.
    this.element.tabIndex = target === null ? 0 : -1;
    if (shouldFocus) (target ?? this.element).focus({ preventScroll: true });
  }

  #focused(event) {
    const column = Number(event.target.dataset?.place ?? NaN);
    if (Number.isNaN(column)) return;
    const slot = this.#slots.find((one) => one.element.contains(event.target));
    const place = slot ? slot.place : HEADER;
    if (place === this.#active.place && column === this.#active.column) return;
    this.#active = { place, column };
    this.#markActive(false);
  }

  #key(event) {
    const { place, column } = this.#active;
    const last = this.#view.rows.length - 1;
    const page = Math.max(Math.floor(this.element.clientHeight / ROW_HEIGHT) - 2, 1);
    const far = event.ctrlKey || event.metaKey;
    const moves = {
      ArrowUp: [place - 1, column],
      ArrowDown: [place + 1, column],
      ArrowLeft: [place, column - 1],
      ArrowRight: [place, column + 1],
      PageUp: [Math.max(place - page, 0), column],
      PageDown: [place + page, column],
      Home: [far ? Math.min(0, last) : place, 0],
      End: [far ? last : place, this.#columns.length - 1],
    };
    if (event.key === "Enter" && place !== HEADER) {
      event.preventDefault();
      this.#open(this.#view.rows[place]);
      return;
    }
    if (event.altKey || !Object.hasOwn(moves, event.key)) return;
    event.preventDefault();
    const [toPlace, toColumn] = moves[event.key];
    this.#active = {
      place: Math.max(Math.min(toPlace, last), HEADER),
      column: Math.max(Math.min(toColumn, this.#columns.length - 1), 0),
    };
    this.#reveal();
    this.#draw();
    this.#markActive(true);
  }

  // Scrolls so that the active cell can be seen whole, beside the column that stands still.
  #reveal() {
    const { place, column } = this.#active;
    if (place !== HEADER) {
      const [top, head] = [place * ROW_HEIGHT, this.#header.offsetHeight];
      const height = this.element.clientHeight - head;
      const isAbove = top < this.element.scrollTop;
      const isBelow = top + ROW_HEIGHT > this.element.scrollTop + height;
      if (isAbove) this.element.scrollTop = top;
      if (isBelow) this.element.scrollTop = top + ROW_HEIGHT - height;
    }
    const cell = this.#header.children[column];
    const still = this.#header.firstElementChild?.offsetWidth ?? 0;
    if (!cell || column === 0) {
      this.element.scrollLeft = column === 0 ? 0 : this.element.scrollLeft;
      return;
    }
    const left = cell.offsetLeft;
    if (left - still < this.element.scrollLeft) this.element.scrollLeft = left - still;
    const right = left + cell.offsetWidth - this.element.clientWidth;
    if (right > this.element.scrollLeft) this.element.scrollLeft = right;
  }
}

// In characters: as wide as nearly all of its cells, within bounds.
function widthOf(column) {
  const lengths = [];
  const step = Math.max(Math.floor(column.rowCount / SAMPLED), 1);
  for (let row = 0; row < column.rowCount; row += step) {
    const value = column.at(row);
    if (value !== null) lengths.push(cellText(value).length + (typeof value === "string" && markOf(value) ? 2 : 0));
  }
  lengths.sort((a, b) => a - b);
  const usual = lengths[Math.floor(lengths.length * 0.97)] ?? 0;
  return Math.min(Math.max(usual + 4, headingOf(column).length + 6, NARROWEST), WIDEST);
}
