// SPDX-License-Identifier: Apache-2.0
// How early winners show: the place of the final best runs among all, report by report. Lines that cross late mean that a policy
// should wait.
import { useMemo, useRef, useState } from "preact/hooks";
import type { Goal } from "../api/types";
import { running, type Curve } from "../data/curves";
import type { SweepStore } from "../data/sweep_store";
import { Choice } from "../components/controls";
import { go } from "../components/router";
import { drawAxes, layout, type Frame } from "./axes";
import { Chart, type Table } from "./chart";
import type { Drawing, PointerHandlers } from "./plot";
import { drawTip, tipOf } from "./tip";

export interface Ranks {
  places: number[];
  /** Of each of the final best, best first: its rank (1 is best) at each place, NaN where it had not come so far. */
  lines: { run: number; rank: number[] }[];
}

export function ranks(curves: Curve[], goal: Goal, top: number, most = 48): Ranks {
  const last = curves.reduce((most, curve) => Math.max(most, curve.place[curve.place.length - 1] ?? 0), 0);
  const step = Math.max(1, Math.ceil(last / most));
  const places: number[] = [];
  for (let place = 1; place <= last; place += step) places.push(place);
  if (places.length && places[places.length - 1] !== last) places.push(last);
  const best = curves.map((curve) => running(curve.value, goal));
  const end = best.map((values) => values[values.length - 1] ?? NaN);
  const sign = goal === "Minimize" ? 1 : -1;
  const winners = curves.map((_, i) => i).filter((i) => !Number.isNaN(end[i])).sort((a, b) => sign * (end[a] - end[b])).slice(0, top);
  const lines = winners.map((i) => ({ run: curves[i].run, rank: [] as number[] }));
  const cursor = new Int32Array(curves.length).fill(-1);
  for (const place of places) {
    // A run that has ended keeps what it reached.
    const values = curves.map((curve, i) => {
      while (cursor[i] + 1 < curve.place.length && curve.place[cursor[i] + 1] <= place) cursor[i]++;
      return cursor[i] < 0 ? NaN : best[i][cursor[i]];
    });
    winners.forEach((w, k) => {
      const own = values[w];
      const reached = (curves[w].place[curves[w].place.length - 1] ?? 0) >= place;
      lines[k].rank.push(Number.isNaN(own) || !reached ? NaN : 1 + values.filter((value) => sign * (value - own) < 0).length);
    });
  }
  return { places, lines };
}

export function Rank({ store, class: className }: { store: SweepStore; class?: string }) {
  const detail = store.detail.value!;
  const [top, setTop] = useState(10);
  const state = store.curves(detail.metric);
  const { curves, error } = state.value;
  const result = useMemo(() => (curves ? ranks(curves.list, detail.goal, top) : null), [curves, top]);
  const latest = useRef(result);
  latest.current = result;
  const { drawing, pointer } = useMemo(() => {
    let frame: Frame | null = null;
    let screen: { row: number; run: number; x: number[]; y: number[] }[] = [];
    const drawing: Drawing = {
      watch: () => { state.value; store.selection.mask.value; },
      draw: (p, size, theme) => {
        const r = latest.current;
        if (!r) return;
        const worst = Math.max(2, ...r.lines.flatMap((line) => line.rank.filter(Number.isFinite)));
        frame = layout(size, { kind: "linear", low: 1, high: r.places[r.places.length - 1] ?? 1, label: "report", pad: 0.01 }, { kind: "log", low: 1, high: worst, label: "rank among the curves, 1 is best", pad: 0.05 });
        // Rank 1 stands at the top.
        const f = frame;
        const flip = (at: number) => f.top + f.height - (at - f.top);
        const y = { ...f.y, map: (v: number) => flip(f.y.map(v)), ticks: (n: number) => f.y.ticks(n).filter((tick) => Number.isInteger(tick.value)) };
        drawAxes(p, { ...f, y }, theme);
        const { bits } = store.selection.mask.value;
        screen = r.lines.map((line) => ({ run: line.run, row: store.runs.row(line.run), x: r.places.map(f.x.map), y: line.rank.map(y.map) }));
        [...screen].reverse().forEach((line, k) => {
          const place = screen.length - 1 - k;
          const dim = line.row >= 0 && !bits[line.row];
          p.line(line.x, line.y, 0, line.x.length, { color: dim ? theme.faded : place === 0 ? theme.best : theme.shades[Math.round(60 - (44 * place) / Math.max(1, screen.length))], width: place === 0 ? 2.5 : 1.5, alpha: 0.9 });
        });
      },
      watchOver: () => void store.selection.hovered.value,
      over: (p, size, theme) => {
        const line = screen.find((one) => one.row === store.selection.hovered.value);
        if (!line || line.row < 0) return;
        p.line(line.x, line.y, 0, line.x.length, { color: theme.ink, width: 2.5 });
        const end = line.y.reduce((last, v, i) => (Number.isNaN(v) ? last : i), 0);
        drawTip(p, size, theme, line.x[Math.floor(end * 0.6)], line.y[Math.floor(end * 0.6)], tipOf(store, line.row, []));
      },
    };
    const nearest = (x: number, y: number) => {
      let found = -1, distance = 12;
      for (const line of screen) line.x.forEach((px, i) => {
        const d = Math.hypot(px - x, line.y[i] - y);
        if (d < distance) [distance, found] = [d, line.row];
      });
      return found;
    };
    const pointer: PointerHandlers = {
      move: (x, y) => (store.selection.hovered.value = nearest(x, y)),
      leave: () => (store.selection.hovered.value = -1),
      cursor: (x, y) => (nearest(x, y) >= 0 ? "pointer" : ""),
      down: () => {},
      up: (x, y) => {
        const row = nearest(x, y);
        if (row >= 0) go(`#/sweeps/${store.id}/runs/${store.runs.number(row)}`);
      },
    };
    return { drawing, pointer };
  }, [store]);
  const table = (): Table => ({ columns: ["run", ...(result?.places ?? []).map((place) => `rank at ${place}`)], rows: (result?.lines ?? []).map((line) => [line.run, ...line.rank]) });
  return <Chart title="Rank" about="The place of the final best runs among all curves, report by report: how early winners show." class={className} height={320} drawing={drawing} pointer={pointer} table={table}
                file={`${store.id}-rank`} state={error ? { error } : !curves ? { loading: "Curves are on their way" } : curves.list.length < 2 ? { empty: "It takes two runs to compare." } : "ready"}
                controls={<Choice label="How many" value={String(top)} options={[["5", "best 5"], ["10", "best 10"], ["25", "best 25"]]} onChange={(value) => setTop(Number(value))} />}
                legend={<><span><i class="key best" />the final best</span><span class="hint">lines that settle early mean that a policy may stop early</span></>} />;
}
