// Timelines by uPlot: one hour, one look, the colours of the theme.

import { cssColour, h } from "./dom.js";
import { clock } from "./format.js";
import uPlot from "./vendor/uPlot.js";

const HEIGHT = 150;
const LEAST = 300;
const decades = (first, count) => Array.from({ length: count }, (_, at) => [1, 2, 5].map((step) => step * 10 ** (at + first))).flat();

/** Steps of an axis: of fractions, of whole things, of bytes. */
export const FINE = decades(-2, 12);
export const WHOLE = decades(0, 10);
const MINUTES = [60, 120, 300, 600, 1200, 1800, 3600];
export const BINARY = Array.from({ length: 40 }, (_, at) => 2 ** at);
const all = new Set();

/** At least five minutes, so that the first samples do not fill the whole width. */
function hour(low, high) {
  const end = high > 0 ? high : Date.now() / 1000;
  return [Math.min(low > 0 ? low : end, end - LEAST), end];
}

/** A chart of `series`: [{label, colour, fill?, stepped?}]; `format` writes a value, `label` says what it shows. */
export class Chart {
  constructor({ label, series, format, steps = FINE, height = HEIGHT, sync = "hour" }) {
    Object.assign(this, { label, series, format, steps, height, sync });
    this.data = [[], ...series.map(() => [])];
    this.box = h("div", { class: "chart", role: "img", "aria-label": label });
    this.summary = h("p", { class: "unseen" });
    this.element = h("figure", { class: "figure" }, h("figcaption", {}, label), this.box, this.summary);
    this.observer = new ResizeObserver(([entry]) => this.resize(Math.floor(entry.contentRect.width)));
    this.observer.observe(this.box);
    all.add(this);
  }

  options(width) {
    const grid = { stroke: cssColour("--line"), width: 1 };
    const axis = { stroke: cssColour("--muted"), grid, ticks: { show: false }, font: "11px system-ui, sans-serif" };
    return {
      width,
      height: this.height,
      cursor: { sync: { key: this.sync }, points: { size: 6 }, drag: { x: false, y: false } },
      legend: { live: true },
      hooks: { setCursor: [(plot) => plot.cursor.idx === null && this.legendNow(plot)] },
      scales: { x: { range: (_, low, high) => hour(low, high) }, y: { range: (_, low, high) => [Math.min(0, low ?? 0), Math.max(1, (high ?? 1) * 1.08)] } },
      axes: [
        { ...axis, size: 28, incrs: MINUTES, values: (_, times) => times.map((time) => clock(time).slice(0, 5)) },
        { ...axis, size: 62, incrs: this.steps, values: (_, values) => values.map((value) => this.format(value)) },
      ],
      series: [
        { value: (_, time) => clock(time) },
        ...this.series.map(({ label, colour, fill, stepped }) => ({
          label,
          stroke: cssColour(colour),
          width: 1.5,
          fill: fill ? `${cssColour(colour)}22` : undefined,
          paths: stepped ? uPlot.paths.stepped({ align: -1 }) : undefined,
          points: { show: false },
          value: (_, value) => this.format(value),
        })),
      ],
    };
  }

  resize(width) {
    if (width < 40) return;
    if (this.plot) this.plot.setSize({ width, height: this.height });
    else {
      this.plot = new uPlot(this.options(width), this.data, this.box);
      this.legendNow(this.plot);
    }
  }

  /** No moment is pointed at: the legend tells the newest values. */
  legendNow(plot) {
    if (this.data[0].length) plot.setLegend({ idx: this.data[0].length - 1 });
  }

  update(times, ...columns) {
    this.data = [times, ...columns];
    this.plot?.setData(this.data);
    if (this.plot && (this.plot.cursor.idx ?? null) === null) this.legendNow(this.plot);
    const newest = this.series.map(({ label }, at) => `${label} ${this.format(columns[at].at(-1) ?? 0)}`).join(", ");
    this.summary.textContent = `Now: ${newest}.`;
  }

  repaint() {
    const width = this.plot?.width;
    this.plot?.destroy();
    this.plot = null;
    if (width) this.resize(width);
  }

  close() {
    this.observer.disconnect();
    this.plot?.destroy();
    all.delete(this);
  }
}

/** The theme changed. */
export const repaintCharts = () => all.forEach((chart) => chart.repaint());
