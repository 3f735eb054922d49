// SPDX-License-Identifier: Apache-2.0
// Several sweeps: their best so far over each other, and a table of the best.
import { useEffect, useMemo, useState } from "preact/hooks";
import { toNumber, type Json, type Sweep, type SweepDetail } from "../api/types";
import { lineColor, Overlay } from "../charts/overlay";
import { Choice, Toggle } from "../components/controls";
import { Ago, Empty, Failure, Loading, StatusMark } from "../components/links";
import { count, duration, json, number } from "../data/format";
import type { Source } from "../data/source";

/** The improvements as a staircase that ends with the sweep. */
export function stairs(sweep: Sweep, share: boolean): { x: number[]; y: number[] } {
  const total = Math.max(1, sweep.max_total_runs ?? sweep.runs);
  const at = (run: number) => (share ? (100 * run) / total : run);
  const x: number[] = [], y: number[] = [];
  sweep.improvements.forEach(([run, value], i) => {
    if (i) {
      x.push(at(run));
      y.push(y[y.length - 1]);
    }
    x.push(at(run));
    y.push(toNumber(value));
  });
  if (x.length) {
    x.push(at(Math.max(sweep.runs - 1, 0)));
    y.push(y[y.length - 1]);
  }
  return { x, y };
}

/** From the best of all to where each was after a twentieth of its runs: first draws do not flatten what came then. */
export function stairsRange(lines: { x: number[]; y: number[] }[]): [number, number] | undefined {
  const values = lines.flatMap(({ x, y }) => {
    if (!x.length) return [];
    const from = Math.max(0, x.findIndex((at) => at >= x[0] + (x[x.length - 1] - x[0]) / 20));
    return [y[from], y[y.length - 1]];
  }).filter(Number.isFinite);
  return values.length ? [Math.min(...values), Math.max(...values)] : undefined;
}

export function CompareSweepsPage({ source, ids }: { source: Source; ids: string[] }) {
  const [sweeps, setSweeps] = useState<SweepDetail[] | null>(null);
  const [parameters, setParameters] = useState<Record<string, Record<string, Json>>>({});
  const [error, setError] = useState("");
  const [wanted, setShare] = useState("");
  const [log, setLog] = useState(false);
  useEffect(() => {
    document.title = "Compare sweeps – hdrive";
    let over = false;
    const load = () => Promise.all(ids.map((id) => source.sweep(id))).then(async (told) => {
      if (over) return;
      setSweeps(told);
      const best = await Promise.all(told.map((sweep) => (sweep.best ? source.run(sweep.id, sweep.best.run).then((run) => run.parameters).catch(() => ({})) : Promise.resolve({}))));
      if (!over) setParameters(Object.fromEntries(told.map((sweep, i) => [sweep.id, best[i]])));
    }, (failure) => over || setError(failure.message));
    void load();
    const stop = source.listen(undefined, { sweep: (sweep) => setSweeps((known) => known?.map((one) => (one.id === sweep.id ? { ...one, ...sweep } : one)) ?? null) });
    return () => {
      over = true;
      stop();
    };
  }, [source, ids.join()]);
  const sizes = (sweeps ?? []).map((sweep) => Math.max(1, sweep.runs));
  // Sweeps of very different sizes are compared by their budgets at first.
  const share = wanted || (Math.max(...sizes) > 4 * Math.min(...sizes) ? "share" : "runs");
  const lines = useMemo(() => (sweeps ?? []).map((sweep) => ({ name: sweep.name || sweep.short_id, ...stairs(sweep, share === "share") })), [sweeps, share]);
  if (error) return <div class="page"><Failure message={error} /></div>;
  if (ids.length < 2) return <div class="page"><Empty title="Choose two sweeps at least"><p>Tick them in the <a href="#/">list of sweeps</a>.</p></Empty></div>;
  if (!sweeps) return <div class="page"><Loading what="Reading the sweeps" /></div>;
  const metrics = [...new Set(sweeps.map((sweep) => sweep.metric))];
  const goals = new Set(sweeps.map((sweep) => sweep.goal));
  const values = sweeps.map((sweep) => (sweep.best ? toNumber(sweep.best.value) : NaN));
  const known = values.filter((value) => !Number.isNaN(value));
  const best = metrics.length === 1 && goals.size === 1 && known.length ? (sweeps[0].goal === "Minimize" ? Math.min(...known) : Math.max(...known)) : NaN;
  const names = [...new Set(Object.values(parameters).flatMap((set) => Object.keys(set)))];
  const rows: [string, (sweep: SweepDetail, i: number) => preact.ComponentChildren][] = [
    ["best", (sweep, i) => sweep.best ? <span class={values[i] === best ? "incumbent" : ""}>{number(values[i], 5)} <a href={`#/sweeps/${sweep.id}/runs/${sweep.best.run}`}>run {sweep.best.run}</a></span> : "–"],
    ["metric", (sweep) => `${sweep.metric} ${sweep.goal === "Minimize" ? "↓" : "↑"}`],
    ["state", (sweep) => <StatusMark status={sweep.status} state={sweep.state} />],
    ["sampler", (sweep) => sweep.sampler],
    ["policy", (sweep) => sweep.policy?.replace(/_/g, " ") || "–"],
    ["runs", (sweep) => `${count(sweep.runs)}${sweep.max_total_runs !== null ? ` of ${count(sweep.max_total_runs)}` : ""}`],
    ["stopped early", (sweep) => count(sweep.stopped)],
    ["failed", (sweep) => count(sweep.failed)],
    ["time", (sweep) => duration(sweep.active_seconds)],
    ["compute", (sweep) => duration(sweep.compute_seconds)],
    ["saved by stopping", (sweep) => (sweep.saved_seconds === null ? "–" : duration(sweep.saved_seconds))],
    ["began", (sweep) => <Ago at={sweep.created} />],
  ];
  return (
    <div class="page page-wide">
      <p class="crumbs"><a href="#/">Sweeps</a></p>
      <div class="page-head"><h1>{sweeps.length} sweeps</h1></div>
      {metrics.length > 1 && <p class="notice">They optimise different metrics ({metrics.join(", ")}): look at each line by itself.</p>}
      <div class="board">
        <Overlay title="Best so far" about="The best value each sweep had after so many runs." lines={lines} xLabel={share === "share" ? "percent of the budget" : "run"} yLabel={metrics.length === 1 ? metrics[0] : "best"} log={log} yRange={log ? undefined : stairsRange(lines)}
                 file="sweeps-best" state={lines.some((line) => line.x.length) ? "ready" : { empty: "None of them has a value yet." }}
                 controls={<><Choice label="Horizontal axis" value={share} options={[["runs", "runs"], ["share", "share of budget"]]} onChange={setShare} /><Toggle text="log" on={log} onChange={setLog} /></>} />
      </div>
      <div class="panel compare-scroll" tabIndex={0} role="region" aria-label="The sweeps side by side">
        <table class="compare">
          <thead><tr><th scope="col" />{sweeps.map((sweep, i) => <th scope="col"><a href={`#/sweeps/${sweep.id}`}><i class="key" style={{ background: lineColor(i) }} />{sweep.name || sweep.short_id}</a></th>)}</tr></thead>
          <tbody>{rows.map(([name, cell]) => <tr><th scope="row">{name}</th>{sweeps.map((sweep, i) => <td>{cell(sweep, i)}</td>)}</tr>)}</tbody>
          {names.length > 0 && <tbody class="same"><tr><th scope="rowgroup" colSpan={sweeps.length + 1}>parameters of the best run</th></tr>
            {names.map((name) => <tr><th scope="row">{name}</th>{sweeps.map((sweep) => <td>{name in (parameters[sweep.id] ?? {}) ? json(parameters[sweep.id][name]) : "–"}</td>)}</tr>)}</tbody>}
        </table>
      </div>
    </div>
  );
}
