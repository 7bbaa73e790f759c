// The slider over the last hour, with how much changed when.

import { ask, nodeTime, now } from "../data.js";
import { cssColour, h, iconButton, setText } from "../dom.js";
import { clock, duration } from "../format.js";
import { Graph } from "../graph.js";

const WAIT = 120;
const HOUR = 3600;

/** `moved(graph or null)`: the graph of the moment chosen, null for now. */
export class Timeline {
  constructor(moved) {
    this.moved = moved;
    this.slider = h("input", { type: "range", min: 0, max: 360, step: 1, value: 360, "aria-label": "Moment of the last hour", oninput: () => this.chosen() });
    this.strip = h("canvas", { class: "strip", "aria-hidden": "true" });
    this.told = h("output", { class: "moment" }, "now");
    this.live = h("button", { type: "button", class: "live", "aria-pressed": "true", onclick: () => this.goLive() }, "Live");
    this.element = h("div", { class: "timeline" },
      iconButton("back", "Ten seconds back", () => this.step(-1)), h("div", { class: "track" }, this.strip, this.slider),
      iconButton("forward", "Ten seconds on", () => this.step(1)), this.told, this.live);
    this.samples = [];
    this.slots = 360;
    this.at = null;
    this.themed = () => this.drawStrip();
    addEventListener("themed", this.themed);
    this.observer = new ResizeObserver(this.themed);
    this.observer.observe(this.strip);
  }

  close() {
    clearTimeout(this.timer);
    this.observer.disconnect();
    removeEventListener("themed", this.themed);
  }

  /** New samples: the slider has a stop for each of an hour, the last is now; what is before the first has none. */
  update() {
    const { samples, interval } = now.nearnet_history;
    this.samples = samples;
    this.slots = Math.max(HOUR / interval, samples.length);
    this.slider.max = this.slots;
    this.element.dataset.samples = samples.length;
    const at = this.at === null ? samples.length : samples.findIndex((sample) => sample.time >= this.at);
    this.slider.value = this.slots - samples.length + at;
    this.tell();
    this.drawStrip();
  }

  step(by) {
    this.slider.value = Number(this.slider.value) + by;
    this.chosen();
  }

  goLive() {
    this.slider.value = this.slider.max;
    this.chosen();
  }

  chosen() {
    const at = Math.max(0, Number(this.slider.value) - this.slots + this.samples.length);
    this.at = at >= this.samples.length ? null : this.samples[at].time;
    this.slider.value = this.slots - this.samples.length + at;
    this.tell();
    clearTimeout(this.timer);
    this.timer = setTimeout(() => void this.load(), this.at === null ? 0 : WAIT);
  }

  async load() {
    const { at } = this;
    if (at === null) {
      this.moved(null);
      return;
    }
    try {
      const graph = Graph.from(await ask("nearnet_graph", { at }));
      if (at === this.at) this.moved(graph);
    } catch (error) {
      setText(this.told, error.message);
    }
  }

  tell() {
    const text = this.at === null ? "now" : `${clock(this.at)}, ${duration(nodeTime() - this.at)} ago`;
    setText(this.told, text);
    this.slider.setAttribute("aria-valuetext", text);
    this.live.setAttribute("aria-pressed", String(this.at === null));
    this.element.classList.toggle("past", this.at !== null);
  }

  /** Bars of edges that appeared (up) and went (down), by their square roots, so that small changes are seen. */
  drawStrip() {
    const { clientWidth: width, clientHeight: height } = this.strip;
    const ratio = Math.min(2, devicePixelRatio || 1);
    Object.assign(this.strip, { width: width * ratio, height: height * ratio });
    const context = this.strip.getContext("2d");
    context.scale(ratio, ratio);
    const most = Math.max(1, ...this.samples.flatMap((sample) => [sample.edges_appeared, sample.edges_went]));
    const each = width / this.slots;
    const start = this.slots - this.samples.length;
    this.samples.forEach((sample, at) => {
      for (const [count, way, colour] of [[sample.edges_appeared, -1, "--good"], [sample.edges_went, 1, "--bad"]]) {
        const size = Math.sqrt(count / most) * (height / 2 - 2);
        context.fillStyle = cssColour(colour);
        context.fillRect((start + at) * each, height / 2 + (way < 0 ? -size : 0), Math.max(1, each - 0.5), size);
      }
    });
  }
}
