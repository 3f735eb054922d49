// SPDX-License-Identifier: Apache-2.0
// Runs as points in three dimensions, turned by dragging. Projected here and drawn far ones first: 10^5 points take a few milliseconds,
// with or without a graphics processor.
import { useMemo, useRef } from "preact/hooks";
import { signal } from "@preact/signals";
import { NONE } from "../data/ranks";
import type { SweepStore } from "../data/sweep_store";
import { go } from "../components/router";
import { axisOf, jitter } from "./cloud";
import type { Painter } from "./painter";
import type { Drawing, PointerHandlers, Size } from "./plot";
import { makeScale, type Scale } from "./scale";
import type { Theme } from "./theme";
import { drawTip, tipOf } from "./tip";
import { cut } from "./axes";

type Vector = [number, number, number];

export function rotation(yaw: number, pitch: number): (v: Vector) => Vector {
  const cy = Math.cos(yaw), sy = Math.sin(yaw), cp = Math.cos(pitch), sp = Math.sin(pitch);
  return ([x, y, z]) => {
    const x1 = x * cy + z * sy, z1 = -x * sy + z * cy;
    return [x1, y * cp - z1 * sp, y * sp + z1 * cp];
  };
}

const CORNERS: Vector[] = [[-1, -1, -1], [1, -1, -1], [1, -1, 1], [-1, -1, 1], [-1, 1, -1], [1, 1, -1], [1, 1, 1], [-1, 1, 1]];
const EDGES = [[0, 1], [1, 2], [2, 3], [3, 0], [4, 5], [5, 6], [6, 7], [7, 4], [0, 4], [1, 5], [2, 6], [3, 7]];
const LAYERS = 128;

export function useSpace(options: { store: SweepStore; keys: [string, string, string]; colorKey: string }): { drawing: Drawing; pointer: PointerHandlers } {
  const { store } = options;
  const latest = useRef(options);
  latest.current = options;
  return useMemo(() => {
    const view = signal({ yaw: 0.7, pitch: 0.42 });
    let px = new Float32Array(0), py = new Float32Array(0), dx = new Float32Array(0), dy = new Float32Array(0), colors = new Uint8Array(0), layer = new Uint8Array(0), sorted = new Uint32Array(0);
    let start = { x: 0, y: 0, yaw: 0, pitch: 0 };

    const draw = (p: Painter, size: Size, theme: Theme) => {
      const { keys, colorKey } = latest.current;
      const { runs } = store;
      const columns = keys.map((key) => runs.column(key)!);
      if (columns.some((column) => !column)) return;
      const specs = columns.map((column) => axisOf(store, column, column.log, true));
      const scales = specs.map((spec): Scale => makeScale(spec.kind, spec.low, spec.high, -1, 1, spec.categories ?? []));
      const { yaw, pitch } = view.value;
      const turn = rotation(yaw, pitch);
      const reach = Math.min(size.width, size.height) * 0.3, cx = size.width / 2, cyy = size.height / 2;
      // A little perspective tells near from far.
      const project = (v: Vector): Vector => {
        const [x, y, z] = turn(v);
        const near = 4.2 / (4.2 - z * 0.8);
        return [cx + x * reach * near, cyy - y * reach * near, z];
      };
      const corners = CORNERS.map(project);
      const farthest = corners.reduce((far, corner, i) => (corner[2] < corners[far][2] ? i : far), 0);
      const edge = ([a, b]: number[], front: boolean) => {
        const back = a === farthest || b === farthest;
        if (back !== front) p.line([corners[a][0], corners[b][0]], [corners[a][1], corners[b][1]], 0, 2, { color: back ? theme.line2 : theme.line });
      };
      EDGES.forEach((e) => edge(e, false));
      const { rows } = runs;
      if (px.length < rows) {
        const room = Math.ceil(rows * 1.2);
        [px, py, dx, dy] = [0, 0, 0, 0].map(() => new Float32Array(room));
        colors = new Uint8Array(room);
        layer = new Uint8Array(room);
        sorted = new Uint32Array(room);
      }
      const mask = store.selection.mask.value;
      const shades = store.shades(colorKey);
      const cos = Math.cos(yaw), sin = Math.sin(yaw), cp = Math.cos(pitch), sp = Math.sin(pitch);
      const [X, Y, Z] = columns.map((column) => column.data);
      const [fx, fy, fz] = columns.map((column) => (column.kind === "time" ? 1000 : 1));
      const [jx, jy, jz] = columns.map((column) => Boolean(column.categories));
      const counts = new Uint32Array(LAYERS + 1);
      for (let i = 0; i < rows; ++i) {
        const x = scales[0].map(X[i] * fx + (jx ? jitter(i) : 0)), y = scales[2].map(Z[i] * fz + (jz ? jitter(i + 3) : 0)), z = scales[1].map(Y[i] * fy + (jy ? jitter(i + 7) : 0));
        const x1 = x * cos + z * sin, z1 = -x * sin + z * cos, y2 = y * cp - z1 * sp, z2 = y * sp + z1 * cp;
        const near = 4.2 / (4.2 - z2 * 0.8);
        dx[i] = cx + x1 * reach * near;
        dy[i] = cyy - y2 * reach * near;
        layer[i] = Math.max(0, Math.min(LAYERS - 1, ((z2 + 1.8) / 3.6) * LAYERS)) | 0;
        counts[layer[i] + 1]++;
      }
      for (let k = 0; k < LAYERS; ++k) counts[k + 1] += counts[k];
      for (let i = 0; i < rows; ++i) sorted[counts[layer[i]]++] = i;
      const palette = [...theme.shades, theme.faded];
      for (let k = 0; k < rows; ++k) {
        const i = sorted[k];
        px[k] = dx[i];
        py[k] = dy[i];
        colors[k] = !mask.bits[i] ? 64 : shades[i] === NONE ? NONE : shades[i];
      }
      p.points({ x: px, y: py, color: colors, colors: palette, count: rows, radius: rows > 20000 ? 1.1 : rows > 2000 ? 1.6 : 3, alpha: 0.9 });
      const best = runs.bestRow();
      if (best >= 0 && mask.bits[best]) p.circle(dx[best], dy[best], 5, { fill: theme.best, stroke: theme.surface, width: 1.5 });
      EDGES.forEach((e) => edge(e, true));
      // Each axis is named at the middle of the edge that lies lowest, or leftmost for the upright one.
      const name = (edges: number[][], text: string, upright = false) => {
        const middle = edges.map(([a, b]) => [(corners[a][0] + corners[b][0]) / 2, (corners[a][1] + corners[b][1]) / 2]);
        const [x, y] = middle.reduce((far, m) => ((upright ? m[0] < far[0] : m[1] > far[1]) ? m : far));
        p.text(x + (upright ? -8 : x > cx ? 10 : -10), y + (upright ? 0 : 12), cut(text, 18), { color: theme.ink2, size: 11, weight: 500, align: upright ? "right" : x > cx ? "left" : "right", halo: theme.surface });
      };
      name([[0, 1], [2, 3]], columns[0].label);
      name([[1, 2], [3, 0]], columns[1].label);
      name([[0, 4], [1, 5], [2, 6], [3, 7]], columns[2].label, true);
    };

    const nearest = (x: number, y: number): number => {
      let found = -1, distance = 14 * 14;
      const { bits } = store.selection.mask.value;
      for (let i = 0; i < Math.min(store.runs.rows, dx.length); ++i) {
        const d = (dx[i] - x) ** 2 + (dy[i] - y) ** 2;
        if (d < distance && bits[i]) {
          distance = d;
          found = i;
        }
      }
      return found;
    };
    const drawing: Drawing = {
      watch: () => { store.runs.version.value; store.selection.mask.value; view.value; },
      draw,
      watchOver: () => void store.selection.hovered.value,
      over: (p, size, theme) => {
        const row = store.selection.hovered.value;
        if (row < 0 || row >= dx.length) return;
        p.circle(dx[row], dy[row], 6, { stroke: theme.ink, width: 1.5 });
        drawTip(p, size, theme, dx[row], dy[row], tipOf(store, row, latest.current.keys));
      },
    };
    const pointer: PointerHandlers = {
      move: (x, y) => (store.selection.hovered.value = nearest(x, y)),
      leave: () => (store.selection.hovered.value = -1),
      cursor: (x, y) => (nearest(x, y) >= 0 ? "pointer" : "grab"),
      down: (x, y) => (start = { x, y, ...view.value }),
      drag: (x, y) => (view.value = { yaw: start.yaw + (x - start.x) / 150, pitch: Math.max(-1.4, Math.min(1.4, start.pitch + (y - start.y) / 150)) }),
      up: (x, y, moved) => {
        const row = moved ? -1 : nearest(x, y);
        if (row >= 0) go(`#/sweeps/${store.id}/runs/${store.runs.number(row)}`);
      },
    };
    return { drawing, pointer };
  }, [store]);
}
