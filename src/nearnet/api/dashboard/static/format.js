// Numbers, times and names as people read them.

const NUMBER = new Intl.NumberFormat("en");
const CLOCK = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit", second: "2-digit" });
const DAY = new Intl.DateTimeFormat("en-CA", { year: "numeric", month: "2-digit", day: "2-digit" });

export const number = (value) => (value === null || value === undefined ? "–" : NUMBER.format(value));

/** 1536 -> "1.5 KiB". */
export function bytes(value) {
  if (value === null || value === undefined) return "–";
  let rest = value;
  for (const unit of ["B", "KiB", "MiB", "GiB"]) {
    if (Math.abs(rest) < 1024) return `${unit === "B" || rest >= 100 ? Math.round(rest) : rest.toFixed(1)} ${unit}`;
    rest /= 1024;
  }
  return `${rest.toFixed(1)} TiB`;
}

export const rate = (value) => (value === null || value === undefined ? "–" : `${bytes(value)}/s`);

/** Seconds as the two largest units: "3 h 12 min". */
export function duration(seconds) {
  if (seconds === null || seconds === undefined || !Number.isFinite(seconds)) return "–";
  const whole = Math.max(0, Math.round(seconds));
  const parts = [
    [Math.floor(whole / 86400), "d"],
    [Math.floor(whole / 3600) % 24, "h"],
    [Math.floor(whole / 60) % 60, "min"],
    [whole % 60, "s"],
  ];
  const first = parts.findIndex(([count]) => count > 0);
  if (first < 0) return "0 s";
  return parts.slice(first, first + 2).filter(([count]) => count > 0).map(([count, unit]) => `${count} ${unit}`).join(" ");
}

/** Unix seconds as "14:03:09". */
export const clock = (time) => (time ? CLOCK.format(new Date(time * 1000)) : "–");

/** Unix seconds as "2026-01-31 14:03:09". */
export const date = (time) => (time ? `${DAY.format(new Date(time * 1000))} ${clock(time)}` : "–");

export const millis = (value) => (value === null || value === undefined ? "–" : `${value < 10 ? value.toFixed(1) : Math.round(value)} ms`);

/** "ed25519:6UyoDTcsC4…" -> "6UyoDT…wLrNQE"; secp256k1 keys keep a mark. */
export function shortId(id) {
  const text = String(id ?? "");
  const [kind, key] = text.includes(":") ? text.split(/:(.*)/s) : ["", text];
  const mark = kind === "secp256k1" ? "s·" : "";
  return key.length > 14 ? `${mark}${key.slice(0, 6)}…${key.slice(-5)}` : mark + key;
}

/** "dial_failed" -> "dial failed". */
export const words = (name) => String(name).replaceAll("_", " ");

export const plural = (count, one, many = `${one}s`) => `${number(count)} ${count === 1 ? one : many}`;
