// SPDX-License-Identifier: Apache-2.0
// Runs as points over two columns: what history, scatter and slices have in common. Dragging brushes both columns (or one), hovering
// shows the run everywhere, a click opens it.
import { useMemo, useRef } from "preact/hooks";
import { NONE } from "../data/ranks";
import type { Column } from "../data/runs";
import type { SweepStore } from "../data/sweep_store";
import { go } from "../components/router";
import { drawAxes, layout, type AxisSpec, type Frame } from "./axes";
import type { Drawing, PointerHandlers, Size } from "./plot";
import { extent, robustExtent, type ScaleKind } from "./scale";
import type { Theme } from "./theme";
import type { Painter } from "./painter";
import { drawTip, tipOf } from "./tip";

export interface CloudOptions {
  store: SweepStore;
  xKey: string;
  yKey: string;
  colorKey: string;
  xLog?: boolean;
  yLog?: boolean;
  compact?: boolean;
  brush: "both" | "x" | "y";
  /** Keeps values that diverged from flattening all others. */
  robust?: boolean;
  /** Whether runs are drawn as points (or only found under the pointer). */
  points?: boolean;
  under?(p: Painter, frame: Frame, theme: Theme): void;
}

export function kindOf(column: Column, log: boolean): ScaleKind {
  if (column.categories) return "category";
  if (column.kind === "time") return "time";
  if (column.kind === "duration") return "duration";
  if (log) return "log";
  return column.kind === "integer" ? "integer" : "linear";
}

const toMillis = (column: Column, value: number) => (column.kind === "time" ? value * 1000 : value);

export function axisOf(store: SweepStore, column: Column, log: boolean, robust: boolean): AxisSpec {
  const { rows } = store.runs;
  const positive = log && column.kind !== "time";
  let [low, high] = store.once(`extent ${column.key}${robust && column.key === "best" ? "" : positive ? " positive" : " all"}`,
    () => (robust && column.key === "best" ? robustExtent(column.data, rows) : extent(column.data, rows, positive)));
  if (positive && low <= 0) [low, high] = extent(column.data, rows, true);
  const arrow = column.key === "best" ? (store.runs.goal === "Minimize" ? "  ↓ better" : "  ↑ better") : "";
  return { kind: kindOf(column, log), low: toMillis(column, low), high: toMillis(column, high), label: column.label + arrow, categories: column.categories };
}

/** Deterministic scatter within a category's band, so that points of one category are not one point. */
export function jitter(row: number): number {
  const x = Math.sin(row * 12.9898 + 4.1414) * 43758.5453;
  return (x - Math.floor(x) - 0.5) * 0.5;
}

export function useCloud(options: CloudOptions): { drawing: Drawing; pointer: PointerHandlers } {
  const { store } = options;
  const latest = useRef(options);
  latest.current = options;
  const cache = useRef({ px: new Float32Array(0), py: new Float32Array(0), frame: null as Frame | null, colors: new Uint8Array(0), signature: "" }).current;
  const box = useRef<{ x0: number; y0: number; x1: number; y1: number } | null>(null);

  return useMemo(() => {
    const place = (size: Size): Frame | null => {
      const { xKey, yKey, xLog = false, yLog = false, robust = true, compact = false } = latest.current;
      const x = store.runs.column(xKey), y = store.runs.column(yKey);
      if (!x || !y) return null;
      const signature = [store.runs.version.value, size.width, size.height, xKey, yKey, xLog, yLog, robust, compact].join();
      if (cache.frame && signature === cache.signature) return cache.frame;
      cache.signature = signature;
      const frame = layout(size, axisOf(store, x, xLog, robust), axisOf(store, y, yLog, robust), compact);
      const { rows } = store.runs;
      if (cache.px.length < rows) {
        cache.px = new Float32Array(Math.ceil(rows * 1.2));
        cache.py = new Float32Array(cache.px.length);
        cache.colors = new Uint8Array(cache.px.length);
      }
      const xFactor = x.kind === "time" ? 1000 : 1, yFactor = y.kind === "time" ? 1000 : 1;
      for (let i = 0; i < rows; ++i) {
        cache.px[i] = frame.x.map(x.data[i] * xFactor + (x.categories ? jitter(i) : 0));
        cache.py[i] = frame.y.map(y.data[i] * yFactor + (y.categories ? jitter(i + 7) : 0));
      }
      cache.frame = frame;
      return frame;
    };

    const draw = (p: Painter, size: Size, theme: Theme) => {
      const { colorKey, under, compact = false, yKey } = latest.current;
      const frame = place(size);
      if (!frame) return;
      drawAxes(p, frame, theme, compact);
      under?.(p, frame, theme);
      const mask = store.selection.mask.value;
      const { rows } = store.runs;
      const ranked = store.shades(colorKey);
      const colors = cache.colors;
      const radius = rows > 20000 ? 1.1 : rows > 2000 ? 1.6 : compact ? 2.2 : 3;
      const shown = latest.current.points ?? true;
      p.clip(frame.left - 4, frame.top - 5, frame.width + 8, frame.height + 9, () => {
        if (shown && mask.count < rows) {
          for (let i = 0; i < rows; ++i) colors[i] = mask.bits[i] ? NONE : 0;
          p.points({ x: cache.px, y: cache.py, color: colors, colors: [theme.faded], count: rows, radius, alpha: 0.7 });
        }
        for (let i = 0; i < rows; ++i) colors[i] = mask.bits[i] ? ranked[i] : NONE;
        if (shown) p.points({ x: cache.px, y: cache.py, color: colors, colors: theme.shades, count: rows, radius, alpha: rows > 20000 ? 0.8 : 0.9 });
        const best = yKey === "best" || latest.current.xKey === "best" || colorKey === "best" ? store.runs.bestRow() : -1;
        if (best >= 0 && Number.isFinite(cache.px[best] + cache.py[best])) p.circle(cache.px[best], cache.py[best], compact ? 3.5 : 5, { fill: theme.best, stroke: theme.surface, width: 1.5 });
      });
    };

    const nearest = (x: number, y: number): number => {
      const { bits } = store.selection.mask.value;
      let found = -1, distance = 18 * 18;
      for (let i = 0; i < Math.min(store.runs.rows, bits.length); ++i) {
        if (!bits[i]) continue;
        const dx = cache.px[i] - x, dy = cache.py[i] - y;
        const d = dx * dx + dy * dy;
        if (d < distance) {
          distance = d;
          found = i;
        }
      }
      return found;
    };

    const over = (p: Painter, size: Size, theme: Theme) => {
      const { frame } = cache;
      if (!frame) return;
      const b = box.current;
      if (b)
        p.rect(Math.min(b.x0, b.x1), Math.min(b.y0, b.y1), Math.abs(b.x1 - b.x0), Math.abs(b.y1 - b.y0),
               { fill: theme.accent, stroke: theme.accent, alpha: 0.16 });
      const row = store.selection.hovered.value;
      if (row < 0 || row >= store.runs.rows) return;
      const x = cache.px[row], y = cache.py[row];
      if (!(x >= frame.left - 6 && x <= frame.left + frame.width + 6 && y >= frame.top - 8 && y <= frame.top + frame.height + 8)) return;
      p.circle(x, y, 6, { stroke: theme.ink, width: 1.5 });
      p.circle(x, y, 2.5, { fill: theme.ink });
      if (!latest.current.compact) drawTip(p, size, theme, x, y, tipOf(store, row, [latest.current.xKey, latest.current.yKey]));
    };

    const pointer: PointerHandlers = {
      move: (x, y) => (store.selection.hovered.value = nearest(x, y)),
      leave: () => (store.selection.hovered.value = -1),
      cursor: (x, y) => (nearest(x, y) >= 0 ? "pointer" : "crosshair"),
      down: (x, y) => (box.current = { x0: x, y0: y, x1: x, y1: y }),
      drag: (x, y) => {
        const { frame } = cache;
        const b = box.current;
        if (!frame || !b) return;
        const { brush } = latest.current;
        Object.assign(b, { x1: Math.max(frame.left, Math.min(x, frame.left + frame.width)), y1: Math.max(frame.top, Math.min(y, frame.top + frame.height)) });
        if (brush === "x") Object.assign(b, { y0: frame.top, y1: frame.top + frame.height });
        if (brush === "y") Object.assign(b, { x0: frame.left, x1: frame.left + frame.width });
        apply();
      },
      up: (x, y, moved) => {
        const was = box.current;
        box.current = null;
        if (!was) return;
        if (moved) {
          store.selection.hovered.value = -1;
          return;
        }
        const row = nearest(x, y);
        if (row >= 0) go(`#/sweeps/${store.id}/runs/${store.runs.number(row)}`);
        else store.selection.set([[latest.current.xKey, []], [latest.current.yKey, []]]);
      },
    };

    const apply = () => {
      const { frame } = cache;
      const b = box.current;
      if (!frame || !b) return;
      const { brush, xKey, yKey } = latest.current;
      const xFactor = store.runs.column(xKey)?.kind === "time" ? 1000 : 1;
      const yFactor = store.runs.column(yKey)?.kind === "time" ? 1000 : 1;
      const range = (a: number, c: number, factor: number): [number, number] => [Math.min(a, c) / factor, Math.max(a, c) / factor];
      const changes: [string, [number, number][]][] = [];
      if (brush !== "y") changes.push([xKey, [range(frame.x.invert(b.x0), frame.x.invert(b.x1), xFactor)]]);
      if (brush !== "x") changes.push([yKey, [range(frame.y.invert(b.y0), frame.y.invert(b.y1), yFactor)]]);
      store.selection.set(changes);
    };

    const drawing: Drawing = {
      watch: () => {
        store.runs.version.value;
        store.selection.mask.value;
      },
      draw,
      watchOver: () => void store.selection.hovered.value,
      over,
    };
    return { drawing, pointer };
  }, [store]);
}
