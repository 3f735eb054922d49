// SPDX-License-Identifier: Apache-2.0
// What charts draw with: one small set of strokes, onto a canvas or as SVG, so that what is exported is what is seen.

export interface Stroke {
  color: string;
  width?: number;
  alpha?: number;
  dash?: number[];
}

export interface Fill {
  fill?: string;
  stroke?: string;
  width?: number;
  alpha?: number;
}

export interface TextStyle {
  color: string;
  size?: number;
  align?: "left" | "center" | "right";
  baseline?: "top" | "middle" | "bottom";
  weight?: number;
  turn?: number;
  halo?: string;
}

export interface Cloud {
  x: ArrayLike<number>;
  y: ArrayLike<number>;
  /** Index into `colors` for each point; 255: not drawn. */
  color: Uint8Array;
  colors: string[];
  count: number;
  radius: number;
  alpha: number;
}

export interface Painter {
  line(x: ArrayLike<number>, y: ArrayLike<number>, from: number, to: number, stroke: Stroke): void;
  /** A closed outline. */
  area(points: number[], fill: Fill): void;
  rect(x: number, y: number, width: number, height: number, fill: Fill): void;
  circle(x: number, y: number, radius: number, fill: Fill): void;
  text(x: number, y: number, text: string, style: TextStyle): void;
  points(cloud: Cloud): void;
  image(canvas: HTMLCanvasElement, x: number, y: number, width: number, height: number): void;
  clip(x: number, y: number, width: number, height: number, draw: () => void): void;
}

export const FONT = 'Inter, system-ui, "Segoe UI", Roboto, "Helvetica Neue", "Liberation Sans", sans-serif';
// Beyond so many points round ones are not told apart, and pixels are set directly: 10^5 in a few milliseconds.
const MOST_CIRCLES = 2500;

export class CanvasPainter implements Painter {
  constructor(private readonly c: CanvasRenderingContext2D, private readonly ratio: number) {
    c.lineJoin = "round";
  }

  line(x: ArrayLike<number>, y: ArrayLike<number>, from: number, to: number, stroke: Stroke): void {
    const { c } = this;
    c.globalAlpha = stroke.alpha ?? 1;
    c.strokeStyle = stroke.color;
    c.lineWidth = stroke.width ?? 1;
    c.setLineDash(stroke.dash ?? []);
    c.beginPath();
    let pen = false;
    for (let i = from; i < to; ++i) {
      const px = x[i], py = y[i];
      if (!(px - px === 0 && py - py === 0)) {
        pen = false;
        continue;
      }
      if (pen) c.lineTo(px, py);
      else c.moveTo(px, py);
      pen = true;
    }
    c.stroke();
    c.globalAlpha = 1;
    c.setLineDash([]);
  }

  private paint(fill: Fill): void {
    const { c } = this;
    c.globalAlpha = fill.alpha ?? 1;
    if (fill.fill) {
      c.fillStyle = fill.fill;
      c.fill();
    }
    if (fill.stroke) {
      c.strokeStyle = fill.stroke;
      c.lineWidth = fill.width ?? 1;
      c.stroke();
    }
    c.globalAlpha = 1;
  }

  area(points: number[], fill: Fill): void {
    this.c.beginPath();
    for (let i = 0; i + 1 < points.length; i += 2) this.c.lineTo(points[i], points[i + 1]);
    this.c.closePath();
    this.paint(fill);
  }

  rect(x: number, y: number, width: number, height: number, fill: Fill): void {
    this.c.beginPath();
    this.c.rect(x, y, width, height);
    this.paint(fill);
  }

  circle(x: number, y: number, radius: number, fill: Fill): void {
    this.c.beginPath();
    this.c.arc(x, y, radius, 0, 2 * Math.PI);
    this.paint(fill);
  }

  text(x: number, y: number, text: string, style: TextStyle): void {
    const { c } = this;
    c.save();
    c.font = `${style.weight ?? 400} ${style.size ?? 12}px ${FONT}`;
    c.textAlign = style.align ?? "left";
    c.textBaseline = style.baseline ?? "middle";
    c.translate(x, y);
    if (style.turn) c.rotate(style.turn);
    if (style.halo) {
      c.strokeStyle = style.halo;
      c.lineWidth = 3.5;
      c.globalAlpha = 0.9;
      c.strokeText(text, 0, 0);
      c.globalAlpha = 1;
    }
    c.fillStyle = style.color;
    c.fillText(text, 0, 0);
    c.restore();
  }

  points(cloud: Cloud): void {
    if (cloud.count <= MOST_CIRCLES) {
      for (let i = 0; i < cloud.count; ++i) {
        const color = cloud.colors[cloud.color[i]];
        if (color && cloud.x[i] - cloud.y[i] === cloud.x[i] - cloud.y[i])
          this.circle(cloud.x[i], cloud.y[i], cloud.radius, { fill: color, alpha: cloud.alpha });
      }
      return;
    }
    splat(this.c, cloud, this.ratio);
  }

  image(canvas: HTMLCanvasElement, x: number, y: number, width: number, height: number): void {
    this.c.drawImage(canvas, x, y, width, height);
  }

  clip(x: number, y: number, width: number, height: number, draw: () => void): void {
    this.c.save();
    this.c.beginPath();
    this.c.rect(x, y, width, height);
    this.c.clip();
    draw();
    this.c.restore();
  }
}

function channels(color: string): [number, number, number] {
  const value = parseInt(color.slice(1), 16);
  return [value >> 16, (value >> 8) & 255, value & 255];
}

let scratch: HTMLCanvasElement | null = null;

/** Sets the pixels of many points; later ones lie above earlier ones. */
function splat(target: CanvasRenderingContext2D, cloud: Cloud, ratio: number): void {
  const { width, height } = target.canvas;
  scratch ??= document.createElement("canvas");
  if (scratch.width !== width || scratch.height !== height) {
    scratch.width = width;
    scratch.height = height;
  }
  const context = scratch.getContext("2d", { willReadFrequently: true })!;
  const image = context.createImageData(width, height);
  const pixels = new Uint32Array(image.data.buffer);
  const alpha = Math.round(255 * Math.max(cloud.alpha, 0.5)) << 24;
  const colors = cloud.colors.map((color) => {
    const [r, g, b] = channels(color);
    return (alpha | (b << 16) | (g << 8) | r) >>> 0;
  });
  const size = Math.max(1, Math.round(cloud.radius * 1.6 * ratio));
  const half = size >> 1;
  for (let i = 0; i < cloud.count; ++i) {
    const which = cloud.color[i];
    if (which === 255) continue;
    const left = ((cloud.x[i] * ratio) | 0) - half, top = ((cloud.y[i] * ratio) | 0) - half;
    if (!(left >= 0 && top >= 0 && left + size < width && top + size < height)) continue;
    const color = colors[which];
    for (let row = 0, at = top * width + left; row < size; ++row, at += width)
      for (let column = 0; column < size; ++column) pixels[at + column] = color;
  }
  context.putImageData(image, 0, 0);
  target.save();
  target.setTransform(1, 0, 0, 1, 0, 0);
  target.drawImage(scratch, 0, 0);
  target.restore();
}

function escape(text: string): string {
  return text.replace(/[&<>"]/g, (c) => ({ "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" })[c]!);
}

const r1 = (value: number) => Math.round(value * 10) / 10;

export class SvgPainter implements Painter {
  private readonly parts: string[] = [];
  private clips = 0;

  constructor(private readonly width: number, private readonly height: number, private readonly background: string) {}

  toString(): string {
    return `<svg xmlns="http://www.w3.org/2000/svg" width="${this.width}" height="${this.height}" ` +
      `viewBox="0 0 ${this.width} ${this.height}" font-family="${escape(FONT)}">` +
      `<rect width="100%" height="100%" fill="${this.background}"/>${this.parts.join("")}</svg>`;
  }

  line(x: ArrayLike<number>, y: ArrayLike<number>, from: number, to: number, stroke: Stroke): void {
    let path = "", pen = false;
    for (let i = from; i < to; ++i) {
      if (!Number.isFinite(x[i]) || !Number.isFinite(y[i])) {
        pen = false;
        continue;
      }
      path += `${pen ? "L" : "M"}${r1(x[i])} ${r1(y[i])}`;
      pen = true;
    }
    const dash = stroke.dash?.length ? ` stroke-dasharray="${stroke.dash.join(" ")}"` : "";
    if (path)
      this.parts.push(`<path d="${path}" fill="none" stroke="${stroke.color}" stroke-width="${stroke.width ?? 1}"` +
        ` stroke-opacity="${stroke.alpha ?? 1}"${dash}/>`);
  }

  private paint({ fill, stroke, width, alpha }: Fill): string {
    return `fill="${fill ?? "none"}"${stroke ? ` stroke="${stroke}" stroke-width="${width ?? 1}"` : ""} opacity="${alpha ?? 1}"`;
  }

  area(points: number[], fill: Fill): void {
    const path = points.map(r1).join(" ");
    this.parts.push(`<polygon points="${path}" ${this.paint(fill)}/>`);
  }

  rect(x: number, y: number, width: number, height: number, fill: Fill): void {
    this.parts.push(`<rect x="${r1(x)}" y="${r1(y)}" width="${r1(Math.max(0, width))}" height="${r1(Math.max(0, height))}" ${this.paint(fill)}/>`);
  }

  circle(x: number, y: number, radius: number, fill: Fill): void {
    this.parts.push(`<circle cx="${r1(x)}" cy="${r1(y)}" r="${radius}" ${this.paint(fill)}/>`);
  }

  text(x: number, y: number, text: string, style: TextStyle): void {
    const anchor = { left: "start", center: "middle", right: "end" }[style.align ?? "left"];
    const shift = { top: "0.8em", middle: "0.35em", bottom: "-0.1em" }[style.baseline ?? "middle"];
    const turn = style.turn ? ` transform="rotate(${(style.turn * 180) / Math.PI} ${r1(x)} ${r1(y)})"` : "";
    this.parts.push(`<text x="${r1(x)}" y="${r1(y)}" dy="${shift}" font-size="${style.size ?? 12}" font-weight="${style.weight ?? 400}"` +
      ` text-anchor="${anchor}" fill="${style.color}"${turn}>${escape(text)}</text>`);
  }

  points(cloud: Cloud): void {
    // Of very many, as many as a drawing program bears.
    const stride = Math.max(1, Math.ceil(cloud.count / 20000));
    for (let i = 0; i < cloud.count; i += stride) {
      const color = cloud.colors[cloud.color[i]];
      if (color && Number.isFinite(cloud.x[i]) && Number.isFinite(cloud.y[i]))
        this.circle(cloud.x[i], cloud.y[i], cloud.radius, { fill: color, alpha: cloud.alpha });
    }
  }

  image(canvas: HTMLCanvasElement, x: number, y: number, width: number, height: number): void {
    this.parts.push(`<image href="${canvas.toDataURL()}" x="${x}" y="${y}" width="${width}" height="${height}"/>`);
  }

  clip(x: number, y: number, width: number, height: number, draw: () => void): void {
    const id = `clip${this.clips++}`;
    this.parts.push(`<clipPath id="${id}"><rect x="${x}" y="${y}" width="${width}" height="${height}"/></clipPath><g clip-path="url(#${id})">`);
    draw();
    this.parts.push("</g>");
  }
}
