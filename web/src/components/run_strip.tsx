// SPDX-License-Identifier: Apache-2.0
// The sweep at a glance: every run a stroke, in the order of the runs, as high as its value is good, in its shade; failed ones below the
// line, the incumbent in orange. It is the sweep's progress bar, too: what is still to come is empty. Of very many runs each pixel shows
// their middle. Dragging filters by the run's number.
import { useMemo } from "preact/hooks";
import { Plot, type Drawing, type PointerHandlers, type Size } from "../charts/plot";
import type { Painter } from "../charts/painter";
import type { Theme } from "../charts/theme";
import { NONE } from "../data/ranks";
import { FAILED, QUEUED, RUNNING, STOPPED } from "../data/runs";
import type { SweepStore } from "../data/sweep_store";
import { go } from "./router";

const HEIGHT = 58, LINE = 46, TALLEST = 42;

export function RunStrip({ store }: { store: SweepStore }) {
  const { drawing, pointer } = useMemo(() => {
    let width = 1, total = 1, start = -1, end = -1;
    const draw = (p: Painter, size: Size, theme: Theme) => {
      const { runs, selection } = store;
      width = size.width;
      total = Math.max(1, store.detail.value?.max_total_runs ?? 0, runs.rows);
      // Repeats may go beyond the budget, and numbers beyond the count.
      const numbers = runs.data("number"), status = runs.data("status");
      for (let i = 0; i < runs.rows; ++i) if (numbers[i] >= total) total = numbers[i] + 1;
      const slot = Math.min(14, width / total);
      const bar = slot >= 4 ? slot - Math.max(1, slot * 0.22) : Math.max(1, slot);
      const { bits } = selection.mask.value;
      const shades = store.shades("best");
      const best = runs.bestRow();
      p.line([0, width], [LINE + 0.5, LINE + 0.5], 0, 2, { color: theme.line2 });
      const span = slot * total;
      const columns = Math.ceil(span / Math.max(1, slot >= 1 ? slot : 1));
      const step = span / columns;
      // Each stroke is one run, or the middle of those that share a pixel.
      const bins = Array.from({ length: columns }, () => ({ row: -1, runs: 0, failed: 0, sum: 0, valued: 0, kept: 0 }));
      for (let i = 0; i < runs.rows; ++i) {
        const bin = bins[Math.min(columns - 1, Math.floor((numbers[i] / total) * columns))];
        bin.row = i;
        bin.runs++;
        bin.failed += Number(status[i] === FAILED);
        if (!bits[i]) continue;
        bin.kept++;
        if (shades[i] === NONE) continue;
        bin.sum += shades[i];
        bin.valued++;
      }
      bins.forEach((bin, column) => {
        if (!bin.runs) return;
        const x = column * step, { row } = bin;
        if (bin.failed) p.rect(x, LINE + 3, bar, 6, { fill: theme.status[FAILED], alpha: bin.runs === 1 ? 1 : Math.min(1, 0.15 + bin.failed / bin.runs) });
        const value = bin.valued ? Math.round(bin.sum / bin.valued) : shades[row];
        const height = value === NONE ? 3 : 4 + (TALLEST - 4) * (value / 63) ** 1.4;
        const alone = bin.runs === 1;
        const color = !bin.kept ? theme.faded
          : alone && status[row] === RUNNING ? theme.status[RUNNING]
          : alone && (status[row] === QUEUED || value === NONE) ? theme.status[QUEUED]
          : alone && status[row] === STOPPED ? theme.status[STOPPED] : theme.shades[value] ?? theme.faded;
        p.rect(x, LINE - height, bar, height, { fill: color });
      });
      if (best >= 0) {
        const x = Math.floor((numbers[best] / total) * columns) * step;
        p.rect(x, LINE - TALLEST, Math.max(bar, 2), TALLEST, { fill: theme.best });
        p.circle(x + Math.max(bar, 2) / 2, LINE - TALLEST - 1, 2.5, { fill: theme.best });
      }
      const range = selection.brushes.value.get("number")?.[0];
      if (range) {
        const a = Math.max(0, (range[0] / total) * span), b = Math.min(span, (range[1] / total) * span);
        p.rect(a, 1, b - a, HEIGHT - 4, { stroke: theme.accent, width: 1.5 });
      }
    };
    const numberAt = (x: number) => Math.floor((x / Math.max(1, Math.min(14, width / total) * total)) * total);
    const over = (p: Painter, _size: Size, theme: Theme) => {
      const row = store.selection.hovered.value;
      if (row < 0) return;
      const slot = Math.min(14, width / total);
      p.rect(store.runs.number(row) * slot - 0.5, 0, Math.max(1.5, slot * 0.8), HEIGHT - 2, { fill: theme.ink, alpha: 0.85 });
    };
    const drawing: Drawing = {
      watch: () => { store.runs.version.value; store.selection.mask.value; store.detail.value; },
      draw,
      watchOver: () => void store.selection.hovered.value,
      over,
    };
    const pointer: PointerHandlers = {
      move: (x) => (store.selection.hovered.value = store.runs.row(numberAt(x))),
      leave: () => (store.selection.hovered.value = -1),
      cursor: (x) => (store.runs.row(numberAt(x)) >= 0 ? "pointer" : ""),
      down: (x) => (start = end = numberAt(x)),
      drag: (x) => {
        end = numberAt(x);
        store.selection.brush("number", [[Math.min(start, end), Math.max(start, end)]]);
      },
      up: (x, _y, moved) => {
        if (moved) return;
        if (store.selection.brushes.value.has("number")) store.selection.brush("number", []);
        else if (store.runs.row(numberAt(x)) >= 0) go(`#/sweeps/${store.id}/runs/${numberAt(x)}`);
      },
    };
    return { drawing, pointer };
  }, [store]);
  return (
    <div class="strip">
      <Plot label="Every run as a stroke: the higher the better, failed ones below the line" height={HEIGHT} drawing={drawing} pointer={pointer} />
    </div>
  );
}
