// The canvas of the map: what is drawn of a graph, how one moves in it, and which peer is meant by a click or a key.

import { h } from "../dom.js";
import { shortId } from "../format.js";
import { accountOf } from "../peer-link.js";
import { Camera } from "./camera.js";
import { drawLabels } from "./labels.js";
import { Forces, rings } from "./layout.js";
import { edgeColours, peerColours, theme } from "./paint.js";
import { Renderer } from "./renderer.js";

const GLIDE = 350;
const calm = matchMedia("(prefers-reduced-motion: reduce)");

export class Stage {
  /** `picked(number or null, second)`: a peer was meant; `second` with the shift key. */
  constructor(picked) {
    this.picked = picked;
    this.canvas = h("canvas", { class: "map-canvas", tabindex: "0", role: "application", "aria-roledescription": "map" });
    this.over = h("canvas", { class: "map-labels", "aria-hidden": "true" });
    this.element = h("div", { class: "map-stage" }, this.canvas, this.over);
    this.renderer = new Renderer(this.canvas);
    this.renderer.onrestored = () => this.paint();
    this.camera = new Camera(this.canvas, { moved: () => this.request(), click: (x, y, second) => this.picked(this.at(x, y), second), hover: (x, y) => this.hover(this.at(x, y)) });
    this.places = new Map();
    this.rings = new Map();
    this.forces = new Forces((places) => {
      this.move(places, 120);
      if (!this.camera.taken) this.fit();
    });
    this.state = { graph: null, marks: new Map(), mode: "distance", layout: "rings", time: 0, selected: null, second: null, path: null, found: new Set(), hovered: null };
    this.observer = new ResizeObserver(() => this.resize());
    this.observer.observe(this.element);
    this.themed = () => this.paint();
    addEventListener("themed", this.themed);
    this.frames = 0;
  }

  close() {
    this.observer.disconnect();
    this.forces.stop();
    removeEventListener("themed", this.themed);
    cancelAnimationFrame(this.frame);
    this.renderer.gl.getExtension("WEBGL_lose_context")?.loseContext();
  }

  /** Change what is shown; a new graph or layout moves the peers to their places. */
  show(changes) {
    const before = this.state;
    this.state = { ...before, ...changes };
    if ("graph" in changes || this.state.layout !== before.layout) this.arrange(this.state.layout !== before.layout || !before.graph);
    this.paint();
  }

  arrange(fit) {
    const { graph, layout } = this.state;
    this.edges = graph.edges();
    this.present = graph.present();
    if (layout === "rings") {
      this.forces.stop();
      this.move(rings(graph, this.rings), this.places.size ? GLIDE : 0);
    } else {
      const places = this.places.size ? this.current() : rings(graph, this.rings);
      if (!this.places.size) this.move(places, 0);
      this.forces.run(graph, places);
    }
    if (fit) this.camera.taken = false;
    this.fitSoon ||= !this.camera.taken; // Who has not moved the map sees all of it.
  }

  current() {
    const { graph } = this.state;
    return new Map(this.present.filter((peer) => this.places.has(graph.ids[peer])).map((peer) => [peer, this.places.get(graph.ids[peer]).now]));
  }

  /** Bring peers to new places (number -> [x, y]) within `time` ms. */
  move(places, time) {
    const { graph } = this.state;
    const start = performance.now();
    const kept = new Map();
    places.forEach((to, peer) => {
      const id = graph.ids[peer];
      const from = this.places.get(id)?.now ?? to;
      kept.set(id, { from, to, now: time && !calm.matches ? from : to });
    });
    this.present.forEach((peer) => {
      const id = graph.ids[peer];
      if (!kept.has(id)) kept.set(id, this.places.get(id) ?? { from: [0, 0], to: [0, 0], now: [0, 0] });
    });
    this.places = kept;
    this.gliding = time && !calm.matches ? { start, time } : null;
    this.stale = true;
    this.request();
  }

  glide() {
    if (!this.gliding) return;
    const part = Math.min(1, (performance.now() - this.gliding.start) / this.gliding.time);
    const eased = 1 - (1 - part) ** 3;
    this.places.forEach((place) => (place.now = [0, 1].map((axis) => place.from[axis] + (place.to[axis] - place.from[axis]) * eased)));
    if (part === 1) this.gliding = null;
    this.stale = true;
    this.request();
  }

  place(peer) {
    return this.places.get(this.state.graph.ids[peer])?.now ?? [0, 0];
  }

  resize() {
    const { clientWidth: width, clientHeight: height } = this.element;
    this.ratio = Math.min(2, devicePixelRatio || 1);
    for (const canvas of [this.canvas, this.over]) {
      canvas.width = Math.max(1, Math.round(width * this.ratio));
      canvas.height = Math.max(1, Math.round(height * this.ratio));
    }
    this.camera.resize(width, height);
    this.fitSoon ||= !this.camera.taken;
    this.repaint = true;
    this.request();
  }

  /** Show all of it. */
  fit() {
    this.camera.fit([...this.places.values()].map((place) => place.to));
  }

  /** Bring one peer to the middle. */
  centre(peer) {
    const place = this.places.get(this.state.graph.ids[peer]);
    if (place) this.camera.glideTo(place.to);
  }

  // --- what is drawn ---------------------------------------------------------------------------------

  paint() {
    this.repaint = true;
    this.request();
  }

  request() {
    this.frame ??= requestAnimationFrame(() => {
      this.frame = null;
      this.draw();
    });
  }

  draw() {
    if (!this.state.graph || !this.canvas.width) return;
    this.glide();
    if (this.fitSoon && this.places.size && this.camera.width) {
      this.fit();
      this.fitSoon = false;
    }
    if (this.repaint) this.paintAll();
    if (this.stale) this.placeAll();
    this.renderer.draw(this.camera, this.ratio);
    drawLabels(this);
    this.frames += 1;
  }

  paintAll() {
    const { graph, mode, time, selected, second, path, found, hovered, marks } = this.state;
    const colours = (this.colours = theme());
    this.renderer.back = colours.back.map((part) => part / 255);
    const ofPeer = peerColours(mode, graph, colours, time);
    const ofEdge = edgeColours(mode, graph, colours, time);
    const focus = hovered ?? (path ? null : selected);
    const onPath = new Set(path?.edges.map(([a, b]) => `${Math.min(a, b)},${Math.max(a, b)}`));
    const pathPeers = new Set(path?.edges.flat());
    const dim = focus !== null || path !== null || found.size > 0 || marks.size > 0;
    const edgeColour = new Uint8Array(this.edges.length * 4);
    const width = new Float32Array(this.edges.length);
    const named = onPath.size || marks.size;
    this.edges.forEach(([a, b, since], at) => {
      const key = named ? `${a},${b}` : "";
      const mark = named && marks.get(key);
      let [colour, alpha] = ofEdge(a, b, since);
      let thick = 1;
      if (onPath.has(key)) [colour, alpha, thick] = [colours.mark, 1, 2.4];
      else if (mark) [colour, alpha, thick] = [colours[mark], marks.size > 100 ? 0.7 : 0.95, marks.size > 100 ? 1.2 : 1.8];
      else if (focus !== null && (a === focus || b === focus)) [alpha, thick] = [0.85, 1.4];
      else if (dim) alpha *= 0.35;
      [edgeColour[at * 4], edgeColour[at * 4 + 1], edgeColour[at * 4 + 2]] = colour;
      edgeColour[at * 4 + 3] = alpha * 255;
      width[at] = thick;
    });
    const nodeColour = new Uint8Array(this.present.length * 4);
    const radius = new Float32Array(this.present.length);
    const room = Math.sqrt((this.camera.width * this.camera.height) / this.present.length);
    const size = Math.max(2, Math.min(6, room / 9));
    this.present.forEach((peer, at) => {
      const near = focus !== null && (peer === focus || graph.has(focus, peer));
      const strong = !dim || near || pathPeers.has(peer) || found.has(peer) || peer === selected || peer === second || peer === 0 || marks.size > 0;
      nodeColour.set([...ofPeer(peer), strong ? 255 : 90], at * 4);
      radius[at] = (peer === 0 ? size + 3 : graph.routes().distance[peer] === 1 ? size + 1 : size) + (peer === selected || peer === second || found.has(peer) ? 2.5 : 0);
    });
    this.radii = radius;
    this.renderer.set("edges", this.edges.length, { colour: edgeColour, width });
    this.renderer.set("nodes", this.present.length, { colour: nodeColour, radius });
    this.repaint = false;
    this.stale = true;
    this.painted?.();
  }

  placeAll() {
    const ends = new Float32Array(this.edges.length * 4);
    this.edges.forEach(([a, b], at) => {
      ends.set(this.place(a), at * 4);
      ends.set(this.place(b), at * 4 + 2);
    });
    const at = new Float32Array(this.present.length * 2);
    this.present.forEach((peer, index) => at.set(this.place(peer), index * 2));
    this.renderer.set("edges", this.edges.length, { ends });
    this.renderer.set("nodes", this.present.length, { at });
    this.stale = false;
  }

  // --- what is meant ---------------------------------------------------------------------------------

  /** The peer at a point of the canvas, or null. */
  at(x, y) {
    if (!this.state.graph) return null;
    let best = null;
    let nearest = 12;
    this.present.forEach((peer, index) => {
      const [px, py] = this.camera.toScreen(this.place(peer));
      const away = Math.hypot(px - x, py - y) - (this.radii?.[index] ?? 4);
      if (away < nearest) [best, nearest] = [peer, away];
    });
    return best;
  }

  hover(peer) {
    if (peer === this.state.hovered) return;
    this.canvas.style.cursor = peer === null ? "" : "pointer";
    this.show({ hovered: peer });
  }

  /** A peer's name on the map: its account, or else its short id. */
  label(peer) {
    const id = this.state.graph.ids[peer];
    return peer === 0 ? "this node" : (accountOf(id) ?? shortId(id));
  }
}
