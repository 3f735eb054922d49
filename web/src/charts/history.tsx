// SPDX-License-Identifier: Apache-2.0
// Optimisation history: each run's best value in the order of the runs (or of their ends), and the best so far as a staircase.
import { useState } from "preact/hooks";
import type { SweepStore } from "../data/sweep_store";
import { Chart, type Table } from "./chart";
import { useCloud } from "./cloud";
import type { Frame } from "./axes";
import type { Painter } from "./painter";
import type { Theme } from "./theme";
import { Choice, Toggle } from "../components/controls";

/** The staircase: where and to what the best value changed. */
export function staircase(x: Float64Array, y: Float64Array, rows: ArrayLike<number>, minimize: boolean): { x: number[]; y: number[] } {
  const result = { x: [] as number[], y: [] as number[] };
  let best = NaN;
  for (let i = 0; i < rows.length; ++i) {
    const row = rows[i];
    const value = y[row];
    if (Number.isNaN(value) || !(Number.isNaN(best) || (minimize ? value < best : value > best))) continue;
    if (result.x.length) {
      result.x.push(x[row]);
      result.y.push(best);
    }
    result.x.push(x[row]);
    result.y.push(value);
    best = value;
  }
  return result;
}

export function History({ store, class: className }: { store: SweepStore; class?: string }) {
  const [xKey, setX] = useState("number");
  const [log, setLog] = useState(false);
  const { runs } = store;
  const under = (p: Painter, frame: Frame, theme: Theme) => {
    const factor = runs.column(xKey)?.kind === "time" ? 1000 : 1;
    const steps = store.once(`stairs ${xKey}`, () => staircase(runs.data(xKey), runs.data("best"), store.order(xKey), runs.goal === "Minimize"));
    if (!steps.x.length) return;
    const x = steps.x.map((value) => frame.x.map(value * factor)), y = steps.y.map((value) => frame.y.map(value));
    x.push(frame.left + frame.width);
    y.push(y[y.length - 1]);
    p.clip(frame.left, frame.top - 4, frame.width, frame.height + 6, () => p.line(x, y, 0, x.length, { color: theme.best, width: 1.75 }));
  };
  const { drawing, pointer } = useCloud({ store, xKey, yKey: "best", colorKey: "best", yLog: log, brush: "both", under });
  const table = (): Table => ({
    columns: ["run", xKey === "number" ? "order" : xKey, runs.metric],
    rows: Array.from(store.order(xKey), (row) => [runs.number(row), runs.data(xKey)[row], runs.data("best")[row]]),
  });
  return (
    <Chart title="History" about="Each run's best value in the order of the runs; the orange line is the best so far." class={className} height={360}
           drawing={drawing} pointer={pointer} table={table} file={`${store.id}-history`}
           state={runs.bestRow() < 0 ? { empty: "No run has reported a value yet." } : "ready"}
           controls={<>
             <Choice label="Horizontal axis" value={xKey} options={[["number", "run"], ["ended", "end"], ["started", "start"], ["compute", "compute"]]} onChange={setX} />
             <Toggle text="log" on={log} onChange={setLog} />
           </>}
           legend={<><span><i class="key best" />best so far</span><span class="ramp-key">worse<i class="ramp" />better</span></>} />
  );
}
