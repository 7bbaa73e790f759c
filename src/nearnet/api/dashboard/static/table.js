// A table that sorts, filters, and is brought up to date row by row, so that focus and selection stay where they are.

import { fill, h, setText } from "./dom.js";
import { number, plural } from "./format.js";

const PAGE = 200;

/**
 * `columns`: [{name, label, value(row), text?(row), cell?(row), class?, align?, title?(row)}]; `value` sorts, `text` shows,
 * `cell` makes an element instead. `key(row)` tells rows apart. `onOpen(row)`: rows can be opened.
 */
export class Table {
  constructor({ label, columns, key, sort, empty = "Nothing here.", noun = "row", onOpen = null, words = null }) {
    Object.assign(this, { columns, key, empty, noun, onOpen, words });
    [this.sortBy, this.down] = sort;
    this.rows = [];
    this.shown = PAGE;
    this.lines = new Map();
    this.query = "";
    this.accept = () => true;
    this.count = h("span", { class: "count", role: "status" });
    this.more = h("button", { type: "button", class: "more", onclick: () => this.showMore() }, "Show more");
    this.body = h("tbody");
    this.heads = columns.map((column) => this.head(column));
    this.note = h("p", { class: "empty" }, empty);
    this.element = h("div", { class: "table-box" },
      h("div", { class: "table-scroll", tabindex: "0", role: "region", "aria-label": label },
        h("table", {}, h("caption", { class: "unseen" }, label), h("thead", {}, h("tr", {}, this.heads)), this.body)),
      this.note, this.more);
  }

  head(column) {
    const align = column.align === "right" ? "right" : null;
    if (!column.value) return h("th", { scope: "col", class: align }, column.label ? column.label : h("span", { class: "unseen" }, "Actions"));
    const button = h("button", { type: "button", onclick: () => this.sort(column.name) }, column.label);
    return h("th", { scope: "col", class: align, "data-name": column.name }, button);
  }

  sort(name) {
    this.down = this.sortBy === name ? !this.down : this.column(name).align === "right";
    this.sortBy = name;
    this.draw();
  }

  column(name) {
    return this.columns.find((column) => column.name === name);
  }

  /** A field that filters by text, over all columns. */
  searchField(label = "Filter") {
    return h("input", {
      type: "search", class: "filter", placeholder: label, "aria-label": label, autocomplete: "off", spellcheck: "false",
      oninput: (event) => { this.query = event.target.value.trim().toLowerCase(); this.draw(); },
    });
  }

  /** Show only rows for which `accept` holds. */
  filter(accept) {
    this.accept = accept;
    this.draw();
  }

  showMore() {
    this.shown += PAGE;
    this.draw();
  }

  update(rows) {
    this.rows = rows;
    this.draw();
  }

  matches(row) {
    if (!this.accept(row)) return false;
    if (!this.query) return true;
    const text = this.words ? this.words(row) : this.columns.map((column) => (column.text ?? column.value)?.(row) ?? "").join(" ");
    return text.toLowerCase().includes(this.query);
  }

  draw() {
    const chosen = this.rows.filter((row) => this.matches(row));
    const { value } = this.column(this.sortBy);
    const way = this.down ? -1 : 1;
    const valued = chosen.map((row) => [value(row), row]);
    valued.sort(([a], [b]) => way * compare(a, b));
    const visible = valued.slice(0, this.shown).map(([, row]) => row);
    const lines = new Map();
    for (const row of visible) {
      const key = this.key(row);
      const line = this.lines.get(key) ?? this.line(row);
      this.refresh(line, row);
      lines.set(key, line);
    }
    this.lines.forEach((line, key) => lines.has(key) || line.row.remove());
    this.lines = lines;
    placeInOrder(this.body, [...lines.values()].map((line) => line.row));
    for (const head of this.heads) {
      const name = head.getAttribute("data-name");
      if (name) head.setAttribute("aria-sort", name !== this.sortBy ? "none" : this.down ? "descending" : "ascending");
    }
    this.more.hidden = chosen.length <= this.shown;
    setText(this.more, `Show more (${number(chosen.length - this.shown)} left)`);
    this.note.hidden = chosen.length > 0;
    setText(this.note, this.rows.length ? "Nothing matches the filter." : this.empty);
    setText(this.count, chosen.length === this.rows.length ? plural(this.rows.length, this.noun) : `${number(chosen.length)} of ${plural(this.rows.length, this.noun)}`);
  }

  line(row) {
    const cells = this.columns.map((column) => h("td", { class: [column.align === "right" ? "right" : "", column.class ?? ""].join(" ").trim() || null }));
    const line = { cells, data: row, row: h("tr", {}, cells) };
    if (this.onOpen) {
      line.row.classList.add("opens");
      line.row.addEventListener("click", (event) => event.target.closest("button, a, input") || this.onOpen(line.data));
    }
    this.columns.forEach((column, at) => {
      if (column.cell) fill(cells[at], column.cell(row, () => line.data));
    });
    return line;
  }

  refresh(line, row) {
    line.data = row;
    this.columns.forEach((column, at) => {
      if (!column.cell) setText(line.cells[at], column.text ? column.text(row) : column.value(row) ?? "–");
      else column.refresh?.(line.cells[at], row);
      if (column.title) line.cells[at].title = column.title(row) ?? "";
    });
  }
}

/** Numbers by size, all else as text; what is missing comes last. */
function compare(a, b) {
  const noA = a === null || a === undefined;
  const noB = b === null || b === undefined;
  if (noA || noB) return noA && noB ? 0 : noA ? -1 : 1;
  if (typeof a === "number" && typeof b === "number") return a - b;
  return String(a).localeCompare(String(b), "en", { numeric: true });
}

/** Make `rows` the children of `body`, moving only those that are out of place. */
function placeInOrder(body, rows) {
  let at = body.firstChild;
  for (const row of rows) {
    if (row === at) at = at.nextSibling;
    else body.insertBefore(row, at);
  }
}
