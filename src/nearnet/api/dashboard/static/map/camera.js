// Pan and zoom by mouse, touch and keys.

const STEP = 60;
const GLIDE = 300;
const calm = matchMedia("(prefers-reduced-motion: reduce)");

export class Camera {
  /** `moved()`, `click(x, y, shift)`, `hover(x, y)` in pixels of the canvas. */
  constructor(canvas, { moved, click, hover }) {
    Object.assign(this, { canvas, moved, click, hover, x: 0, y: 0, scale: 10, width: 0, height: 0, least: 1, taken: false });
    this.pointers = new Map();
    canvas.addEventListener("pointerdown", (event) => this.down(event));
    canvas.addEventListener("pointermove", (event) => this.move(event));
    canvas.addEventListener("pointerup", (event) => this.up(event));
    canvas.addEventListener("pointercancel", (event) => this.pointers.delete(event.pointerId));
    canvas.addEventListener("pointerleave", () => this.pointers.size || hover(-1e6, -1e6));
    canvas.addEventListener("wheel", (event) => this.wheel(event), { passive: false });
    canvas.addEventListener("keydown", (event) => this.key(event));
  }

  resize(width, height) {
    Object.assign(this, { width, height });
  }

  toScreen([x, y]) {
    return [(x - this.x) * this.scale + this.width / 2, (y - this.y) * this.scale + this.height / 2];
  }

  fit(places) {
    if (!places.length || !this.width) return;
    const reach = places.reduce((most, [x, y]) => Math.max(most, Math.hypot(x, y)), 4);
    this.scale = Math.min(60, (Math.min(this.width, this.height) / 2 - 28) / reach);
    this.least = this.scale / 3;
    Object.assign(this, { x: 0, y: 0, taken: false });
    this.moved();
  }

  zoom(factor, x = this.width / 2, y = this.height / 2) {
    this.taken = true;
    const scale = Math.max(this.least, Math.min(400, this.scale * factor));
    this.x += (x - this.width / 2) * (1 / this.scale - 1 / scale);
    this.y += (y - this.height / 2) * (1 / this.scale - 1 / scale);
    this.scale = scale;
    this.moved();
  }

  pan(dx, dy) {
    this.taken = true;
    this.x -= dx / this.scale;
    this.y -= dy / this.scale;
    this.moved();
  }

  glideTo([x, y]) {
    this.taken = true;
    const from = [this.x, this.y];
    const start = performance.now();
    const step = () => {
      const part = calm.matches ? 1 : Math.min(1, (performance.now() - start) / GLIDE);
      const eased = 1 - (1 - part) ** 3;
      this.x = from[0] + (x - from[0]) * eased;
      this.y = from[1] + (y - from[1]) * eased;
      this.moved();
      if (part < 1) requestAnimationFrame(step);
    };
    step();
  }

  point(event) {
    const box = this.canvas.getBoundingClientRect();
    return [event.clientX - box.left, event.clientY - box.top];
  }

  down(event) {
    this.canvas.setPointerCapture(event.pointerId);
    this.pointers.set(event.pointerId, this.point(event));
    if (this.pointers.size === 1) this.travelled = 0;
  }

  move(event) {
    const here = this.point(event);
    const before = this.pointers.get(event.pointerId);
    if (!before) {
      this.hover(...here);
      return;
    }
    if (this.pointers.size === 2) {
      const [other] = [...this.pointers].filter(([id]) => id !== event.pointerId).map(([, place]) => place);
      const spread = ([x, y]) => Math.hypot(x - other[0], y - other[1]);
      this.zoom(spread(here) / Math.max(1, spread(before)), (here[0] + other[0]) / 2, (here[1] + other[1]) / 2);
    }
    this.pan((here[0] - before[0]) / this.pointers.size, (here[1] - before[1]) / this.pointers.size);
    this.travelled += Math.hypot(here[0] - before[0], here[1] - before[1]);
    this.pointers.set(event.pointerId, here);
  }

  up(event) {
    if (this.pointers.delete(event.pointerId) && !this.pointers.size && this.travelled < 5) this.click(...this.point(event), event.shiftKey);
  }

  wheel(event) {
    event.preventDefault();
    this.zoom(Math.exp(-event.deltaY * (event.deltaMode ? 0.05 : 0.0016)), ...this.point(event));
  }

  key(event) {
    const ways = { ArrowLeft: [STEP, 0], ArrowRight: [-STEP, 0], ArrowUp: [0, STEP], ArrowDown: [0, -STEP] };
    if (ways[event.key]) this.pan(...ways[event.key]);
    else if (event.key === "+" || event.key === "=") this.zoom(1.3);
    else if (event.key === "-") this.zoom(1 / 1.3);
    else return;
    event.preventDefault();
  }
}
