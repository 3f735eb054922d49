// SPDX-License-Identifier: Apache-2.0
// The model view: what the sampler's Gaussian process expects along one parameter, the others as in the best run, and how sure it is;
// the runs as points beside it.
import { useEffect, useRef, useState } from "preact/hooks";
import { toNumber, type ModelSlice, type ModelView } from "../api/types";
import { categoryText, type Column } from "../data/runs";
import type { SweepStore } from "../data/sweep_store";
import { count } from "../data/format";
import { Choice, Toggle } from "../components/controls";
import type { Frame } from "./axes";
import { Chart, type Table } from "./chart";
import { useCloud } from "./cloud";
import type { Painter } from "./painter";
import type { Theme } from "./theme";

/** Where a slice's values lie on the column's axis; NaN for what no run has tried. */
export function positions(slice: ModelSlice, column: Column): number[] {
  if (!column.categories) return slice.values.map(Number);
  return slice.values.map((value) => {
    const at = column.categories!.indexOf(categoryText(value));
    return at < 0 ? NaN : at;
  });
}

/** The curve with its band; of a choice, whose options lie in no order, a bar for each. */
export function drawSlice(p: Painter, frame: Frame, theme: Theme, slice: ModelSlice, column: Column): void {
  const x = positions(slice, column).map(frame.x.map);
  const [mean, low, high] = [slice.mean, slice.low, slice.high].map((list) => list.map((value) => frame.y.map(toNumber(value))));
  p.clip(frame.left, frame.top - 2, frame.width + 1, frame.height + 3, () => {
    if (column.categories) {
      const half = Math.min(26, Math.max(5, (frame.width / column.categories.length) * 0.32));
      x.forEach((at, i) => {
        if (Number.isNaN(at)) return;
        p.rect(at - half, Math.min(low[i], high[i]), 2 * half, Math.abs(high[i] - low[i]), { fill: theme.accent, alpha: 0.16 });
        p.line([at - half, at + half], [mean[i], mean[i]], 0, 2, { color: theme.accent, width: 2 });
      });
      return;
    }
    const outline: number[] = [];
    for (let i = 0; i < x.length; ++i) outline.push(x[i], high[i]);
    for (let i = x.length - 1; i >= 0; --i) outline.push(x[i], low[i]);
    p.area(outline, { fill: theme.accent, alpha: 0.16 });
    p.line(x, mean, 0, x.length, { color: theme.accent, width: 2 });
  });
}

export function Model({ store, class: className }: { store: SweepStore; class?: string }) {
  const { runs } = store;
  const detail = store.detail.value!;
  const [view, setView] = useState<ModelView | null>(null);
  const [error, setError] = useState("");
  const [chosen, setChosen] = useState("");
  const [log, setLog] = useState(false);
  // Each run that ends makes another model; one for each fortieth of the budget is often enough.
  const finished = detail.completed + detail.canceled + detail.failed;
  const epoch = `${detail.state} ${Math.floor(finished / Math.max(1, (detail.max_total_runs ?? 100) / 40))}`;
  useEffect(() => {
    if (store.over.peek()) return;
    let here = true;
    store.source.model(store.id).then((told) => { if (here) { setView(told); setError(""); } }, (failure) => { if (here) setError(failure.message); });
    return () => { here = false; };
  }, [store, epoch]);
  const slices = (view?.parameters ?? []).filter((slice) => runs.column(`p:${slice.name}`));
  const slice = slices.find((one) => one.label === chosen) ?? slices[0];
  const key = slice ? `p:${slice.name}` : "number";
  const latest = useRef(slice);
  latest.current = slice;
  const under = (p: Painter, frame: Frame, theme: Theme) => {
    const column = latest.current && runs.column(`p:${latest.current.name}`);
    if (latest.current && column) drawSlice(p, frame, theme, latest.current, column);
  };
  const { drawing, pointer } = useCloud({ store, xKey: key, yKey: "best", colorKey: "best", xLog: runs.column(key)?.log ?? false, yLog: log, brush: "both", under });
  const table = (): Table => ({
    columns: [slice?.label ?? "", "mean", "low", "high"],
    rows: (slice?.values ?? []).map((value, i) => [typeof value === "number" ? value : categoryText(value), toNumber(slice!.mean[i]), toNumber(slice!.low[i]), toNumber(slice!.high[i])]),
  });
  const state = error ? { error } : !view ? { loading: "A model is being fitted" } : view.why ? { empty: `There is no model: ${view.why}.` }
    : !slice ? { empty: "No parameter of this sweep varies." } : "ready" as const;
  return (
    <Chart title="Model" about={`What the sampler's model expects of ${runs.metric} along ${slice?.label ?? "a parameter"}, the other parameters as in ${slice?.run === null ? "the best run of an earlier sweep" : `run ${slice?.run}`}; two deviations of its mean to each side.`}
           class={className} height={340} drawing={drawing} pointer={pointer} table={table} file={`${store.id}-model`} state={state}
           controls={<>
             <Choice label="Parameter" value={slice?.label ?? ""} options={slices.map((one) => [one.label, one.label])} onChange={setChosen} />
             <Toggle text="log" on={log} onChange={setLog} />
           </>}
           legend={slice && <>
             <span><i class="key accent" />expected</span>
             <span><i class="key band" />two deviations</span>
             <span class="hint">the others as in {slice.run === null ? "an earlier sweep's best run" : <a href={`#/sweeps/${store.id}/runs/${slice.run}`}>run {slice.run}</a>}</span>
             <span class="hint">fitted to {count(view!.results)} results</span>
           </>} />
  );
}
