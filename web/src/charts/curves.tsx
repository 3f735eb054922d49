// SPDX-License-Identifier: Apache-2.0
// Metric curves of all runs on one chart. Those that were stopped or brushed away fade, the envelope says where the middle of all runs
// lies, and the orange line is the best that any run had reached so far. Dragging zooms, with Shift it moves what is seen, a double click
// zooms out.
import { useMemo, useRef, useState } from "preact/hooks";
import { signal } from "@preact/signals";
import { abscissa, AXES, AXIS_LABELS, running, smooth, type Axis, type Curve } from "../data/curves";
import { NONE } from "../data/ranks";
import { RUNNING, STOPPED } from "../data/runs";
import type { SweepStore } from "../data/sweep_store";
import { Choice, Toggle } from "../components/controls";
import { go } from "../components/router";
import { drawAxes, layout, type Frame } from "./axes";
import { Chart, type Table } from "./chart";
import type { Drawing, PointerHandlers, Size } from "./plot";
import type { Painter } from "./painter";
import type { Theme } from "./theme";
import { drawTip, tipOf } from "./tip";
import { count, number } from "../data/format";
import { quantile } from "./scale";

interface Line {
  row: number;
  run: number;
  x: ArrayLike<number>;
  y: ArrayLike<number>;
  px: Float32Array;
  py: Float32Array;
}

interface Zoom { x: [number, number]; y: [number, number] }

export function Curves({ store, class: className, height = 360 }: { store: SweepStore; class?: string; height?: number }) {
  const detail = store.detail.value!;
  const names = detail.metrics.length ? detail.metrics.map((metric) => metric.name) : [detail.metric];
  const [metric, setMetric] = useState(names.includes(detail.metric) ? detail.metric : names[0]);
  const [axis, setAxis] = useState<Axis>("report");
  const [logY, setLogY] = useState(false);
  const [logX, setLogX] = useState(false);
  const [band, setBand] = useState(true);
  const [weight, setWeight] = useState(0);
  const state = store.curves(metric);
  const options = useRef({ metric, axis, logY, logX, band, weight, state });
  options.current = { metric, axis, logY, logX, band, weight, state };
  const zoom = useMemo(() => signal<Zoom | null>(null), []);
  const goal = detail.goal;

  const { drawing, pointer } = useMemo(() => {
    let lines: Line[] = [];
    let frame: Frame | null = null;
    let made = { curves: null as unknown, axis: "", weight: -1 };
    let box: [number, number, number, number] | null = null;
    let pan: { from: [number, number]; frame: Frame } | null = null;

    const prepare = (): void => {
      const { state, axis, weight } = options.current;
      const { curves } = state.value;
      if (made.curves === curves && made.axis === axis && made.weight === weight) return;
      made = { curves, axis, weight };
      const started = store.runs.data("started");
      lines = (curves?.list ?? []).map((curve: Curve) => ({
        row: store.runs.row(curve.run), run: curve.run, x: abscissa(curve, axis, started[store.runs.row(curve.run)]), y: weight ? smooth(curve.value, weight) : curve.value,
        px: new Float32Array(curve.value.length), py: new Float32Array(curve.value.length),
      }));
    };

    // What the lines reach over, looked for anew only where they are others: a zoomed chart is drawn at each step of the hand.
    let reached = { lines, logX: false, logY: false, x: [0, 1], y: [0, 1] };
    const reach = () => {
      const { logX, logY } = options.current;
      if (reached.lines === lines && reached.logX === logX && reached.logY === logY) return reached;
      let xLow = Infinity, xHigh = -Infinity, size = 0;
      const sorted = new Float64Array(lines.reduce((sum, line) => sum + line.y.length, 0));
      for (const line of lines)
        for (let i = 0; i < line.y.length; ++i) {
          const x = line.x[i], y = line.y[i];
          if (Number.isFinite(x) && (!logX || x > 0)) {
            if (x < xLow) xLow = x;
            if (x > xHigh) xHigh = x;
          }
          if (Number.isFinite(y) && (!logY || y > 0)) sorted[size++] = y;
        }
      const values = sorted.subarray(0, size).sort();
      const q1 = quantile(values, 0.03), q3 = quantile(values, 0.97), beyond = (q3 - q1) * 1.2;
      const y = logY ? [values[0], values[size - 1]] : [Math.max(values[0], q1 - beyond), Math.min(values[size - 1], q3 + beyond)];
      return (reached = { lines, logX, logY, x: [xLow, xHigh], y });
    };

    const place = (size: Size): Frame => {
      const { axis, logX, logY, metric } = options.current;
      let { x: [xLow, xHigh], y: [low, high] } = reach();
      const z = zoom.value;
      if (z) [xLow, xHigh, low, high] = [...z.x, ...z.y];
      const arrow = metric === store.runs.metric ? (goal === "Minimize" ? "  ↓ better" : "  ↑ better") : "";
      return layout(size,
        { kind: axis === "time" ? "time" : axis === "elapsed" || axis === "compute" ? "duration" : logX ? "log" : "linear", low: xLow, high: xHigh, label: AXIS_LABELS[axis], pad: z ? 0 : 0.01 },
        { kind: logY ? "log" : "linear", low, high, label: metric + arrow, pad: z ? 0 : 0.04 });
    };

    const draw = (p: Painter, size: Size, theme: Theme) => {
      prepare();
      const f = (frame = place(size));
      drawAxes(p, f, theme);
      const mask = store.selection.mask.value;
      const ranked = store.shades("best");
      const status = store.runs.data("status");
      const best = store.runs.bestRow();
      const few = lines.length < 40;
      const kept: Line[] = [], faded: Line[] = [], live: Line[] = [];
      let bestLine: Line | null = null;
      for (const line of lines) {
        for (let i = 0; i < line.px.length; ++i) {
          line.px[i] = f.x.map(line.x[i]);
          line.py[i] = f.y.map(line.y[i]);
        }
        const { row } = line;
        if (row === best && mask.bits[row]) bestLine = line;
        else if (row < 0 || !mask.bits[row]) {
          if (mask.all) kept.push(line);
        } else if (status[row] === STOPPED) faded.push(line);
        else if (status[row] === RUNNING) live.push(line);
        else kept.push(line);
      }
      const alpha = few ? 0.9 : Math.max(0.25, Math.min(0.75, 90 / lines.length));
      const color = (line: Line) => (ranked[line.row] === NONE || line.row < 0 ? theme.faded : theme.shades[ranked[line.row]]);
      p.clip(f.left, f.top - 2, f.width + 2, f.height + 3, () => {
        for (const line of faded) {
          stroke(p, line, theme.faded, 1, Math.max(0.5, alpha));
          const end = line.px.length - 1;
          if (few) p.circle(line.px[end], line.py[end], 2, { fill: theme.status[STOPPED] });
        }
        kept.sort((a, b) => (ranked[a.row] ?? 0) - (ranked[b.row] ?? 0));
        for (const line of kept) stroke(p, line, color(line), few ? 1.5 : 1, alpha);
        drawBand(p, f, theme);
        for (const line of live) {
          stroke(p, line, theme.status[RUNNING], 1.4, 0.9);
          const end = line.px.length - 1;
          if (end >= 0) p.circle(line.px[end], line.py[end], 3, { fill: theme.status[RUNNING], stroke: theme.surface, width: 1.5 });
        }
        if (bestLine) stroke(p, bestLine, theme.best, 2, 1);
      });
    };

    const drawBand = (p: Painter, f: Frame, theme: Theme) => {
      const { state, band, axis, metric } = options.current;
      const envelope = state.value.curves?.envelope;
      if (!band || !envelope || axis !== "report") return;
      const x = envelope.place.map((place) => f.x.map(place));
      p.line(x, envelope.median.map(f.y.map), 0, x.length, { color: theme.ink2, width: 1.25, dash: [5, 4] });
      if (metric === store.runs.metric)
        p.line(x, running(envelope.best, goal).map(f.y.map), 0, x.length, { color: theme.best, width: 1.25, dash: [2, 3] });
    };

    const nearest = (x: number, y: number): Line | null => {
      const { bits, all } = store.selection.mask.value;
      let found: Line | null = null, distance = 20 * 20;
      for (const line of lines) {
        if (!all && !(line.row >= 0 && bits[line.row])) continue;
        for (let i = 0; i < line.px.length; ++i) {
          const dx = line.px[i] - x;
          if (dx > 20) break;
          if (dx < -20 && line.px.length > i + 1 && line.px[i + 1] < x - 20) continue;
          let dy = line.py[i] - y;
          let near = dx * dx + dy * dy;
          if (i + 1 < line.px.length && line.px[i] <= x && line.px[i + 1] >= x) {
            // Between two points the line is what the eye follows.
            const share = (x - line.px[i]) / Math.max(1e-6, line.px[i + 1] - line.px[i]);
            dy = line.py[i] + (line.py[i + 1] - line.py[i]) * share - y;
            near = Math.min(near, dy * dy);
          }
          if (near < distance) {
            distance = near;
            found = line;
          }
        }
      }
      return found;
    };

    let at: [number, number] = [0, 0];
    const over = (p: Painter, size: Size, theme: Theme) => {
      if (box && frame) p.rect(Math.min(box[0], box[2]), Math.min(box[1], box[3]), Math.abs(box[2] - box[0]), Math.abs(box[3] - box[1]),
                               { fill: theme.accent, stroke: theme.accent, alpha: 0.16 });
      const row = store.selection.hovered.value;
      if (row < 0 || !frame) return;
      const line = lines.find((one) => one.row === row);
      if (!line) return;
      const f = frame;
      p.clip(f.left, f.top - 2, f.width + 2, f.height + 3, () => {
        stroke(p, line, theme.surface, 5, 0.9);
        stroke(p, line, row === store.runs.bestRow() ? theme.best : theme.ink, 2, 1);
      });
      let i = line.px.length - 1;
      if (at[0] > f.left) while (i > 0 && line.px[i] > at[0]) --i;
      p.circle(line.px[i], line.py[i], 3.5, { fill: theme.ink, stroke: theme.surface, width: 1.5 });
      const tip = tipOf(store, row, []);
      tip.lines = [[`${options.current.metric}`, number(line.y[i], 5)], [options.current.axis === "step" ? "step" : "report", String(i + 1)], ...tip.lines];
      drawTip(p, size, theme, line.px[i], line.py[i], tip);
    };

    const pointer: PointerHandlers = {
      move: (x, y) => {
        at = [x, y];
        store.selection.hovered.value = nearest(x, y)?.row ?? -1;
      },
      leave: () => {
        at = [0, 0];
        store.selection.hovered.value = -1;
      },
      cursor: (x, y) => (nearest(x, y) ? "pointer" : "crosshair"),
      down: (x, y, event) => {
        // With Shift the picture goes along with the hand, else a part of it is marked.
        if (event.shiftKey && frame) pan = { from: [x, y], frame };
        else box = [x, y, x, y];
      },
      drag: (x, y) => {
        if (pan) {
          const { frame: f, from } = pan;
          const dx = x - from[0], dy = y - from[1];
          zoom.value = { x: [f.x.invert(f.left - dx), f.x.invert(f.left + f.width - dx)], y: [f.y.invert(f.top + f.height - dy), f.y.invert(f.top - dy)] };
          return;
        }
        if (box) box = [box[0], box[1], x, y];
        store.selection.hovered.value = store.selection.hovered.value === -1 ? -2 : -1; // draws the upper layer again
      },
      up: (x, y, moved) => {
        const was = box;
        box = pan = null;
        store.selection.hovered.value = -1;
        if (!was || !frame) return;
        if (!moved) {
          const line = nearest(x, y);
          if (line) go(`#/sweeps/${store.id}/runs/${line.run}`);
          return;
        }
        if (Math.abs(x - was[0]) < 8 || Math.abs(y - was[1]) < 8) return;
        const sort = (a: number, b: number): [number, number] => (a < b ? [a, b] : [b, a]);
        zoom.value = { x: sort(frame.x.invert(was[0]), frame.x.invert(x)), y: sort(frame.y.invert(was[1]), frame.y.invert(y)) };
      },
      double: () => (zoom.value = null),
    };
    const drawing: Drawing = {
      watch: () => {
        options.current.state.value;
        store.runs.version.value;
        store.selection.mask.value;
        zoom.value;
      },
      draw,
      watchOver: () => void store.selection.hovered.value,
      over,
    };
    return { drawing, pointer };
    // The drawing watches one metric's curves: another metric makes another.
  }, [store, metric]);

  const { curves, error } = state.value;
  const table = (): Table => ({
    columns: ["run", "report", "step", metric, "compute", "time"],
    rows: (curves?.list ?? []).flatMap((curve) => {
      const trained = abscissa(curve, "compute", store.runs.data("started")[store.runs.row(curve.run)]);
      return Array.from(curve.value, (value, i) => [curve.run, curve.place[i], curve.step[i], value, trained[i], new Date(curve.time[i] * 1000).toISOString()]);
    }),
  });
  return (
    <Chart key={metric} title="Curves" about={`${metric} of the runs over ${axis}; stopped runs are faded, running ones are blue, the best is orange. Drag to zoom, with Shift to move; a double click zooms out.`} class={className}
           height={height} drawing={drawing} pointer={pointer} table={table} file={`${store.id}-${metric}`}
           state={error ? { error } : !curves ? { loading: "Curves are on their way" } : !curves.list.length ? { empty: `No run has reported ${metric} yet.` } : "ready"}
           controls={<>
             {zoom.value && <button type="button" class="toggle" onClick={() => (zoom.value = null)}>zoom out</button>}
             {names.length > 1 && <Choice label="Metric" value={metric} options={names.map((name) => [name, name])} onChange={setMetric} />}
             <Choice label="Horizontal axis" value={axis} options={AXES}
                     onChange={(value) => { zoom.value = null; setAxis(value as Axis); }} />
             <Choice label="Smoothing" value={String(weight)} options={[["0", "raw"], ["0.6", "smooth"], ["0.85", "smoother"], ["0.95", "smoothest"]]}
                     onChange={(value) => setWeight(Number(value))} />
             <Toggle text="log x" on={logX} onChange={setLogX} />
             <Toggle text="log y" on={logY} onChange={setLogY} />
             <Toggle text="envelope" title="The median of all runs, and the best so far" on={band} onChange={setBand} />
           </>}
           legend={curves && <>
             <span><i class="key best" />best run</span>
             <span><i class="key running" />running</span>
             <span><i class="key stopped" />stopped early</span>
             {band && axis === "report" && <span><i class="key dashed" />median</span>}
             {curves.list.length < curves.of && <span class="hint">{count(curves.list.length)} of {count(curves.of)} curves: {curves.chosen}</span>}
           </>} />
  );
}

function stroke(p: Painter, line: { px: Float32Array; py: Float32Array }, color: string, width: number, alpha: number): void {
  if (line.px.length === 1) p.circle(line.px[0], line.py[0], width + 0.5, { fill: color, alpha });
  else p.line(line.px, line.py, 0, line.px.length, { color, width, alpha });
}
