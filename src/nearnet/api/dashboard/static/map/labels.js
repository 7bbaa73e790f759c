// Names beside peers, on a canvas above the map: only as many as can be read.

const MOST = 60;
const MOST_IN_THE_WAY = 300;
const HALF_LINE = 7;
const PLACES = [["left", 10, 0], ["right", -10, 0], ["center", 0, 16], ["center", 0, -16]];

/** Draw the names of what matters now, then of others while there is room. */
export function drawLabels(stage) {
  const { over, ratio, camera, state, present, colours } = stage;
  const context = over.getContext("2d");
  context.setTransform(ratio, 0, 0, ratio, 0, 0);
  context.clearRect(0, 0, camera.width, camera.height);
  const { graph, selected, second, hovered, path, found } = state;
  const first = new Set([hovered, selected, second, 0, ...(path?.paths.flat() ?? []), ...found].filter((peer) => peer !== null && peer !== undefined));
  const focus = selected ?? hovered;
  const crowd = focus !== null && !path ? [...graph.near[focus].keys()] : [];
  const rest = camera.scale > 26 || present.length < 40 ? present : [];
  Object.assign(context, { textBaseline: "middle", lineJoin: "round", lineWidth: 4, strokeStyle: `rgb(${colours.back.join()})`, fillStyle: `rgb(${colours.text.join()})` });
  const taken = rest.slice(0, MOST_IN_THE_WAY).map((peer) => around(camera.toScreen(stage.place(peer))));
  let drawn = 0;
  for (const peer of new Set([...first, ...crowd, ...rest])) {
    if (drawn >= MOST || !graph.ids[peer]) continue;
    const at = camera.toScreen(stage.place(peer));
    if (at[0] < -20 || at[1] < -10 || at[0] > camera.width + 20 || at[1] > camera.height + 10) continue;
    const text = stage.label(peer).slice(0, 40);
    context.font = `${first.has(peer) ? "600 " : ""}11px system-ui, sans-serif`;
    const width = context.measureText(text).width;
    const boxes = PLACES.map((place) => beside(at, width, place));
    const free = boxes.findIndex((box) => box[0] >= 0 && box[2] <= camera.width && !taken.some((other) => overlap(box, other)));
    if (free < 0 && !first.has(peer)) continue;
    const chosen = Math.max(free, 0);
    taken.push(boxes[chosen]);
    drawn += 1;
    const [align, right, down] = PLACES[chosen];
    context.textAlign = align;
    context.strokeText(text, at[0] + right, at[1] + down);
    context.fillText(text, at[0] + right, at[1] + down);
  }
}

function around([x, y]) {
  return [x - 5, y - 5, x + 5, y + 5];
}

function beside([x, y], width, [align, right, down]) {
  const left = x + right - { left: 0, right: width, center: width / 2 }[align];
  return [left, y + down - HALF_LINE, left + width, y + down + HALF_LINE];
}

function overlap(one, other) {
  return one[0] < other[2] && one[2] > other[0] && one[1] < other[3] && one[3] > other[1];
}
