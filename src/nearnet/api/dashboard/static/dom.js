// Elements from values. Text becomes text nodes and nothing else: no string of a peer is ever read as markup.

const SVG = "http://www.w3.org/2000/svg";

const ICONS = {
  sun: "M8 4.8a3.2 3.2 0 1 0 0 6.4 3.2 3.2 0 0 0 0-6.4M8 .8v1.9M8 13.3v1.9M.8 8h1.9M13.3 8h1.9M2.9 2.9l1.4 1.4M11.7 11.7l1.4 1.4M2.9 13.1l1.4-1.4M11.7 4.3l1.4-1.4",
  moon: "M13.2 9.8A5.8 5.8 0 0 1 6.2 2.8a5.8 5.8 0 1 0 7 7z",
  key: "M5.4 13.200a2.700 2.700 0 1 0 0-5.400 2.700 2.700 0 0 0 0 5.400M7.400 8.600L13 3M10.400 5.600l2 2",
  copy: "M5.500 5.500h7v7h-7zM3.500 10.500v-7h7",
  pause: "M5.500 3.500v9M10.500 3.500v9",
  play: "M5 3.200l7.500 4.800L5 12.800z",
  back: "M10 3.500L5.500 8l4.500 4.500",
  forward: "M6 3.500L10.500 8 6 12.500",
  plus: "M8 3.500v9M3.500 8h9",
  minus: "M3.500 8h9",
  fit: "M3 6V3h3M10 3h3v3M13 10v3h-3M6 13H3v-3",
  close: "M4 4l8 8M12 4l-8 8",
  search: "M7 2.800a4.200 4.200 0 1 0 0 8.400 4.200 4.200 0 0 0 0-8.400M10.200 10.200l3.200 3.200",
};

/** An element: `props` are attributes, `on*` listeners, `class`, or `data-*`; null and false leave one out. */
export function h(tag, props = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(props ?? {})) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (name === "value") element.value = value;
    else element.setAttribute(name, value === true ? "" : String(value));
  }
  append(element, children);
  return element;
}

function append(element, children) {
  for (const child of children.flat(9)) {
    if (child === null || child === undefined || child === false) continue;
    element.append(child instanceof Node ? child : document.createTextNode(String(child)));
  }
}

/** Put these children in place of all there are. */
export function fill(element, ...children) {
  element.replaceChildren();
  append(element, children);
  return element;
}

/** Set the text only when it differs, so that a selection or a screen reader is not disturbed. */
export function setText(element, text) {
  const told = text === null || text === undefined ? "" : String(text);
  if (element.textContent !== told) element.textContent = told;
}

/** A line drawing of 16 by 16; hidden from screen readers. */
export function icon(name) {
  const svg = document.createElementNS(SVG, "svg");
  for (const [key, value] of Object.entries({ viewBox: "0 0 16 16", class: "icon", "aria-hidden": "true" })) svg.setAttribute(key, value);
  const path = document.createElementNS(SVG, "path");
  path.setAttribute("d", ICONS[name]);
  svg.append(path);
  return svg;
}

/** A button that shows an icon only, with its meaning for everybody else. */
export function iconButton(name, label, onclick, props = {}) {
  return h("button", { type: "button", class: "icon-button", "aria-label": label, title: label, onclick, ...props }, icon(name));
}

/** A colour of the style sheet, as the theme has it now. */
export function cssColour(name) {
  return getComputedStyle(document.documentElement).getPropertyValue(name).trim();
}
