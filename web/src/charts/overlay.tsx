// SPDX-License-Identifier: Apache-2.0
// A few named lines over each other, each named at its end: what comparisons draw.
import { useMemo, useRef } from "preact/hooks";
import { signal } from "@preact/signals";
import type { ComponentChildren } from "preact";
import { number } from "../data/format";
import { cut, drawAxes, layout, type AxisSpec, type Frame } from "./axes";
import { Chart, type Table } from "./chart";
import type { Drawing, PointerHandlers } from "./plot";
import { extent, type ScaleKind } from "./scale";
import { drawTip } from "./tip";
import { theme } from "./theme";

export interface NamedLine {
  name: string;
  x: ArrayLike<number>;
  y: ArrayLike<number>;
}

// Twenty lines have eight colours; from the ninth on they are dashed.
export const DASHES: number[][] = [[], [6, 4], [2, 3]];

export function lineColor(index: number): string {
  return theme.value.series[index % theme.value.series.length];
}

export function Overlay({ title, about, lines, xKind = "linear", xLabel, yLabel, log = false, yRange, height = 360, state, controls, file, class: className }: {
  title: string; about: string; lines: NamedLine[]; xKind?: ScaleKind; xLabel: string; yLabel: string; log?: boolean; yRange?: [number, number]; height?: number;
  state: "ready" | { loading: string } | { empty: string }; controls?: ComponentChildren; file: string; class?: string;
}) {
  const latest = useRef({ lines, xKind, xLabel, yLabel, log, yRange });
  latest.current = { lines, xKind, xLabel, yLabel, log, yRange };
  const { drawing, pointer } = useMemo(() => {
    const at = signal<{ line: number; point: number }>({ line: -1, point: -1 });
    let screen: { x: number[]; y: number[] }[] = [];
    const drawing: Drawing = {
      watch: () => {},
      draw: (p, size, t) => {
        const { lines, xKind, xLabel, yLabel, log, yRange } = latest.current;
        const xs = lines.flatMap((line) => extent(line.x, line.x.length, xKind === "log")), ys = yRange ?? lines.flatMap((line) => extent(line.y, line.y.length, log));
        const x: AxisSpec = { kind: xKind, low: extent(xs)[0], high: extent(xs)[1], label: xLabel, pad: 0.01 };
        const y: AxisSpec = { kind: log ? "log" : "linear", low: extent(ys)[0], high: extent(ys)[1], label: yLabel, pad: 0.06 };
        const named = size.width > 560 && lines.length > 0;
        const room = named ? Math.min(150, 16 + Math.max(...lines.map((line) => Math.min(line.name.length, 20))) * 6.4) : 0;
        const frame: Frame = layout({ ...size, width: size.width - room }, x, y);
        drawAxes(p, frame, t);
        screen = lines.map((line) => ({ x: Array.from(line.x, frame.x.map), y: Array.from(line.y, frame.y.map) }));
        p.clip(frame.left, frame.top - 3, frame.width + 4, frame.height + 6, () => screen.forEach((line, i) => {
          p.line(line.x, line.y, 0, line.x.length, { color: t.series[i % t.series.length], width: 1.75, dash: DASHES[Math.floor(i / t.series.length)] });
          if (line.x.length === 1) p.circle(line.x[0], line.y[0], 3, { fill: t.series[i % t.series.length] });
        }));
        if (!named) return;
        // Names stand beside the ends of their lines, pushed apart where they would lie on each other.
        const names = screen.map((line, i) => ({ i, at: line.y.filter((v) => !Number.isNaN(v)).pop() ?? NaN })).filter((n) => !Number.isNaN(n.at)).sort((a, b) => a.at - b.at);
        let last = -Infinity;
        const gap = Math.min(15, frame.height / Math.max(1, names.length));
        for (const n of names) n.at = last = Math.max(n.at, last + gap);
        const over = last - (frame.top + frame.height);
        if (over > 0) for (const n of names) n.at -= over;
        for (const n of names) p.text(frame.left + frame.width + 10, n.at, cut(lines[n.i].name, 20), { color: t.series[n.i % t.series.length], size: 11, weight: 600 });
      },
      watchOver: () => void at.value,
      over: (p, size, t) => {
        const { line, point } = at.value;
        const { lines } = latest.current;
        if (line < 0 || !screen[line]) return;
        const { x, y } = screen[line];
        p.line(x, y, 0, x.length, { color: t.series[line % t.series.length], width: 3 });
        p.circle(x[point], y[point], 4, { fill: t.series[line % t.series.length], stroke: t.surface, width: 1.5 });
        drawTip(p, size, t, x[point], y[point], { title: cut(lines[line].name, 30), lines: [[latest.current.yLabel.replace(/ .*/, ""), number(lines[line].y[point], 5)], [latest.current.xLabel, number(lines[line].x[point], 6)]] });
      },
    };
    const pointer: PointerHandlers = {
      move: (x, y) => {
        let best = { line: -1, point: -1 }, distance = 900;
        screen.forEach((line, i) => line.x.forEach((px, k) => {
          const d = (px - x) ** 2 + (line.y[k] - y) ** 2;
          if (d < distance) [distance, best] = [d, { line: i, point: k }];
        }));
        at.value = best;
      },
      leave: () => (at.value = { line: -1, point: -1 }),
    };
    return { drawing, pointer };
  }, []);
  const table = (): Table => ({ columns: ["name", xLabel, yLabel], rows: lines.flatMap((line) => Array.from(line.x, (x, i) => [line.name, x, line.y[i]])) });
  return <Chart title={title} about={about} class={className} height={height} drawing={drawing} pointer={pointer} table={table} file={file} state={state} controls={controls}
                legend={lines.map((line, i) => <span><i class="key" style={{ background: lineColor(i) }} />{line.name}</span>)} />;
}
