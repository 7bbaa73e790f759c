// WebGL2: every edge is an instanced strip, every peer an instanced disc; tens of thousands are two draw calls.

const EDGE_VERTEX = `#version 300 es
uniform vec2 half_size; uniform vec2 centre; uniform float scale;
in vec2 corner; in vec4 ends; in vec4 colour; in float width;
out vec4 tint; out float aside; out float reach;
vec2 place(vec2 at) { return (at - centre) * scale; }
void main() {
  vec2 a = place(ends.xy), b = place(ends.zw);
  vec2 along = b - a;
  vec2 normal = length(along) > 0.0 ? normalize(vec2(-along.y, along.x)) : vec2(0.0);
  reach = width * 0.5;
  aside = corner.y * (reach + 1.0);
  tint = colour;
  gl_Position = vec4((mix(a, b, corner.x) + normal * aside) / half_size, 0.0, 1.0);
}`;

const EDGE_FRAGMENT = `#version 300 es
precision mediump float;
in vec4 tint; in float aside; in float reach; out vec4 result;
void main() {
  float cover = clamp(reach + 0.5 - abs(aside), 0.0, 1.0);
  result = vec4(tint.rgb, 1.0) * tint.a * cover;
}`;

const NODE_VERTEX = `#version 300 es
uniform vec2 half_size; uniform vec2 centre; uniform float scale;
in vec2 corner; in vec2 at; in float radius; in vec4 colour;
out vec4 tint; out vec2 from_centre; out float size;
void main() {
  size = radius;
  from_centre = corner * (radius + 1.5);
  tint = colour;
  gl_Position = vec4(((at - centre) * scale + from_centre) / half_size, 0.0, 1.0);
}`;

const NODE_FRAGMENT = `#version 300 es
precision mediump float;
uniform vec3 back;
in vec4 tint; in vec2 from_centre; in float size; out vec4 result;
void main() {
  float away = length(from_centre);
  float disc = clamp(size + 0.5 - away, 0.0, 1.0);
  float halo = clamp(size + 1.5 - away, 0.0, 1.0);
  vec3 mixed = mix(back, tint.rgb, disc);
  result = vec4(mixed, 1.0) * halo * tint.a;
}`;

/** Throws an Error in words where WebGL2 is missing. */
export class Renderer {
  constructor(canvas) {
    this.canvas = canvas;
    this.back = [1, 1, 1];
    this.counts = { edges: 0, nodes: 0 };
    this.start();
    canvas.addEventListener("webglcontextlost", (event) => event.preventDefault());
    canvas.addEventListener("webglcontextrestored", () => { this.start(); this.onrestored?.(); });
  }

  start() {
    const gl = this.canvas.getContext("webgl2", { antialias: false, alpha: true, premultipliedAlpha: true });
    if (!gl) throw new Error("This browser has no WebGL2, so there is no map here. The tables of peers and routes tell the same.");
    this.gl = gl;
    this.edges = this.program(EDGE_VERTEX, EDGE_FRAGMENT, [0, -1, 1, -1, 0, 1, 1, 1], [["ends", 4, "f"], ["colour", 4, "b"], ["width", 1, "f"]]);
    this.nodes = this.program(NODE_VERTEX, NODE_FRAGMENT, [-1, -1, 1, -1, -1, 1, 1, 1], [["at", 2, "f"], ["radius", 1, "f"], ["colour", 4, "b"]]);
    gl.enable(gl.BLEND);
    gl.blendFunc(gl.ONE, gl.ONE_MINUS_SRC_ALPHA);
  }

  program(vertex, fragment, corners, columns) {
    const { gl } = this;
    const program = gl.createProgram();
    for (const [kind, source] of [[gl.VERTEX_SHADER, vertex], [gl.FRAGMENT_SHADER, fragment]]) {
      const shader = gl.createShader(kind);
      gl.shaderSource(shader, source);
      gl.compileShader(shader);
      gl.attachShader(program, shader);
    }
    gl.linkProgram(program);
    if (!gl.getProgramParameter(program, gl.LINK_STATUS) && !gl.isContextLost()) throw new Error(`The map's shaders do not compile: ${gl.getProgramInfoLog(program)}`);
    const array = gl.createVertexArray();
    gl.bindVertexArray(array);
    this.column(program, "corner", 2, "f", 0);
    gl.bufferData(gl.ARRAY_BUFFER, new Float32Array(corners), gl.STATIC_DRAW);
    const buffers = Object.fromEntries(columns.map(([name, size, type]) => [name, this.column(program, name, size, type, 1)]));
    const uniforms = Object.fromEntries(["half_size", "centre", "scale", "back"].map((name) => [name, gl.getUniformLocation(program, name)]));
    return { program, array, buffers, uniforms };
  }

  column(program, name, size, type, divisor) {
    const { gl } = this;
    const buffer = gl.createBuffer();
    const at = gl.getAttribLocation(program, name);
    gl.bindBuffer(gl.ARRAY_BUFFER, buffer);
    gl.enableVertexAttribArray(at);
    if (type === "f") gl.vertexAttribPointer(at, size, gl.FLOAT, false, 0, 0);
    else gl.vertexAttribPointer(at, size, gl.UNSIGNED_BYTE, true, 0, 0);
    gl.vertexAttribDivisor(at, divisor);
    return buffer;
  }

  /** Columns by name as typed arrays, `count` instances of "edges" or "nodes". */
  set(what, count, columns) {
    const { gl } = this;
    this.counts[what] = count;
    for (const [name, data] of Object.entries(columns)) {
      gl.bindBuffer(gl.ARRAY_BUFFER, this[what].buffers[name]);
      gl.bufferData(gl.ARRAY_BUFFER, data, gl.DYNAMIC_DRAW);
    }
  }

  /** Draw all with this camera: centre in the graph's units, scale in pixels a unit. */
  draw({ x, y, scale }, ratio) {
    const { gl, canvas } = this;
    gl.viewport(0, 0, canvas.width, canvas.height);
    gl.clearColor(0, 0, 0, 0);
    gl.clear(gl.COLOR_BUFFER_BIT);
    for (const what of ["edges", "nodes"]) {
      const { program, array, uniforms } = this[what];
      gl.useProgram(program);
      gl.bindVertexArray(array);
      gl.uniform2f(uniforms.half_size, canvas.width / ratio / 2, -canvas.height / ratio / 2);
      gl.uniform2f(uniforms.centre, x, y);
      gl.uniform1f(uniforms.scale, scale);
      if (uniforms.back) gl.uniform3fv(uniforms.back, this.back);
      gl.drawArraysInstanced(gl.TRIANGLE_STRIP, 0, 4, this.counts[what]);
    }
  }
}
