// Names beside peers, on a canvas above the map: only as many as can be read.

const MOST = 60;

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
  context.font = "11px system-ui, sans-serif";
  context.textBaseline = "middle";
  context.lineJoin = "round";
  const taken = [];
  let drawn = 0;
  for (const peer of new Set([...first, ...crowd, ...rest])) {
    if (drawn >= MOST || !graph.ids[peer]) continue;
    const [x, y] = camera.toScreen(stage.place(peer));
    if (x < -20 || y < -10 || x > camera.width + 20 || y > camera.height + 10) continue;
    const text = stage.label(peer).slice(0, 40);
    const box = [x + 9, y - 7, x + 13 + context.measureText(text).width, y + 7];
    if (!first.has(peer) && taken.some((other) => box[0] < other[2] && box[2] > other[0] && box[1] < other[3] && box[3] > other[1])) continue;
    taken.push(box);
    drawn += 1;
    context.font = `${first.has(peer) ? "600 " : ""}11px system-ui, sans-serif`;
    context.strokeStyle = `rgb(${colours.back.join()})`;
    context.lineWidth = 4;
    context.strokeText(text, x + 10, y);
    context.fillStyle = `rgb(${colours.text.join()})`;
    context.fillText(text, x + 10, y);
  }
}
