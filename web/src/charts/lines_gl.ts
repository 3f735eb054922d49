// SPDX-License-Identifier: Apache-2.0
// Very many polylines over parallel axes, drawn in portions so that no frame waits for all of them: WebGL2 where there is a graphics
// processor, else pixel by pixel (lines_raster.ts). All that is told of the rows lies in one texture (a layer for each axis); what is selected is a list of rows.
import { RasterLines } from "./lines_raster";
import { rgb } from "./theme";

/** What both renderers are told. Positions are 0 (bottom) to 1 (top); below 0 stands what a run does not have. */
export interface LineData {
  rows: number;
  /** One for each axis, in the order in which they stand. */
  axes: Float32Array[];
  /** The place of each axis from 0 to 1 across the canvas. */
  at: number[];
  /** 0 to 63, 255: no value. */
  shade: Uint8Array;
}

export interface LineLook {
  ramp: string[];
  none: string;
  alpha: number;
  /** One colour for all, as of the runs that are not selected. */
  flat?: string;
  /** Pixels (of the page) above and below the axes. */
  top: number;
  bottom: number;
  curved: boolean;
}

export interface LineRenderer {
  readonly canvas: HTMLCanvasElement;
  /** Whether a call takes as long as the drawing does; a graphics processor answers before. */
  readonly immediate: boolean;
  resize(width: number, height: number, ratio: number): void;
  setData(data: LineData): void;
  /** Which rows will be drawn, in this order. */
  setRows(rows: Uint32Array): void;
  clear(): void;
  /** Draws a portion of the rows set. */
  draw(from: number, to: number, look: LineLook): void;
  /** Brings onto the canvas what was drawn since. */
  show(): void;
  dispose(): void;
}

const WIDTH = 1024;

const VERTEX = `#version 300 es
precision highp float;
precision highp sampler2DArray;
uniform sampler2DArray values;
uniform int layer;
uniform int shadeLayer;
uniform int segments;
uniform vec2 span;
uniform vec2 ends;
uniform vec3 ramp[7];
uniform vec3 none;
uniform vec4 flatColor;
in uint row;
out vec3 color;
void main() {
  ivec2 cell = ivec2(int(row) % ${WIDTH}, int(row) / ${WIDTH});
  float a = texelFetch(values, ivec3(cell, layer), 0).r;
  float b = texelFetch(values, ivec3(cell, layer + 1), 0).r;
  float t = float(gl_VertexID) / float(segments);
  float s = segments > 1 ? mix(t, t * t * (3.0 - 2.0 * t), 0.72) : t;
  float y = mix(a, b, s);
  float x = mix(span.x, span.y, t);
  gl_Position = vec4(x * 2.0 - 1.0, mix(ends.x, ends.y, y) * 2.0 - 1.0, 0.0, 1.0);
  float share = texelFetch(values, ivec3(cell, shadeLayer), 0).r;
  float at = clamp(share, 0.0, 1.0) * 6.0;
  int below = int(min(floor(at), 5.0));
  vec3 shaded = mix(ramp[below], ramp[below + 1], at - float(below));
  color = flatColor.a > 0.0 ? flatColor.rgb : share < 0.0 ? none : shaded;
}`;

const FRAGMENT = `#version 300 es
precision mediump float;
uniform float alpha;
in vec3 color;
out vec4 result;
void main() { result = vec4(color * alpha, alpha); }`;

export class GlLines implements LineRenderer {
  readonly canvas = document.createElement("canvas");
  readonly immediate = false;
  private readonly gl: WebGL2RenderingContext;

  get context(): WebGL2RenderingContext {
    return this.gl;
  }

  private readonly program: WebGLProgram;
  private readonly order: WebGLBuffer;
  private readonly texture: WebGLTexture;
  private readonly uniforms: Record<string, WebGLUniformLocation | null> = {};
  private axes = 0;
  private at: number[] = [];
  private height = 1;

  constructor() {
    const gl = this.canvas.getContext("webgl2", { antialias: true, preserveDrawingBuffer: true, premultipliedAlpha: true, powerPreference: "high-performance" });
    if (!gl) throw new Error("no WebGL2");
    this.gl = gl;
    this.program = link(gl, VERTEX, FRAGMENT);
    for (const name of ["values", "layer", "shadeLayer", "segments", "span", "ends", "ramp", "none", "flatColor", "alpha"])
      this.uniforms[name] = gl.getUniformLocation(this.program, name);
    this.order = gl.createBuffer()!;
    this.texture = gl.createTexture()!;
    gl.bindBuffer(gl.ARRAY_BUFFER, this.order);
    const row = gl.getAttribLocation(this.program, "row");
    gl.enableVertexAttribArray(row);
    gl.vertexAttribDivisor(row, 1);
    this.rowAttribute = row;
    gl.enable(gl.BLEND);
    gl.blendFunc(gl.ONE, gl.ONE_MINUS_SRC_ALPHA);
  }

  private readonly rowAttribute: number;

  resize(width: number, height: number, ratio: number): void {
    this.height = height;
    const w = Math.max(1, Math.round(width * ratio)), h = Math.max(1, Math.round(height * ratio));
    if (this.canvas.width !== w || this.canvas.height !== h) {
      this.canvas.width = w;
      this.canvas.height = h;
    }
  }

  setData(data: LineData): void {
    const { gl } = this;
    this.axes = data.axes.length;
    this.at = data.at;
    const depth = data.axes.length + 1;
    const lines = Math.max(1, Math.ceil(data.rows / WIDTH));
    const texels = new Float32Array(WIDTH * lines * depth);
    data.axes.forEach((axis, i) => texels.set(axis.subarray(0, data.rows), i * WIDTH * lines));
    const last = data.axes.length * WIDTH * lines;
    for (let i = 0; i < data.rows; ++i) texels[last + i] = data.shade[i] === 255 ? -1 : data.shade[i] / 63;
    gl.bindTexture(gl.TEXTURE_2D_ARRAY, this.texture);
    gl.texParameteri(gl.TEXTURE_2D_ARRAY, gl.TEXTURE_MIN_FILTER, gl.NEAREST);
    gl.texParameteri(gl.TEXTURE_2D_ARRAY, gl.TEXTURE_MAG_FILTER, gl.NEAREST);
    gl.texImage3D(gl.TEXTURE_2D_ARRAY, 0, gl.R32F, WIDTH, lines, depth, 0, gl.RED, gl.FLOAT, texels);
  }

  setRows(rows: Uint32Array): void {
    const { gl } = this;
    gl.bindBuffer(gl.ARRAY_BUFFER, this.order);
    gl.bufferData(gl.ARRAY_BUFFER, rows, gl.STREAM_DRAW);
  }

  clear(): void {
    const { gl } = this;
    gl.viewport(0, 0, this.canvas.width, this.canvas.height);
    gl.clearColor(0, 0, 0, 0);
    gl.clear(gl.COLOR_BUFFER_BIT);
  }

  draw(from: number, to: number, look: LineLook): void {
    if (to <= from || this.axes < 2) return;
    const { gl, uniforms } = this;
    gl.viewport(0, 0, this.canvas.width, this.canvas.height);
    gl.useProgram(this.program);
    gl.bindTexture(gl.TEXTURE_2D_ARRAY, this.texture);
    gl.bindBuffer(gl.ARRAY_BUFFER, this.order);
    gl.vertexAttribIPointer(this.rowAttribute, 1, gl.UNSIGNED_INT, 4, from * 4);
    const segments = look.curved ? 14 : 1;
    gl.uniform1i(uniforms.segments, segments);
    gl.uniform1i(uniforms.shadeLayer, this.axes);
    gl.uniform2f(uniforms.ends, look.bottom / this.height, 1 - look.top / this.height);
    gl.uniform3fv(uniforms.ramp, look.ramp.flatMap(rgb));
    gl.uniform3f(uniforms.none, ...rgb(look.none));
    gl.uniform4f(uniforms.flatColor, ...(look.flat ? rgb(look.flat) : rgb(look.none)), look.flat ? 1 : 0);
    gl.uniform1f(uniforms.alpha, look.alpha);
    for (let gap = 0; gap + 1 < this.axes; ++gap) {
      gl.uniform1i(uniforms.layer, gap);
      gl.uniform2f(uniforms.span, this.at[gap], this.at[gap + 1]);
      gl.drawArraysInstanced(gl.LINE_STRIP, 0, segments + 1, to - from);
    }
  }

  show(): void {}

  dispose(): void {
    this.gl.getExtension("WEBGL_lose_context")?.loseContext();
  }
}

export function link(gl: WebGL2RenderingContext, vertex: string, fragment: string): WebGLProgram {
  const program = gl.createProgram()!;
  for (const [kind, source] of [[gl.VERTEX_SHADER, vertex], [gl.FRAGMENT_SHADER, fragment]] as const) {
    const shader = gl.createShader(kind)!;
    gl.shaderSource(shader, source);
    gl.compileShader(shader);
    if (!gl.getShaderParameter(shader, gl.COMPILE_STATUS)) throw new Error(gl.getShaderInfoLog(shader) ?? "shader");
    gl.attachShader(program, shader);
  }
  gl.linkProgram(program);
  if (!gl.getProgramParameter(program, gl.LINK_STATUS)) throw new Error(gl.getProgramInfoLog(program) ?? "program");
  return program;
}

/** Where there is no graphics processor a browser may have WebGL all the same, drawn by the processor and slower than `RasterLines`. */
function isSoftware(gl: WebGL2RenderingContext): boolean {
  const info = gl.getExtension("WEBGL_debug_renderer_info");
  const name = info ? String(gl.getParameter(info.UNMASKED_RENDERER_WEBGL)) : "";
  return /swiftshader|llvmpipe|softpipe|software|basic render/i.test(name);
}

export function makeLines(): LineRenderer {
  try {
    const lines = new GlLines();
    if (!isSoftware(lines.context)) return lines;
    lines.dispose();
  } catch {
    // Drawn here, then.
  }
  return new RasterLines();
}
