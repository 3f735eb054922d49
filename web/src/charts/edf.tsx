// SPDX-License-Identifier: Apache-2.0
// The empirical distribution: what share of the runs is as good as a value, or better; of the selected runs beside that of all.
import { useMemo, useRef, useState } from "preact/hooks";
import type { SweepStore } from "../data/sweep_store";
import { Toggle } from "../components/controls";
import { number, percent } from "../data/format";
import { drawAxes, layout, type Frame } from "./axes";
import { Chart, type Table } from "./chart";
import type { Painter } from "./painter";
import type { Drawing, PointerHandlers } from "./plot";
import { robustExtent } from "./scale";

/** Values in order, and the share that is at most so large, at a few hundred places. */
export function distribution(sorted: ArrayLike<number>, places = 400): { value: number[]; share: number[] } {
  const result = { value: [] as number[], share: [] as number[] };
  const stride = Math.max(1, Math.floor(sorted.length / places));
  for (let i = 0; i < sorted.length; i += stride) {
    result.value.push(sorted[i]);
    result.share.push((i + 1) / sorted.length);
  }
  if (sorted.length) {
    result.value.push(sorted[sorted.length - 1]);
    result.share.push(1);
  }
  return result;
}

export function Edf({ store, class: className }: { store: SweepStore; class?: string }) {
  const { runs, selection } = store;
  const [log, setLog] = useState(false);
  const options = useRef(log);
  options.current = log;
  const values = (bits: Uint8Array | null) => {
    const data = runs.data("best");
    const kept = [];
    for (const row of store.order("best")) if (!bits || bits[row]) kept.push(data[row]);
    return kept;
  };
  const { drawing, pointer } = useMemo(() => {
    let frame: Frame | null = null;
    let at = -1;
    let sorted: number[] = [];
    const step = (p: Painter, f: Frame, { value, share }: { value: number[]; share: number[] }, color: string, width: number) => {
      const x: number[] = [], y: number[] = [];
      value.forEach((v, i) => {
        x.push(f.x.map(v), f.x.map(v));
        y.push(f.y.map(i ? share[i - 1] : 0), f.y.map(share[i]));
      });
      p.line(x, y, 0, x.length, { color, width });
    };
    const drawing: Drawing = {
      watch: () => { runs.version.value; selection.mask.value; },
      draw: (p, size, theme) => {
        const mask = selection.mask.value;
        const all = values(null);
        sorted = mask.all ? all : values(mask.bits);
        const [low, high] = store.once("extent best", () => robustExtent(runs.data("best"), runs.rows));
        frame = layout(size, { kind: options.current ? "log" : "linear", low, high, label: runs.metric }, { kind: "linear", low: 0, high: 1, label: "share of the runs", pad: 0.01 });
        drawAxes(p, frame, theme);
        const f = frame;
        p.clip(f.left, f.top, f.width, f.height + 1, () => {
          if (!mask.all) step(p, f, distribution(all), theme.status[5], 1.25);
          step(p, f, distribution(sorted), theme.shades[44], 2);
        });
      },
      watchOver: () => void selection.hovered.value,
      over: (p, _size, theme) => {
        if (!frame) return;
        const row = selection.hovered.value;
        const value = at >= 0 ? frame.x.invert(at) : row >= 0 ? runs.data("best")[row] : NaN;
        if (Number.isNaN(value)) return;
        const share = sorted.filter((v) => v <= value).length / Math.max(1, sorted.length);
        const x = frame.x.map(value), y = frame.y.map(share);
        if (x < frame.left || x > frame.left + frame.width) return;
        p.line([x, x], [frame.top, frame.top + frame.height], 0, 2, { color: theme.line2 });
        p.circle(x, y, 4, { fill: theme.ink });
        p.text(x > frame.left + frame.width * 0.6 ? x - 10 : x + 10, Math.min(y + 14, frame.top + frame.height - 10), `${percent(share)} at ${number(value)} or less`,
               { color: theme.ink, size: 12, weight: 500, halo: theme.surface, align: x > frame.left + frame.width * 0.6 ? "right" : "left" });
      },
    };
    let from = 0;
    const pointer: PointerHandlers = {
      move: (x) => {
        at = x;
        selection.hovered.value = selection.hovered.value === -1 ? -2 : -1;
      },
      leave: () => {
        at = -1;
        selection.hovered.value = -1;
      },
      down: (x) => (from = x),
      drag: (x) => frame && selection.brush("best", [[frame.x.invert(Math.min(from, x)), frame.x.invert(Math.max(from, x))]]),
      up: (_x, _y, moved) => { if (!moved) selection.brush("best", []); },
    };
    return { drawing, pointer };
  }, [store]);
  const table = (): Table => {
    const { value, share } = distribution(values(selection.mask.value.all ? null : selection.mask.value.bits));
    return { columns: [runs.metric, "share"], rows: value.map((v, i) => [v, share[i]]) };
  };
  return <Chart title="Distribution" about={`What share of the runs reached each value of ${runs.metric} or less; drag to filter.`} class={className} height={320} drawing={drawing} pointer={pointer} table={table}
                file={`${store.id}-distribution`} state={runs.bestRow() < 0 ? { empty: "No run has reported a value yet." } : "ready"} controls={<Toggle text="log" on={log} onChange={setLog} />}
                legend={<><span><i class="key completed" />{selection.mask.value.all ? "all runs" : "selected runs"}</span>{!selection.mask.value.all && <span><i class="key stopped" />all runs</span>}</>} />;
}
