// SPDX-License-Identifier: Apache-2.0
// Parallel coordinates. Axes are dragged by their names, flipped by a click on them, and brushed by dragging along them (with Shift: one
// more brush). The lines come in portions (lines_gl.ts): first a fair sample, the rest within the next frames, the best ones on top.
import { effect, signal } from "@preact/signals";
import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import type { SweepStore } from "../data/sweep_store";
import { Menu } from "../components/menu";
import { go } from "../components/router";
import { Chart, type Table } from "./chart";
import { request } from "./frames";
import { defaultAxes, rangeOf, type AxisState } from "./parallel_model";
import { Picture, SIDE } from "./parallel_picture";
import type { Exports } from "./plot";
import { theme } from "./theme";

const AXIS_ROOM = 92;

export function Parallel({ store, class: className }: { store: SweepStore; class?: string }) {
  const exports = useRef<Exports>(null);
  const axes = useMemo(() => signal<AxisState[] | null>(null), [store]);
  const { runs } = store;
  const candidates = ["best", ...runs.parameters.map((c) => c.key), ...runs.metrics.filter((c) => c.key.endsWith(":last")).map((c) => c.key), "took"];
  const shown = axes.value ?? [];
  const toggle = (key: string) => {
    const list = axes.value ?? [];
    axes.value = list.some((a) => a.key === key) ? list.filter((a) => a.key !== key) : [...list, { key, flipped: false, log: null }];
  };
  const table = (): Table => {
    const columns = shown.map((a) => runs.column(a.key)!).filter(Boolean);
    const { bits } = store.selection.mask.value;
    const rows = [];
    for (let i = 0; i < runs.rows; ++i) if (bits[i]) rows.push([runs.number(i), ...columns.map((c) => (c.categories ? c.categories[c.data[i]] ?? null : c.data[i]))]);
    return { columns: ["run", ...columns.map((c) => c.label)], rows };
  };
  return (
    <Chart title="Parameters and result" about="Each line is a run through its parameters to its best value. Drag along an axis to filter; drag an axis by its name to move it; click the name to flip it."
           class={className} height={370} exports={exports} table={table} file={`${store.id}-parallel`}
           state={runs.rows ? "ready" : { empty: "No run has been drawn yet." }}
           controls={<Menu label="Axes" text="axes" items={candidates.filter((key) => runs.column(key)).map((key) => ({
             text: `${shown.some((a) => a.key === key) ? "✓ " : "  "}${runs.column(key)!.label}`, run: () => toggle(key) }))} />}
           legend={<><span class="ramp-key">worse<i class="ramp" />better</span><span><i class="key best" />best run</span>
             <span class="hint">drag along an axis to filter, Shift for one more range</span></>}>
      <ParallelPlot store={store} axes={axes} exports={exports} />
    </Chart>
  );
}

type Axes = ReturnType<typeof signal<AxisState[] | null>>;

function ParallelPlot({ store, axes, exports }: { store: SweepStore; axes: Axes; exports: { current: Exports | null } }) {
  const host = useRef<HTMLDivElement>(null);
  const top = useRef<HTMLCanvasElement>(null);
  const picture = useRef<Picture>(null);
  const [width, setWidth] = useState(0);
  const [moving, setMoving] = useState<{ key: string; x: number } | null>(null);

  useEffect(() => {
    const p = (picture.current = new Picture(store, host.current!, top.current!));
    exports.current = p.exports();
    const sizes = new ResizeObserver(([entry]) => {
      const next = Math.floor(entry.contentRect.width);
      if (!axes.peek()) axes.value = defaultAxes(store.runs, Math.max(2, Math.floor((next - 2 * SIDE) / AXIS_ROOM) + 1));
      setWidth(next);
    });
    sizes.observe(host.current!);
    const seen = new IntersectionObserver((entries) => {
      for (const job of [p.job, p.overJob]) {
        job.visible = entries[entries.length - 1].isIntersecting;
        if (job.visible && job.dirty) request(job);
      }
    }, { rootMargin: "120px" });
    seen.observe(host.current!);
    return () => {
      sizes.disconnect();
      seen.disconnect();
      p.dispose();
      exports.current = null;
    };
  }, [store]);

  useEffect(() => {
    if (!width) return;
    const stops = [
      effect(() => {
        theme.value;
        store.runs.version.value;
        if (axes.value) picture.current?.lay(axes.value, width);
      }),
      effect(() => {
        store.selection.mask.value;
        picture.current?.choose();
      }),
      effect(() => {
        store.selection.hovered.value;
        if (picture.current) request(picture.current.overJob);
      }),
    ];
    return () => stops.forEach((stop) => stop());
  }, [width, store]);

  const at = (event: PointerEvent): [number, number] => {
    const rect = host.current!.getBoundingClientRect();
    return [event.clientX - rect.left, event.clientY - rect.top];
  };
  const list = axes.value ?? [];
  const every = list.length > 1 ? (width - 2 * SIDE) / (list.length - 1) : 0;
  const xOf = (index: number) => (list.length > 1 ? SIDE + every * index : width / 2);
  const change = (index: number, next: Partial<AxisState>) => (axes.value = list.map((a, i) => (i === index ? { ...a, ...next } : a)));
  const move = (from: number, to: number) => {
    const next = list.slice();
    next.splice(Math.max(0, Math.min(next.length - 1, to)), 0, ...next.splice(from, 1));
    axes.value = next;
  };
  const press = useRef<{ x: number; moved: boolean } | null>(null);

  return (
    <div class="parallel">
      <div class="parallel-names">
        {width > 0 && list.map((state, index) => {
          const column = store.runs.column(state.key);
          if (!column) return null;
          const x = moving?.key === state.key ? moving.x : xOf(index);
          const room = Math.min(140, Math.max(44, every - 6));
          return (
            <button key={state.key} type="button" class="parallel-name" style={{ left: `${moving ? x : Math.min(Math.max(x, 36), width - 36)}px`, maxWidth: `${room}px` }}
                    title={`${column.label}: drag to move, click to flip, L for a logarithmic axis, arrow keys move it`}
                    onPointerDown={(event) => { press.current = { x: event.clientX, moved: false }; event.currentTarget.setPointerCapture(event.pointerId); }}
                    onPointerMove={(event) => {
                      if (!press.current) return;
                      if (Math.abs(event.clientX - press.current.x) > 4) press.current.moved = true;
                      if (!press.current.moved) return;
                      const [px] = at(event);
                      setMoving({ key: state.key, x: px });
                      const target = Math.round((px - SIDE) / (every || 1));
                      if (target !== index && target >= 0 && target < list.length) move(index, target);
                    }}
                    onPointerUp={() => setMoving(null)}
                    onClick={() => {
                      if (!press.current?.moved) change(index, { flipped: !state.flipped });
                      press.current = null;
                    }}
                    onKeyDown={(event) => {
                      if (event.key === "ArrowLeft") move(index, index - 1);
                      else if (event.key === "ArrowRight") move(index, index + 1);
                      else if (event.key.toLowerCase() === "l" && !column.categories) change(index, { log: !(state.log ?? column.log) });
                    }}>
              <span>{column.label}</span>
              <small>{state.flipped ? "↓" : "↑"}{!column.categories && (state.log ?? column.log) ? " log" : ""}</small>
            </button>
          );
        })}
      </div>
      <div ref={host} class="plot parallel-plot" role="img" aria-label="Parallel coordinates of all runs; the menu shows them as a table" style={{ height: "340px" }}
           onPointerMove={(event) => {
             const p = picture.current!;
             const [x, y] = at(event);
             if (p.drag) {
               const axis = p.axes[p.drag.axis];
               p.drag.to = p.share(y);
               if (Math.abs(p.drag.to - p.drag.from) > 0.008)
                 store.selection.brush(axis.column.key, [...p.drag.kept, rangeOf(axis.scale, axis.column, p.drag.from, p.drag.to)]);
               return;
             }
             const axis = p.axisAt(x);
             p.pointer = [x, y];
             host.current!.style.cursor = axis >= 0 ? "ns-resize" : "";
             store.selection.hovered.value = axis >= 0 ? -1 : p.nearest(x, y);
             request(p.overJob);
           }}
           onPointerLeave={() => { picture.current!.pointer = null; store.selection.hovered.value = -1; }}
           onPointerDown={(event) => {
             const p = picture.current!;
             const [x, y] = at(event);
             const axis = p.axisAt(x);
             if (axis < 0) return;
             host.current!.setPointerCapture(event.pointerId);
             const key = p.axes[axis].column.key;
             const kept = event.shiftKey ? [...(store.selection.brushes.value.get(key) ?? [])] : [];
             p.drag = { axis, from: p.share(y), to: p.share(y), kept };
           }}
           onPointerUp={(event) => {
             const p = picture.current!;
             const { drag } = p;
             p.drag = null;
             if (drag) {
               // A click beside all brushes takes them away.
               if (Math.abs(drag.to - drag.from) <= 0.008 && !event.shiftKey) store.selection.brush(p.axes[drag.axis].column.key, []);
               return;
             }
             const row = p.nearest(...at(event));
             if (row >= 0) go(`#/sweeps/${store.id}/runs/${store.runs.number(row)}`);
           }}>
        <canvas ref={top} class="over" />
      </div>
    </div>
  );
}
