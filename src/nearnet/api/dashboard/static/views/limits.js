// Every limit: its value, how much of it is used, how often it refused something.

import { now, watch } from "../data.js";
import { h } from "../dom.js";
import { bytes, number, words } from "../format.js";
import { Table } from "../table.js";

const share = (row) => (typeof row.value === "number" && row.value > 0 && row.used !== null ? row.used / row.value : null);
const sized = (row, value) => (row.name.endsWith("_bytes") ? bytes(value) : number(value));
const told = (row) => (typeof row.value === "number" ? sized(row, row.value) : plain(row.value));
const plain = (value) => (value === null || typeof value !== "object" ? String(value) : Object.entries(value).map(([name, part]) => `${words(name)} ${plain(part)}`).join(", "));

const COLUMNS = [
  { name: "name", label: "Limit", value: (row) => row.name, text: (row) => words(row.name) },
  { name: "value", label: "Value", align: "right", class: "setting", value: (row) => (typeof row.value === "number" ? row.value : null), text: told },
  { name: "used", label: "Used", align: "right", value: (row) => row.used, text: (row) => (row.used === null ? "–" : sized(row, row.used)) },
  {
    name: "share", label: "Share", class: "share", value: share,
    cell: () => h("meter", { min: 0, max: 1, low: 0.7, high: 0.9, optimum: 0 }),
    refresh: (cell, row) => {
      const meter = cell.firstChild;
      const part = share(row);
      meter.hidden = part === null;
      meter.value = part ?? 0;
      meter.title = part === null ? "" : `${(part * 100).toFixed(1)} %`;
      meter.setAttribute("aria-label", `${words(row.name)}: ${meter.title}`);
    },
  },
  { name: "hit", label: "Refusals", align: "right", value: (row) => row.hit, text: (row) => number(row.hit) },
];

export function open(main) {
  const table = new Table({ label: "Limits", columns: COLUMNS, key: (row) => row.name, sort: ["hit", true], noun: "limit" });
  main.append(h("div", { class: "bar" }, table.searchField("Find a limit"), table.count), table.element);
  return {
    close: watch(["nearnet_limits"], () => table.update(Object.entries(now.nearnet_limits ?? {}).map(([name, limit]) => ({ name, ...limit })))),
  };
}
