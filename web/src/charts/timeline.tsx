// SPDX-License-Identifier: Apache-2.0
// Who ran when: a line for each slot, a bar for each run. Gaps are time in which a slot had nothing to do. Dragging filters by when a run began.
import { useMemo } from "preact/hooks";
import { FAILED, RUNNING, STATUS, STOPPED } from "../data/runs";
import { NONE } from "../data/ranks";
import type { SweepStore } from "../data/sweep_store";
import { go } from "../components/router";
import { drawAxes, layout, type Frame } from "./axes";
import { Chart, type Table } from "./chart";
import type { Drawing, PointerHandlers } from "./plot";
import { extent } from "./scale";
import { drawTip, tipOf } from "./tip";

export function Timeline({ store, class: className }: { store: SweepStore; class?: string }) {
  const { runs, selection } = store;
  const slots = Math.max(1, ...[extent(runs.data("slot"), runs.rows)[1]].filter(Number.isFinite).map((n) => n + 1));
  const height = Math.max(150, Math.min(420, 70 + slots * 22));
  const { drawing, pointer } = useMemo(() => {
    let frame: Frame | null = null;
    let lane = 10;
    let from = 0;
    const endOf = (row: number) => {
      const ended = runs.data("ended")[row];
      return Number.isNaN(ended) && runs.data("status")[row] === RUNNING ? Date.now() / 1000 : ended;
    };
    const y = (slot: number) => frame!.top + slot * lane;
    const drawing: Drawing = {
      watch: () => { runs.version.value; selection.mask.value; },
      draw: (p, size, theme) => {
        const slot = runs.data("slot"), started = runs.data("started"), status = runs.data("status"), shades = store.shades("best");
        const [low] = extent(started, runs.rows);
        let high = extent(runs.data("ended"), runs.rows)[1];
        if (store.detail.peek()?.live || !Number.isFinite(high)) high = Math.max(Number.isFinite(high) ? high : 0, store.detail.peek()?.live ? Date.now() / 1000 : low + 1);
        const count = Math.max(1, extent(slot, runs.rows)[1] + 1 || 1);
        frame = layout(size, { kind: "time", low: low * 1000, high: high * 1000, label: "", pad: 0.005 }, { kind: "integer", low: -0.5, high: count - 0.5, label: `${count} slots`, pad: 0 });
        const f = frame;
        // Slots stand from the top, the first one first.
        const upside = { ...f.y, ticks: () => [] };
        drawAxes(p, { ...f, y: upside }, theme);
        lane = f.height / count;
        const thick = Math.max(1, lane - Math.max(1, lane * 0.18));
        const every = Math.ceil(count / Math.max(1, Math.floor(f.height / 18)));
        for (let k = 0; k < count; k += every) p.text(f.left - 8, y(k) + lane / 2, String(k), { color: theme.ink3, size: 11, align: "right" });
        const last = new Float64Array(count).fill(-1);
        const { bits } = selection.mask.value;
        const best = runs.bestRow();
        p.clip(f.left, f.top - 1, f.width, f.height + 2, () => {
          for (const row of store.order("started")) {
            const k = slot[row];
            if (Number.isNaN(k)) continue;
            const a = f.x.map(started[row] * 1000), b = f.x.map(endOf(row) * 1000);
            // Within a pixel of what is there already nothing new is seen.
            if (b < last[k] + 0.6) continue;
            last[k] = b;
            const color = !bits[row] ? theme.faded : row === best ? theme.best : status[row] === FAILED ? theme.status[FAILED] : status[row] === RUNNING ? theme.status[RUNNING]
              : status[row] === STOPPED ? theme.status[STOPPED] : shades[row] === NONE ? theme.faded : theme.shades[shades[row]];
            p.rect(a, y(k) + (lane - thick) / 2, Math.max(1, b - a - (b - a > 4 ? 1 : 0)), thick, { fill: color });
          }
        });
      },
      watchOver: () => void selection.hovered.value,
      over: (p, size, theme) => {
        const row = selection.hovered.value;
        if (row < 0 || !frame) return;
        const k = runs.data("slot")[row];
        if (Number.isNaN(k)) return;
        const a = frame.x.map(runs.data("started")[row] * 1000), b = frame.x.map(endOf(row) * 1000);
        p.rect(a - 1, y(k) - 1, Math.max(3, b - a + 2), Math.max(4, lane + 1), { stroke: theme.ink, width: 1.5 });
        drawTip(p, size, theme, Math.min(b, frame.left + frame.width - 20), y(k), tipOf(store, row, ["took", "slot"]));
      },
    };
    const at = (px: number, py: number): number => {
      if (!frame) return -1;
      const k = Math.floor((py - frame.top) / lane), time = frame.x.invert(px) / 1000;
      const slot = runs.data("slot"), started = runs.data("started");
      for (let row = 0; row < runs.rows; ++row) if (slot[row] === k && started[row] <= time && endOf(row) >= time) return row;
      return -1;
    };
    const pointer: PointerHandlers = {
      move: (x, yy) => (selection.hovered.value = at(x, yy)),
      leave: () => (selection.hovered.value = -1),
      cursor: (x, yy) => (at(x, yy) >= 0 ? "pointer" : "crosshair"),
      down: (x) => (from = x),
      drag: (x) => frame && selection.brush("started", [[frame.x.invert(Math.min(from, x)) / 1000, frame.x.invert(Math.max(from, x)) / 1000]]),
      up: (x, yy, moved) => {
        if (moved) return;
        const row = at(x, yy);
        if (row >= 0) go(`#/sweeps/${store.id}/runs/${runs.number(row)}`);
        else selection.brush("started", []);
      },
    };
    return { drawing, pointer };
  }, [store]);
  const table = (): Table => ({
    columns: ["run", "slot", "started", "ended", "status"],
    rows: Array.from(store.order("started"), (row) => [runs.number(row), runs.data("slot")[row], new Date(runs.data("started")[row] * 1000).toISOString(),
      Number.isNaN(runs.data("ended")[row]) ? null : new Date(runs.data("ended")[row] * 1000).toISOString(), STATUS[runs.data("status")[row]]]),
  });
  return <Chart title="Timeline" about="Which run each slot had when; gaps are slots without a run." class={className} height={height} drawing={drawing} pointer={pointer} table={table} file={`${store.id}-timeline`}
                state={Number.isNaN(extent(runs.data("started"), runs.rows)[0]) ? { empty: "No run has started yet." } : "ready"}
                legend={<><span class="ramp-key">worse<i class="ramp" />better</span><span><i class="key best" />best run</span><span><i class="key stopped" />stopped early</span><span><i class="key failed" />failed</span></>} />;
}
