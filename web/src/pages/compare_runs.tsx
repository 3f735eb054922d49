// SPDX-License-Identifier: Apache-2.0
// Two to twenty runs side by side: their curves, and what differs between them first.
import { useEffect, useMemo, useState } from "preact/hooks";
import { toNumber, type Json, type Run } from "../api/types";
import { lineColor, Overlay } from "../charts/overlay";
import { Choice, Toggle } from "../components/controls";
import { Empty, Failure, Loading } from "../components/links";
import { abscissa, curveOf, smooth, type Axis, type Curve } from "../data/curves";
import { bytes, duration, json, number } from "../data/format";
import type { Source } from "../data/source";
import { useSweep } from "./sweep";

interface Row { name: string; values: (string | number | null)[]; texts: string[]; best: "low" | "high" | null; group: string }

/** Rows with different values first, in the order in which they came otherwise. */
export function differingFirst(rows: Row[]): { differ: Row[]; same: Row[] } {
  const differ = rows.filter((row) => new Set(row.values.map((value) => JSON.stringify(value))).size > 1);
  return { differ, same: rows.filter((row) => !differ.includes(row)) };
}

function rowsOf(runs: Run[], metric: string, minimize: boolean): Row[] {
  const rows: Row[] = [];
  const row = (group: string, name: string, value: (run: Run) => string | number | null, text: (value: any) => string = (v) => (v === null ? "–" : typeof v === "number" ? number(v, 5) : v), best: Row["best"] = null) => {
    const values = runs.map(value);
    rows.push({ group, name, values, texts: values.map(text), best });
  };
  const metricOf = (run: Run, name: string) => run.metrics.find((one) => one.name === name);
  row("result", `best ${metric}`, (run) => { const m = metricOf(run, metric); return m ? toNumber(minimize ? m.least : m.greatest) : null; }, undefined, minimize ? "low" : "high");
  for (const name of [...new Set(runs.flatMap((run) => run.metrics.map((one) => one.name)))])
    row("result", `last ${name}`, (run) => { const m = metricOf(run, name); return m ? toNumber(m.last) : null; });
  row("result", "reports", (run) => metricOf(run, metric)?.count ?? 0);
  row("result", "status", (run) => (run.ended_by === "policy" ? "Stopped" : run.status));
  for (const name of [...new Set(runs.flatMap((run) => Object.keys(run.parameters)))]) {
    const value = (run: Run) => (name in run.parameters ? (run.parameters[name] as Json) : null);
    row("parameter", name, (run) => { const v = value(run); return typeof v === "number" || typeof v === "string" ? v : v === null ? null : JSON.stringify(v); }, (v) => (v === null ? "–" : json(v)));
  }
  row("cost", "took", (run) => run.duration_seconds, (v) => (v === null ? "–" : duration(v)));
  row("cost", "processor time", (run) => run.cpu_seconds, (v) => (v === null ? "–" : duration(v)));
  row("cost", "memory at most", (run) => run.peak_memory_bytes, (v) => (v === null ? "–" : bytes(v)));
  row("cost", "target", (run) => run.target);
  row("cost", "attempt", (run) => run.attempt);
  return rows;
}

export function CompareRunsPage({ source, id, runs }: { source: Source; id: string; runs: number[] }) {
  const store = useSweep(source, id);
  const [details, setDetails] = useState<Run[] | null>(null);
  const [error, setError] = useState("");
  const [metric, setMetric] = useState("");
  const [axis, setAxis] = useState<Axis>("report");
  const [log, setLog] = useState(false);
  const [weight, setWeight] = useState(0);
  const [curves, setCurves] = useState<Curve[] | null>(null);
  const detail = store.detail.value;
  const shown = metric || detail?.metric || "";
  const live = store.runs.version.value;
  useEffect(() => {
    document.title = "Compare runs – hdrive";
    let over = false;
    Promise.all(runs.map((run) => source.run(id, run))).then((told) => over || setDetails(told), (failure) => over || setError(failure.message));
    return () => { over = true; };
  }, [source, id, runs.join(), detail?.live ? live : 0]);
  useEffect(() => {
    if (!shown) return;
    let over = false;
    source.series(id, shown, runs, 400).then((list) => over || setCurves(list.map(curveOf)), (failure) => over || setError(failure.message));
    return () => { over = true; };
  }, [source, id, runs.join(), shown, detail?.live ? live : 0]);
  const lines = useMemo(() => runs.flatMap((run) => {
    const curve = curves?.find((one) => one.run === run);
    return curve ? [{ name: `run ${run}`, x: abscissa(curve, axis), y: smooth(curve.value, weight) }] : [];
  }), [curves, axis, weight]);
  if (error) return <div class="page"><Failure message={error} /></div>;
  if (runs.length < 2) return <div class="page"><Empty title="Choose two runs at least"><p>Tick them in the <a href={`#/sweeps/${id}`}>table of runs</a>.</p></Empty></div>;
  if (!details || !detail) return <div class="page"><Loading what="Reading the runs" /></div>;
  const { differ, same } = differingFirst(rowsOf(details, detail.metric, detail.goal === "Minimize"));
  const table = (rows: Row[]) => rows.map((row) => {
    const numbers = row.values.map((value) => (typeof value === "number" ? value : NaN)).filter((value) => !Number.isNaN(value));
    const best = row.best && numbers.length ? (row.best === "low" ? Math.min(...numbers) : Math.max(...numbers)) : null;
    return (
      <tr class={`group-${row.group}`}>
        <th scope="row">{row.name}</th>
        {row.texts.map((text, i) => <td class={`${typeof row.values[i] === "number" ? "num" : ""} ${best !== null && row.values[i] === best ? "incumbent" : ""}`}>{text}</td>)}
      </tr>
    );
  });
  return (
    <div class="page page-wide">
      <p class="crumbs"><a href="#/">Sweeps</a> / <a href={`#/sweeps/${id}`}>{detail.name || detail.short_id}</a></p>
      <div class="page-head"><h1>{runs.length} runs side by side</h1></div>
      <div class="board">
        <Overlay title="Curves" about={`${shown} of the runs over ${axis}.`} lines={lines} xKind={axis === "time" ? "time" : axis === "elapsed" ? "duration" : "linear"} xLabel={axis} yLabel={shown} log={log} file={`${id}-compare`}
                 state={!curves ? { loading: "Curves are on their way" } : lines.length ? "ready" : { empty: `None of them has reported ${shown}.` }}
                 controls={<>
                   <Choice label="Metric" value={shown} options={detail.metrics.map((one) => [one.name, one.name])} onChange={setMetric} />
                   <Choice label="Horizontal axis" value={axis} options={[["report", "report"], ["step", "step"], ["elapsed", "elapsed"], ["time", "time"]]} onChange={(value) => setAxis(value as Axis)} />
                   <Choice label="Smoothing" value={String(weight)} options={[["0", "raw"], ["0.6", "smooth"], ["0.85", "smoother"], ["0.95", "smoothest"]]} onChange={(value) => setWeight(Number(value))} />
                   <Toggle text="log" on={log} onChange={setLog} />
                 </>} />
      </div>
      <div class="panel compare-scroll" tabIndex={0} role="region" aria-label="The runs side by side">
        <table class="compare">
          <thead><tr><th scope="col"><span class="quiet">what differs</span></th>
            {details.map((run, i) => <th scope="col"><a href={`#/sweeps/${id}/runs/${run.number}`}><i class="key" style={{ background: lineColor(i) }} />run {run.number}</a></th>)}</tr></thead>
          <tbody>{table(differ)}</tbody>
          {same.length > 0 && <tbody class="same"><tr><th scope="rowgroup" colSpan={details.length + 1}>the same in all</th></tr>{table(same)}</tbody>}
        </table>
      </div>
    </div>
  );
}
