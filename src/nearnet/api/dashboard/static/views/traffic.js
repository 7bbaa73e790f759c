// Bytes and messages of the last hour, by type; and how many events of each kind.

import { BINARY, Chart } from "../charts.js";
import { now, watch } from "../data.js";
import { h } from "../dom.js";
import { bytes, number, rate, words } from "../format.js";
import { Table } from "../table.js";

const TOP = 5;

/** type -> {sent: [messages, bytes], received: [messages, bytes]} over all samples. */
function totals(samples) {
  const found = new Map();
  for (const sample of samples) {
    for (const side of ["sent", "received"]) {
      for (const [kind, [messages, size]] of Object.entries(sample[`${side}_by_type`])) {
        if (!found.has(kind)) found.set(kind, { kind, sent: [0, 0], received: [0, 0] });
        found.get(kind)[side][0] += messages;
        found.get(kind)[side][1] += size;
      }
    }
  }
  return [...found.values()];
}

const COLUMNS = [
  { name: "kind", label: "Message type", value: (row) => row.kind },
  ...["received", "sent"].flatMap((side) => [
    { name: `${side}-messages`, label: `Messages ${side}`, align: "right", value: (row) => row[side][0], text: (row) => number(row[side][0]) },
    { name: `${side}-bytes`, label: `Bytes ${side}`, align: "right", value: (row) => row[side][1], text: (row) => bytes(row[side][1]) },
  ]),
];

const perSecond = (value) => (value === null || value === undefined ? "–" : `${value < 10 ? value.toFixed(1) : number(Math.round(value))}/s`);

export function open(main) {
  const table = new Table({ label: "Traffic of the last hour by message type", columns: COLUMNS, key: (row) => row.kind, sort: ["received-messages", true], noun: "type", empty: "No message yet." });
  const bytesChart = new Chart({ label: "Bytes", format: rate, steps: BINARY, series: [{ label: "received", colour: "--series-1", fill: true }, { label: "sent", colour: "--series-2", fill: true }] });
  const queue = new Chart({ label: "Queued to peers", format: bytes, steps: BINARY, series: [{ label: "queued", colour: "--series-4", fill: true }] });
  const kinds = h("div", { class: "charts" });
  const slots = { messages: null, events: null };
  main.append(h("div", { class: "charts" }, bytesChart.element, queue.element), kinds, h("div", { class: "bar" }, table.searchField("Find a type"), table.count), table.element);

  /** One line for each of `names`; a chart is made anew only when the names change. */
  const draw = (slot, label, names, times, value) => {
    const key = names.join();
    if (slots[slot]?.key !== key) {
      slots[slot]?.chart.close();
      slots[slot]?.chart.element.remove();
      const series = names.map((name, at) => ({ label: words(name), colour: `--series-${at + 1}` }));
      slots[slot] = { key, chart: new Chart({ label, format: perSecond, series }) };
      kinds.append(slots[slot].chart.element);
    }
    slots[slot].chart.update(times, ...names.map(value));
  };
  const stop = watch(["nearnet_history"], () => {
    const { samples, interval } = now.nearnet_history;
    const times = samples.map((sample) => sample.time);
    const column = (name) => samples.map((sample) => sample[name]);
    bytesChart.update(times, column("received_bytes_per_sec"), column("sent_bytes_per_sec"));
    queue.update(times, column("queued_bytes"));
    const rows = totals(samples);
    const top = [...rows].sort((a, b) => b.received[0] + b.sent[0] - a.received[0] - a.sent[0]).slice(0, TOP).map((row) => row.kind).sort();
    if (top.length) draw("messages", "Messages a second, sent and received, the most frequent types", top, times, (kind) =>
      samples.map((sample) => ((sample.sent_by_type[kind]?.[0] ?? 0) + (sample.received_by_type[kind]?.[0] ?? 0)) / interval));
    const counted = new Map();
    samples.forEach((sample) => Object.entries(sample.events).forEach(([kind, count]) => counted.set(kind, (counted.get(kind) ?? 0) + count)));
    const events = [...counted].sort((a, b) => b[1] - a[1]).slice(0, TOP).map(([kind]) => kind).sort();
    if (events.length) draw("events", "Events a second, the most frequent kinds", events, times, (kind) => samples.map((sample) => (sample.events[kind] ?? 0) / interval));
    table.update(rows);
  });
  return { close: () => [stop, () => bytesChart.close(), () => queue.close(), ...Object.values(slots).map((slot) => () => slot?.chart.close())].forEach((end) => end()) };
}
