// Runs d3-force apart from the page. In: {run, start: [[x, y] or null], links: [[a, b]]}. Out: {run, places} now and then.

import "../vendor/d3-dispatch.js";
import "../vendor/d3-quadtree.js";
import "../vendor/d3-timer.js";
import "../vendor/d3-force.js";

const { forceSimulation, forceLink, forceManyBody, forceX, forceY } = globalThis.d3;
const TOLD_EACH = 60;
let running = 0;

onmessage = ({ data: { run, start, links } }) => {
  running = run;
  const known = start.filter(Boolean).length > start.length / 2;
  const nodes = start.map((place) => (place ? { x: place[0] * 6, y: place[1] * 6 } : {}));
  if (nodes.length) Object.assign(nodes[0], { fx: 0, fy: 0 });
  const degree = new Array(nodes.length).fill(0);
  links.forEach(([a, b]) => { degree[a] += 1; degree[b] += 1; });
  const simulation = forceSimulation(nodes).stop().alpha(known ? 0.5 : 1).alphaDecay(0.035)
    .force("link", forceLink(links.map(([source, target]) => ({ source, target }))).distance(30)
      .strength(({ source, target }) => 0.7 / Math.min(degree[source.index], degree[target.index])))
    .force("charge", forceManyBody().strength(-60).theta(1.1).distanceMax(900))
    .force("x", forceX().strength(0.03)).force("y", forceY().strength(0.03));
  step(run, simulation, nodes);
};

/** A while of work, then a message, then let a newer task come in. */
function step(run, simulation, nodes) {
  if (run !== running) return;
  const until = performance.now() + TOLD_EACH;
  while (performance.now() < until && simulation.alpha() > 0.01) simulation.tick();
  const places = new Float32Array(nodes.length * 2);
  nodes.forEach(({ x, y }, at) => { places[at * 2] = x / 6; places[at * 2 + 1] = y / 6; });
  postMessage({ run, places }, [places.buffer]);
  if (simulation.alpha() > 0.01) setTimeout(() => step(run, simulation, nodes), 0);
}
