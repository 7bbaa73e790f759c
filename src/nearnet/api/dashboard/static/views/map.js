// The topology map: the graph now or at a moment of the last hour, coloured by what is asked, with one peer or two in view.

import { now, watch } from "../data.js";
import { select } from "../dialogs.js";
import { fill, h, iconButton, setText } from "../dom.js";
import { number, plural, shortId } from "../format.js";
import { Graph } from "../graph.js";
import { legend } from "../map/paint.js";
import { drawNothing, drawPaths, drawPeer } from "../map/panel.js";
import { Stage } from "../map/stage.js";
import { Timeline } from "../map/timeline.js";
import { accountOf } from "../peer-link.js";

const FOUND = 12;

export function open(main, params) {
  try {
    return new MapView(main, params);
  } catch (error) {
    main.append(h("p", { class: "empty" }, error.message));
    return {};
  }
}

class MapView {
  constructor(main, params) {
    this.chosen = { peer: params.get("peer"), to: params.get("to") };
    this.past = null;
    this.pathsFrom = null;
    this.stage = new Stage((peer, second) => this.picked(peer, second));
    this.panel = h("aside", { class: "map-panel panel", "aria-label": "Selection" });
    this.timeline = new Timeline((graph) => { this.past = graph; this.draw(); });
    this.legend = h("ul", { class: "legend", "aria-label": "Colours" });
    this.summary = h("p", { class: "map-summary", role: "status" });
    this.changes = h("label", { class: "choice check", hidden: true }, h("input", { type: "checkbox", checked: true, onchange: () => this.draw() }), h("span", {}, "Mark what changed since"));
    this.search = this.searchBox();
    main.append(h("div", { class: "map" },
      h("div", { class: "bar map-bar" }, this.search,
        this.choice("Colour", "mode", [["distance", "by distance"], ["hop", "by next hop"], ["age", "by age"]]),
        this.choice("Layout", "layout", [["rings", "rings"], ["forces", "forces"]]),
        this.changes, h("span", { class: "spring" }),
        iconButton("minus", "Zoom out", () => this.stage.camera.zoom(1 / 1.4)), iconButton("plus", "Zoom in", () => this.stage.camera.zoom(1.4)), iconButton("fit", "Show all", () => this.stage.fit())),
      h("div", { class: "map-middle" }, h("div", { class: "map-box" }, this.stage.element, this.legend, this.summary), this.panel),
      this.timeline.element));
    this.stage.canvas.addEventListener("keydown", (event) => this.key(event));
    this.stops = [
      watch(["graph"], () => this.past || this.draw()),
      watch(["nearnet_history"], () => this.timeline.update()),
      watch(["nearnet_peers", "nearnet_accounts", "nearnet_known_peers", "nearnet_bans"], () => this.drawPanel(true)),
    ];
    this.stage.painted = () => this.drawLegend();
    this.draw();
    window.nearnetMap = this.stage;
  }

  close() {
    this.stops.forEach((stop) => stop());
    this.timeline.close();
    this.stage.close();
    delete window.nearnetMap;
  }

  /** The address was changed: a link, or back and forth. */
  go(params) {
    this.chosen = { peer: params.get("peer"), to: params.get("to") };
    this.draw();
    const peer = this.graph.index.get(this.chosen.peer);
    if (peer !== undefined && !this.chosen.to) this.stage.centre(peer);
  }

  choice(label, name, options) {
    return h("label", { class: "choice" }, h("span", {}, label), select(name, options, { onchange: (event) => {
      this.stage.show({ [name]: event.target.value });
    } }));
  }

  // --- choosing --------------------------------------------------------------------------------------

  /** Told in the address too, so that it can be linked to and gone back from. */
  choose(peer, to = null) {
    const query = [peer && `peer=${encodeURIComponent(peer)}`, to && `to=${encodeURIComponent(to)}`].filter(Boolean).join("&");
    const hash = query ? `#/map?${query}` : "#/map";
    if (location.hash !== hash) history.pushState(null, "", hash);
    this.chosen = { peer, to };
    this.draw();
  }

  picked(peer, second) {
    const id = peer === null ? null : this.graph.ids[peer];
    const from = this.pathsFrom ?? (second ? this.chosen.peer : null);
    this.pathsFrom = null;
    if (id && from && from !== id) this.choose(from, id);
    else this.choose(id);
  }

  key(event) {
    const peers = this.stage.present;
    const at = peers.indexOf(this.graph.index.get(this.chosen.to ?? this.chosen.peer));
    if (event.key === "n" || event.key === "N") this.choose(this.graph.ids[peers[(at + 1) % peers.length]]);
    else if (event.key === "p" || event.key === "P") this.choose(this.graph.ids[peers[(at - 1 + peers.length) % peers.length]]);
    else if (event.key === "Escape") this.choose(null);
    else if (event.key === "0") this.stage.fit();
    else return;
    event.stopPropagation();
    event.preventDefault();
  }

  searchBox() {
    const list = h("ul", { class: "found", id: "map-found", role: "listbox", "aria-label": "Peers found", hidden: true });
    let matches = [];
    let active = -1;
    const take = (id) => { input.value = ""; look(); this.picked(this.graph.index.get(id), false); this.stage.centre(this.graph.index.get(id)); };
    const mark = () => {
      [...list.children].forEach((item, at) => item.setAttribute("aria-selected", String(at === active)));
      if (active >= 0) input.setAttribute("aria-activedescendant", `map-found-${active}`);
      else input.removeAttribute("aria-activedescendant");
    };
    const look = () => {
      const query = input.value.trim().toLowerCase();
      const name = (id) => `${id} ${accountOf(id) ?? ""} ${(now.nearnet_known_peers ?? []).find((one) => one.peer_id === id)?.addr ?? ""}`.toLowerCase();
      matches = query ? this.graph.present().filter((peer) => name(this.graph.ids[peer]).includes(query)) : [];
      active = -1;
      this.stage.show({ found: new Set(matches) });
      fill(list, matches.slice(0, FOUND).map((peer, at) => h("li", { role: "option", id: `map-found-${at}`, onclick: () => take(this.graph.ids[peer]) },
        h("span", { class: "mono" }, shortId(this.graph.ids[peer])), " ", accountOf(this.graph.ids[peer]) ?? "")),
      query && h("li", { class: "quiet", role: "presentation" }, plural(matches.length, "peer")));
      list.hidden = !query;
      input.setAttribute("aria-expanded", String(Boolean(query)));
      mark();
    };
    const input = h("input", {
      type: "search", class: "filter", placeholder: "Find a peer", "aria-label": "Find a peer", role: "combobox", "aria-controls": "map-found", "aria-expanded": "false", autocomplete: "off", spellcheck: "false",
      oninput: look,
      onkeydown: (event) => {
        const most = Math.min(FOUND, matches.length);
        if (event.key === "ArrowDown" && most) active = (active + 1) % most;
        else if (event.key === "ArrowUp" && most) active = (active - 1 + most) % most;
        else if (event.key === "Enter" && most) { take(this.graph.ids[matches[Math.max(0, active)]]); return; }
        else if (event.key === "Escape") { input.value = ""; look(); return; }
        else return;
        event.preventDefault();
        mark();
      },
    });
    return h("div", { class: "search" }, input, list);
  }

  // --- drawing ---------------------------------------------------------------------------------------

  draw() {
    const { graph, marks, told } = this.past ? this.compared() : { graph: now.graph, marks: new Map(), told: "" };
    this.graph = graph;
    this.changes.hidden = !this.past;
    const number0 = graph.index.get(this.chosen.peer);
    const number1 = graph.index.get(this.chosen.to);
    const both = number0 !== undefined && number1 !== undefined;
    this.path = both ? graph.shortestPaths(number0, number1) : null;
    const moved = graph !== this.stage.state.graph || graph.seq !== this.drawnSeq;
    this.drawnSeq = graph.seq;
    this.stage.show({ ...(moved ? { graph } : {}), marks, time: graph.time, selected: number0 ?? null, second: number1 ?? null, path: this.path });
    setText(this.summary, told || (graph.leftOut ? `${plural(graph.leftOut, "edge")} left out` : ""));
    this.stage.canvas.setAttribute("aria-label", `Map of ${plural(graph.present().length, "peer")} and ${plural(graph.edgeCount, "edge")}. Routes and Peers tell the same as tables.`);
    this.drawLegend();
    this.drawPanel();
  }

  /** The graph of the past moment; with what came since added, and both kinds of change marked. */
  compared() {
    const { gone, come, peersGone, peersCome } = this.past.changesTo(now.graph);
    const told = `Since then: ${number(come.length)} edges came, ${number(gone.length)} went; ${plural(peersCome.length, "peer")} came, ${number(peersGone.length)} went.`;
    const marks = new Map();
    if (!this.changes.querySelector("input").checked) return { graph: this.past, marks, told };
    const graph = new Graph();
    Object.assign(graph, { seq: this.past.seq, time: this.past.time });
    this.past.ids.forEach((id) => graph.number(id));
    this.past.edges().forEach(([a, b, since]) => graph.link(a, b, since));
    const mark = ([one, other], word) => {
      const [a, b] = [graph.number(one), graph.number(other)].sort((x, y) => x - y);
      graph.link(a, b, this.past.time);
      marks.set(`${a},${b}`, word);
    };
    gone.forEach((edge) => mark(edge, "gone"));
    come.forEach((edge) => mark(edge, "come"));
    return { graph, marks, told };
  }

  drawLegend() {
    if (!this.stage.colours) return;
    const { mode, marks } = this.stage.state;
    const { come, gone } = this.stage.colours;
    const entries = legend(mode, this.graph, this.stage.colours).map(([colour, text]) => [colour, text.includes(":") ? accountOf(text) ?? shortId(text) : text]);
    const shown = [...entries, ...(marks.size ? [[come, "came since"], [gone, "went since"]] : [])];
    const key = JSON.stringify(shown);
    if (key === this.legendKey) return;
    this.legendKey = key;
    fill(this.legend, shown.map(([colour, text]) => {
      const dot = h("span", { class: "dot" });
      dot.style.background = `rgb(${colour.join()})`;
      return h("li", {}, dot, text);
    }));
  }

  drawPanel(quietly = false) {
    const { peer, to } = this.chosen;
    const number0 = this.graph?.index.get(peer);
    const key = `${peer} ${to} ${this.graph?.seq} ${Boolean(this.past)} ${accountOf(peer)} ${(now.nearnet_peers ?? []).some((one) => one.peer_id === peer)} ${(now.nearnet_bans ?? []).some((one) => one.peer_id === peer)}`;
    if (quietly && key === this.panelKey) return;
    this.panelKey = key;
    const held = this.panel.contains(document.activeElement);
    const close = () => { this.choose(null); this.stage.canvas.focus(); };
    if (this.path) drawPaths(this.panel, this.graph, number0, this.graph.index.get(to), this.path, { close });
    else if (number0 !== undefined) drawPeer(this.panel, this.graph, number0, { close, pathsFrom: () => this.beginPath(peer) });
    else if (peer) fill(this.panel, h("h2", { class: "mono" }, shortId(peer)), h("p", {}, "The graph has no edge of this peer."));
    else drawNothing(this.panel, this.graph);
    if (held) {
      this.panel.setAttribute("tabindex", "-1");
      this.panel.focus({ preventScroll: true });
    }
  }

  beginPath(peer) {
    this.pathsFrom = peer;
    setText(this.summary, "Now click the other peer, or find it by name.");
    this.stage.canvas.focus();
  }
}
