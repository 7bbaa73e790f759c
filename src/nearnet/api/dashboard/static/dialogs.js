// Dialogs and notices. A native <dialog> keeps the focus inside, closes by Escape, and gives the focus back.

import { h, iconButton } from "./dom.js";

const NOTICE = 15000;

/** A form in a dialog; resolves to its values by name, or null when it was closed. `fields`: elements with a name. */
export function form({ title, text = null, fields = [], ok = "OK", danger = false }) {
  return new Promise((resolve) => {
    const body = h("form", { method: "dialog" },
      h("h2", { id: "dialog-title" }, title),
      text && h("p", {}, text),
      fields,
      h("div", { class: "dialog-buttons" },
        h("button", { type: "button", onclick: () => dialog.close("") }, "Cancel"),
        h("button", { type: "submit", class: danger ? "danger" : "primary", value: "ok" }, ok)));
    const dialog = h("dialog", { "aria-labelledby": "dialog-title" }, body);
    dialog.addEventListener("close", () => {
      const values = dialog.returnValue === "ok" ? Object.fromEntries(new FormData(body)) : null;
      dialog.remove();
      resolve(values);
    });
    dialog.addEventListener("click", (event) => event.target === dialog && dialog.close(""));
    document.body.append(dialog);
    dialog.showModal();
    (body.querySelector("input, select") ?? body.querySelector("button[type=submit]")).focus();
  });
}

/** One labelled field of a form. */
export function field(label, input) {
  return h("label", { class: "field" }, h("span", {}, label), input);
}

/** A select: `options` are [value, label]. */
export function select(name, options, props = {}) {
  return h("select", { name, ...props }, options.map(([value, label]) => h("option", { value }, label)));
}

/** A notice at the edge, with a way back if there is one. */
export function notice(text, { bad = false, undo = null } = {}) {
  const box = h("div", { class: bad ? "notice bad" : "notice" }, h("span", {}, text),
    undo && h("button", { type: "button", onclick: () => { box.remove(); undo(); } }, "Undo"),
    iconButton("close", "Dismiss", () => box.remove()));
  const leave = () => (box.matches(":hover, :focus-within") ? setTimeout(leave, NOTICE / 3) : box.remove());
  setTimeout(leave, NOTICE);
  const all = document.getElementById("toasts");
  all.append(box);
  while (all.children.length > 4) all.firstChild.remove();
}
