// SPDX-License-Identifier: Apache-2.0
// What parallel coordinates look like: the pale lines of all runs behind, those of the selected ones in portions above, axes, brushes and
// the run under the pointer on top.
import type { SweepStore } from "../data/sweep_store";
import type { Range } from "../data/selection";
import type { Column } from "../data/runs";
import { cut } from "./axes";
import { forget, request, type Job } from "./frames";
import { RasterLines } from "./lines_raster";
import { makeLines, type LineLook, type LineRenderer } from "./lines_gl";
import { CanvasPainter, SvgPainter, type Painter } from "./painter";
import { axisScale, positions, shuffled, type AxisState } from "./parallel_model";
import type { Exports } from "./plot";
import type { Scale } from "./scale";
import { theme, type Theme } from "./theme";
import { drawTip, tipOf } from "./tip";

const TOP = 14, BOTTOM = 30;
export const SIDE = 46;
const GRAB = 16;
const PORTION_MS = 7;
const BACK = 1500;
const CURVED_UP_TO = 20000;

interface Axis { state: AxisState; column: Column; scale: Scale; y: Float32Array; x: number; absent: boolean }

export class Picture {
  axes: Axis[] = [];
  width = 0;
  height = 340;
  private readonly lines: LineRenderer = makeLines();
  private readonly back = new RasterLines();
  private order = new Uint32Array();
  private chosen = new Uint32Array();
  private selected = 0;
  private drawn = 0;
  private portion = 3000;
  private lastFrame = 0;
  private backRows = new Uint32Array();
  private backDrawn = 0;
  readonly job: Job;
  readonly overJob: Job;
  drag: { axis: number; from: number; to: number; kept: Range[] } | null = null;

  constructor(private readonly store: SweepStore, private readonly host: HTMLElement, private readonly top: HTMLCanvasElement) {
    host.prepend(this.back.canvas, this.lines.canvas);
    this.job = { draw: () => this.step(), visible: false, dirty: true, urgent: true };
    this.overJob = { draw: () => this.paintOver(), visible: false, dirty: true, urgent: true };
  }

  /** New data, axes or size. */
  lay(states: AxisState[], width: number): void {
    const { runs } = this.store;
    this.width = width;
    const columns = states.map((state) => ({ state, column: runs.column(state.key) })).filter((a): a is { state: AxisState; column: Column } => !!a.column);
    const inner = width - 2 * SIDE;
    this.axes = columns.map(({ state, column }, i) => {
      const scale = axisScale(runs, column, state);
      const y = positions(runs, column, scale);
      return { state, column, scale, y, x: SIDE + (columns.length > 1 ? (inner * i) / (columns.length - 1) : inner / 2), absent: y.some((v) => v < 0) };
    });
    const ratio = Math.min(devicePixelRatio || 1, 2);
    this.lines.resize(width, this.height, ratio);
    if (this.order.length !== runs.rows) this.order = shuffled(runs.rows) as Uint32Array<ArrayBuffer>;
    const data = { rows: runs.rows, axes: this.axes.map((axis) => axis.y), at: this.axes.map((axis) => axis.x / width), shade: this.store.shades("best") };
    this.lines.setData(data);
    this.back.resize(width, this.height, ratio);
    this.back.setData(data);
    this.back.clear();
    // A sample looks as all of them do.
    this.backRows = this.order.subarray(0, BACK) as Uint32Array<ArrayBuffer>;
    this.back.setRows(this.backRows);
    this.backDrawn = 0;
    this.choose();
  }

  /** Another selection: begin anew, with a fair sample of it. */
  choose(): void {
    // Not a dependency of whoever lays the axes anew: a brush changes the choice alone.
    const mask = this.store.selection.mask.peek();
    this.back.canvas.style.display = mask.all ? "none" : "";
    const { rows } = this.store.runs;
    if (mask.bits.length < rows) return;
    const chosen = new Uint32Array(mask.count);
    let size = 0;
    for (const row of this.order) if (mask.bits[row]) chosen[size++] = row;
    this.selected = size;
    this.chosen = this.withBest(chosen);
    this.drawn = 0;
    request(this.job);
    request(this.overJob);
  }

  private look(theme: Theme): LineLook {
    const count = this.selected;
    return { ramp: theme.ramp, none: theme.status[4], alpha: Math.max(0.05, Math.min(0.85, 14 / Math.sqrt(Math.max(1, count)))), top: TOP, bottom: BOTTOM,
             curved: this.store.runs.rows <= CURVED_UP_TO };
  }

  /** All runs, pale, behind the selected ones: drawn once, when there is time, and then only shown. */
  private paintBack(theme: Theme, until: number): void {
    const look = { ...this.look(theme), flat: theme.faded, alpha: Math.max(0.15, Math.min(0.6, 12 / Math.sqrt(Math.max(1, this.backRows.length)))) };
    while (this.backDrawn < this.backRows.length && performance.now() < until) {
      const next = Math.min(this.backRows.length, this.backDrawn + 24);
      this.back.draw(this.backDrawn, next, look);
      this.backDrawn = next;
    }
    this.back.show();
  }

  /** One portion; as large as this machine draws within a frame. */
  private step(): void {
    if (!this.width || !this.axes.length) return;
    const t = theme.value;
    const now = performance.now();
    const frame = now - this.lastFrame;
    this.lastFrame = now;
    if (this.drawn === 0) {
      this.lines.clear();
      this.lines.setRows(this.chosen);
    }
    let to = this.drawn;
    if (this.lines.immediate) {
      do {
        const next = Math.min(this.chosen.length, to + 24);
        this.lines.draw(to, next, this.look(t));
        to = next;
      } while (to < this.chosen.length && performance.now() - now < PORTION_MS);
    } else {
      // What a graphics processor took is seen by the time between frames.
      if (frame < 200) this.portion = frame > 26 ? Math.max(400, this.portion * 0.7) : frame < 18 && this.drawn > 0 ? Math.min(20000, this.portion * 1.3) : this.portion;
      to = Math.min(this.chosen.length, to + Math.round(this.portion));
      this.lines.draw(this.drawn, to, this.look(t));
    }
    this.lines.show();
    this.drawn = to;
    if (to >= this.chosen.length) this.paintBack(t, now + PORTION_MS);
    const more = to < this.chosen.length || this.backDrawn < this.backRows.length;
    // Who takes pictures of the page waits for it.
    this.host.toggleAttribute("data-drawing", more);
    if (more) request(this.job);
  }

  /** Of many, the best once more at the end: on top. */
  private withBest(rows: Uint32Array<ArrayBuffer>): Uint32Array<ArrayBuffer> {
    if (rows.length <= 2000) return rows;
    const shade = this.store.shades("best");
    const best = rows.filter((row) => shade[row] === 63).slice(0, 600);
    const all = new Uint32Array(rows.length + best.length);
    all.set(rows);
    all.set(best, rows.length);
    return all;
  }

  private y(share: number): number {
    return TOP + (1 - share) * (this.height - TOP - BOTTOM);
  }

  share(pixel: number): number {
    return Math.min(1, Math.max(0, 1 - (pixel - TOP) / (this.height - TOP - BOTTOM)));
  }

  private trace(p: Painter, row: number, color: string, width: number, halo: string | null): void {
    const x: number[] = [], y: number[] = [];
    const curved = this.store.runs.rows <= CURVED_UP_TO;
    this.axes.forEach((axis, i) => {
      if (i && curved) {
        const before = this.axes[i - 1];
        for (let k = 1; k < 14; ++k) {
          const t = k / 14, s = t + (t * t * (3 - 2 * t) - t) * 0.72;
          x.push(before.x + (axis.x - before.x) * t);
          y.push(this.y(before.y[row] + (axis.y[row] - before.y[row]) * s));
        }
      }
      x.push(axis.x);
      y.push(this.y(axis.y[row]));
    });
    if (halo) p.line(x, y, 0, x.length, { color: halo, width: width + 3, alpha: 0.9 });
    p.line(x, y, 0, x.length, { color, width });
  }

  drawAxes(p: Painter, t: Theme): void {
    const { brushes, mask } = this.store.selection;
    const best = this.store.runs.bestRow();
    if (best >= 0 && mask.value.bits[best] && this.axes.length > 1 && this.axes[0].y.length > best) this.trace(p, best, t.best, 2, null);
    const every = this.axes.length > 1 ? (this.width - 2 * SIDE) / (this.axes.length - 1) : this.width;
    for (const axis of this.axes) {
      const { x, scale, column } = axis;
      p.line([x, x], [this.y(0), this.y(1)], 0, 2, { color: t.ink3, width: 1 });
      for (const range of brushes.value.get(column.key) ?? []) {
        const factor = column.kind === "time" ? 1000 : 1;
        const clamp = (v: number) => Math.min(1, Math.max(0, scale.map(Math.max(scale.low, Math.min(scale.high, v * factor)))));
        const a = this.y(clamp(range[0])), b = this.y(clamp(range[1]));
        p.rect(x - 8, Math.min(a, b), 16, Math.max(3, Math.abs(a - b)), { fill: t.accent, alpha: 0.28 });
        p.rect(x - 8, Math.min(a, b), 16, Math.max(3, Math.abs(a - b)), { stroke: t.accent, width: 1.5 });
      }
      const last = axis === this.axes[this.axes.length - 1] && this.axes.length > 1;
      const room = Math.max(3, Math.floor((last ? SIDE + 30 : every - 14) / 6.4));
      for (const tick of scale.ticks(scale.kind === "category" ? 24 : 6)) {
        const at = this.y(scale.map(tick.value));
        p.line([x - 3, x + 3], [at, at], 0, 2, { color: t.ink3 });
        p.text(last ? x - 7 : x + 7, at, cut(tick.label, room), { color: t.ink2, size: 11, halo: t.surface, align: last ? "right" : "left" });
      }
      if (axis.absent) p.text(x, this.y(0) + 21, "absent", { color: t.ink3, size: 10, align: "center" });
    }
  }

  private paintOver(): void {
    const ratio = Math.min(devicePixelRatio || 1, 2);
    const w = Math.round(this.width * ratio), h = Math.round(this.height * ratio);
    if (this.top.width !== w || this.top.height !== h) {
      this.top.width = w;
      this.top.height = h;
    }
    const context = this.top.getContext("2d")!;
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    context.clearRect(0, 0, this.width, this.height);
    const p = new CanvasPainter(context, ratio);
    const t = theme.value;
    this.drawAxes(p, t);
    const row = this.store.selection.hovered.value;
    if (row < 0 || !this.axes.length || row >= this.axes[0].y.length) return;
    this.trace(p, row, row === this.store.runs.bestRow() ? t.best : t.ink, 2, t.surface);
    if (this.pointer) drawTip(p, { width: this.width, height: this.height }, t, this.pointer[0], this.pointer[1], tipOf(this.store, row, []));
  }

  pointer: [number, number] | null = null;

  /** The selected row whose line passes nearest. */
  nearest(x: number, y: number): number {
    const right = this.axes.findIndex((axis) => axis.x >= x);
    if (right < 1) return -1;
    const a = this.axes[right - 1], b = this.axes[right];
    const t = (x - a.x) / (b.x - a.x);
    const curved = this.store.runs.rows <= CURVED_UP_TO;
    const s = curved ? t + (t * t * (3 - 2 * t) - t) * 0.72 : t;
    const inner = this.height - TOP - BOTTOM;
    let found = -1, distance = 9 / inner;
    const shade = this.store.shades("best");
    const want = 1 - (y - TOP) / inner;
    for (const row of this.chosen) {
      const off = Math.abs(a.y[row] + (b.y[row] - a.y[row]) * s - want);
      // Of lines that lie together the better one is meant.
      if (off < distance || (found >= 0 && Math.abs(off - distance) < 1e-3 && shade[row] > shade[found])) {
        distance = off;
        found = row;
      }
    }
    return found;
  }

  axisAt(x: number): number {
    return this.axes.findIndex((axis) => Math.abs(axis.x - x) <= GRAB);
  }

  exports(): Exports {
    const title = (p: Painter, t: Theme) => this.axes.forEach((axis) => p.text(axis.x, 6, cut(axis.column.label, 14), { color: t.ink, size: 11, align: "center", weight: 600 }));
    const picture = (): HTMLCanvasElement => {
      const canvas = document.createElement("canvas");
      canvas.width = this.lines.canvas.width;
      canvas.height = this.lines.canvas.height;
      const context = canvas.getContext("2d")!;
      if (!this.store.selection.mask.peek().all) context.drawImage(this.back.canvas, 0, 0);
      context.drawImage(this.lines.canvas, 0, 0);
      return canvas;
    };
    return {
      svg: () => {
        const t = theme.value;
        const p = new SvgPainter(this.width, this.height, t.surface);
        // Lines of a few hundred runs stay lines; more of them are a picture within the drawing.
        const shade = this.store.shades("best");
        if (this.chosen.length <= 500) for (const row of this.chosen) this.trace(p, row, t.shades[shade[row]] ?? t.faded, 1, null);
        else p.image(picture(), 0, 0, this.width, this.height);
        this.drawAxes(p, t);
        title(p, t);
        return p.toString();
      },
      canvas: () => {
        const t = theme.value;
        const canvas = picture();
        const context = canvas.getContext("2d")!;
        context.globalCompositeOperation = "destination-over";
        context.fillStyle = t.surface;
        context.fillRect(0, 0, canvas.width, canvas.height);
        context.globalCompositeOperation = "source-over";
        const ratio = canvas.width / this.width;
        context.setTransform(ratio, 0, 0, ratio, 0, 0);
        const p = new CanvasPainter(context, ratio);
        this.drawAxes(p, t);
        title(p, t);
        return canvas;
      },
    };
  }

  dispose(): void {
    forget(this.job);
    forget(this.overJob);
    this.lines.dispose();
    this.back.canvas.remove();
    this.lines.canvas.remove();
  }
}
