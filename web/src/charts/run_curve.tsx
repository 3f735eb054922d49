// SPDX-License-Identifier: Apache-2.0
// One run's curve of one metric, with what the policy compared: the run's best so far against the threshold at each interval.
import { useMemo, useRef, useState } from "preact/hooks";
import { signal } from "@preact/signals";
import { toNumber, type Goal, type Thresholds } from "../api/types";
import { abscissa, AXES, AXIS_LABELS, type Axis, type Curve } from "../data/curves";
import { number } from "../data/format";
import { Choice, Toggle } from "../components/controls";
import { drawAxes, layout, type Frame } from "./axes";
import { Chart, type Table } from "./chart";
import { extent } from "./scale";
import { drawTip } from "./tip";
import type { Drawing, PointerHandlers } from "./plot";

interface Props {
  title: string;
  class: string;
  height: number;
  curve: Curve | null;
  /** When the run began, in seconds since 1970. */
  started: number;
  thresholds: Thresholds | null;
  goal: Goal | null;
  running: boolean;
  note: string;
  file: string;
}

export function RunCurve(props: Props) {
  const { curve, title, note, thresholds, goal } = props;
  const [axis, setAxis] = useState<Axis>("report");
  const [log, setLog] = useState(false);
  const latest = useRef({ ...props, axis, log });
  latest.current = { ...props, axis, log };
  const { drawing, pointer } = useMemo(() => {
    const at = signal(-1);
    let frame: Frame | null = null;
    let px: number[] = [], py: number[] = [];
    const drawing: Drawing = {
      watch: () => {},
      draw: (p, size, theme) => {
        const { curve, thresholds, axis, log, running, goal, title, started } = latest.current;
        if (!curve) return;
        const x = abscissa(curve, axis, started);
        const bound = axis === "report" && thresholds ? thresholds.threshold.map(toNumber) : [];
        const all = [...Array.from(curve.value), ...bound].filter((v) => Number.isFinite(v) && (!log || v > 0));
        const [low, high] = extent(all);
        const [xLow, xHigh] = extent(x);
        const f = (frame = layout(size, { kind: axis === "time" ? "time" : axis === "elapsed" || axis === "compute" ? "duration" : "linear", low: xLow, high: xHigh, label: AXIS_LABELS[axis], pad: 0.01 },
          { kind: log ? "log" : "linear", low, high, label: title + (goal ? (goal === "Minimize" ? "  ↓ better" : "  ↑ better") : ""), pad: 0.06 }));
        drawAxes(p, f, theme);
        px = Array.from(x, f.x.map);
        py = Array.from(curve.value, f.y.map);
        p.clip(f.left, f.top - 2, f.width + 6, f.height + 4, () => {
          if (thresholds && axis === "report") {
            const tx = thresholds.places.map(f.x.map);
            // A policy need not look at each report: the line goes from where it looked to where it looked next.
            const looked = bound.flatMap((value, i) => (Number.isNaN(value) ? [] : [i]));
            const lx = looked.map((i) => tx[i]), ly = looked.map((i) => f.y.map(bound[i]));
            // On this side of the threshold a run is stopped.
            const edge = goal === "Minimize" ? f.top : f.top + f.height;
            if (lx.length) p.area([lx[0], edge, ...lx.flatMap((x, i) => [x, ly[i]]), lx[lx.length - 1], edge], { fill: theme.status[3], alpha: theme.dark ? 0.14 : 0.07 });
            p.line(lx, ly, 0, lx.length, { color: theme.status[3], width: 1.5 });
            // One look alone makes no line.
            if (lx.length && lx.length <= 12) lx.forEach((x, i) => p.circle(x, ly[i], 2.5, { fill: theme.status[3] }));
            p.line(tx, thresholds.own.map((v) => f.y.map(toNumber(v))), 0, tx.length, { color: theme.accent, width: 2 });
          }
          p.line(px, py, 0, px.length, { color: goal ? theme.ink3 : theme.shades[40], width: goal && thresholds ? 1 : 1.75, alpha: goal && thresholds ? 0.8 : 1 });
          const end = px.length - 1;
          if (end >= 0) p.circle(px[end], py[end], running ? 4 : 3, { fill: running ? theme.status[1] : theme.ink, stroke: theme.surface, width: 1.5 });
        });
      },
      watchOver: () => void at.value,
      over: (p, size, theme) => {
        const { curve, thresholds } = latest.current;
        const i = at.value;
        if (!frame || !curve || i < 0 || i >= px.length) return;
        p.line([px[i], px[i]], [frame.top, frame.top + frame.height], 0, 2, { color: theme.line2 });
        p.circle(px[i], py[i], 4, { fill: theme.ink, stroke: theme.surface, width: 1.5 });
        const lines: [string, string][] = [[title, number(curve.value[i], 6)]];
        if (!Number.isNaN(curve.step[i] ?? NaN)) lines.push(["step", number(curve.step[i], 8)]);
        const place = thresholds?.places.indexOf(curve.place[i]) ?? -1;
        if (thresholds && place >= 0) lines.push(["best so far", number(toNumber(thresholds.own[place]), 5)], ["threshold", thresholds.threshold[place] === null ? "–" : number(toNumber(thresholds.threshold[place]), 5)]);
        drawTip(p, size, theme, px[i], py[i], { title: `Report ${curve.place[i]}`, lines });
      },
    };
    const pointer: PointerHandlers = {
      move: (x) => {
        let found = -1, distance = Infinity;
        px.forEach((v, i) => { if (Math.abs(v - x) < distance) [distance, found] = [Math.abs(v - x), i]; });
        at.value = found;
      },
      leave: () => (at.value = -1),
    };
    return { drawing, pointer };
  }, []);
  const table = (): Table => ({ columns: ["report", "step", title, "time"],
    rows: curve ? Array.from(curve.value, (value, i) => [curve.place[i], curve.step[i], value, new Date(curve.time[i] * 1000).toISOString()]) : [] });
  return (
    <Chart title={title} about={note} class={props.class} height={props.height} drawing={drawing} pointer={pointer} table={table} file={props.file}
           state={curve && curve.value.length ? "ready" : { empty: "Nothing was reported." }}
           controls={<><Choice label="Horizontal axis" value={axis} options={AXES} onChange={(v) => setAxis(v as Axis)} /><Toggle text="log" on={log} onChange={setLog} /></>}
           legend={<>{goal && thresholds && axis === "report" && <><span><i class="key accent" />best so far</span><span><i class="key failed" />threshold</span></>}<span class="hint">{note}</span></>} />
  );
}
