// SPDX-License-Identifier: Apache-2.0
// One run: why it was drawn, what it reported, what the policy thought of it, what it wrote.
import { useEffect, useRef, useState } from "preact/hooks";
import { toNumber, type Run, type Thresholds } from "../api/types";
import { RunCurve } from "../charts/run_curve";
import { Ago, CommandLine, Copy, Failure, Loading, now, StatusMark } from "../components/links";
import { ParameterList } from "../components/parameter_list";
import { RunFiles } from "../components/run_files";
import { RunLogs } from "../components/run_logs";
import { bytes, duration, number, count } from "../data/format";
import type { Curve } from "../data/curves";
import { curveOf } from "../data/curves";
import type { Source } from "../data/source";
import type { SweepStore } from "../data/sweep_store";
import { RunActions } from "./run_actions";
import { useSweep } from "./sweep";

const POINTS = 600;

/** The run's own page of data, read again whenever the sweep says that it changed. */
function useRun(store: SweepStore, run: number) {
  const [detail, setDetail] = useState<Run | null>(null);
  const [curves, setCurves] = useState<Map<string, Curve>>(new Map());
  const [thresholds, setThresholds] = useState<Thresholds | null>(null);
  const [error, setError] = useState("");
  const runs = store.runs;
  const row = store.detail.value ? runs.row(run) : -1;
  // What of the run can change, as one text.
  const version = (runs.version.value, row < 0 ? "" : ["status", "reports", "attempt", "ended"].map((key) => runs.data(key)[row]).join());
  const busy = useRef(false);
  useEffect(() => {
    if (!store.detail.value || busy.current) return;
    busy.current = true;
    let over = false;
    (async () => {
      try {
        const told = await store.source.run(store.id, run);
        if (over) return;
        setDetail(told);
        const series = await Promise.all(told.metrics.map((metric) => store.source.series(store.id, metric.name, [run], POINTS)));
        if (over) return;
        setCurves(new Map(series.flatMap((list, i) => (list[0] ? [[told.metrics[i].name, curveOf(list[0])] as [string, Curve]] : []))));
        setThresholds(await store.source.thresholds(store.id, run).catch(() => null));
        setError("");
      } catch (failure) {
        if (!over) setError((failure as Error).message);
      } finally {
        busy.current = false;
      }
    })();
    return () => {
      over = true;
      busy.current = false;
    };
  }, [store, run, store.detail.value === null, version]);
  return { detail, curves, thresholds, error };
}

function Figure({ label, children }: { label: string; children: preact.ComponentChildren }) {
  return <div class="figure"><dt>{label}</dt><dd>{children}</dd></div>;
}

// Pages are shown to others, and pictures of them passed on.
const SECRET = /TOKEN|SECRET|PASSWORD|PASSWD|CREDENTIAL|API_?KEY|ACCESS_KEY/i;

function Secret({ value }: { value: string }) {
  const [shown, show] = useState(false);
  return shown ? <>{value}</> : <button type="button" class="toggle" onClick={() => show(true)}>show</button>;
}

const word = (run: Run) => (run.status === "Canceled" && run.ended_by === "policy" ? "Stopped" : run.status);

export function RunPage({ source, id, run }: { source: Source; id: string; run: number }) {
  const store = useSweep(source, id);
  const { detail, curves, thresholds, error } = useRun(store, run);
  const sweep = store.detail.value;
  useEffect(() => {
    document.title = `Run ${run}, ${sweep?.name || sweep?.short_id || id} – hdrive`;
  }, [run, sweep?.name]);
  if (store.error.value && !sweep) return <div class="page"><Failure message={store.error.value} /></div>;
  if (error && !detail) return <div class="page"><p class="crumbs"><a href={`#/sweeps/${id}`}>The sweep</a></p><Failure message={error} /></div>;
  if (!detail || !sweep) return <div class="page"><Loading what={`Reading run ${run}`} /></div>;
  const primary = detail.metrics.find((metric) => metric.name === sweep.metric);
  const best = primary ? toNumber(sweep.goal === "Minimize" ? primary.least : primary.greatest) : NaN;
  const started = detail.started ? Date.parse(detail.started) / 1000 : NaN;
  const incumbent = sweep.best?.run === run;
  const running = detail.status === "Running";
  const took = detail.duration_seconds ?? (detail.started ? Math.max(0, (now.value - Date.parse(detail.started)) / 1000) : NaN);
  const others = detail.metrics.filter((metric) => metric.name !== sweep.metric);
  const other = others.length === 1 ? "wide-12" : others.length === 2 || others.length === 4 ? "wide-6" : "wide-4";
  return (
    <div class="page page-wide">
      <header class="sweep-head">
        <div class="sweep-title">
          <div>
            <p class="crumbs"><a href="#/">Sweeps</a> / <a href={`#/sweeps/${id}`}>{sweep.name || sweep.short_id}</a></p>
            <h1>Run {run} {incumbent && <span class="incumbent-tag">best run</span>}</h1>
            <p class="quiet"><StatusMark status={word(detail)} /> <span class="id">{detail.run_id}</span><Copy text={detail.run_id} label="Copy the run's id" /></p>
          </div>
          <div class="actions">
            <a class="button" aria-disabled={run === 0} href={`#/sweeps/${id}/runs/${Math.max(0, run - 1)}`}>← {Math.max(0, run - 1)}</a>
            <a class="button" href={`#/sweeps/${id}/runs/${Math.min(sweep.runs - 1, run + 1)}`}>{Math.min(sweep.runs - 1, run + 1)} →</a>
            <RunActions store={store} run={detail} />
          </div>
        </div>
        <dl class="figures">
          <div class={`figure figure-best ${incumbent ? "" : "plain-best"}`}><dt>best {sweep.metric} {sweep.goal === "Minimize" ? "↓" : "↑"}</dt>
            <dd><strong>{Number.isNaN(best) ? "–" : number(best, 5)}</strong></dd></div>
          <Figure label="reports">{count(primary?.count ?? 0)}{primary && primary.not_finite > 0 && <small>, {primary.not_finite} not finite</small>}</Figure>
          <Figure label={running ? "running for" : "took"}>{duration(took)}</Figure>
          {detail.started && <Figure label="started"><Ago at={detail.started} /></Figure>}
          {detail.cpu_seconds !== null && <Figure label="processor time">{duration(detail.cpu_seconds)}</Figure>}
          {detail.peak_memory_bytes !== null && <Figure label="memory at most">{bytes(detail.peak_memory_bytes)}</Figure>}
          {detail.slot !== null && <Figure label="slot">{detail.slot}{detail.target && detail.target !== "local" && <small> on {detail.target}</small>}</Figure>}
          {detail.exit_code !== null && <Figure label="exit code">{detail.exit_code ? <span class="bad">{detail.exit_code}</span> : 0}</Figure>}
          {detail.signal !== null && <Figure label="ended by signal">{detail.signal}</Figure>}
          {detail.attempt > 1 && <Figure label="attempt">{detail.attempt}</Figure>}
        </dl>
        {detail.reason && detail.status !== "Completed" && <p class={`notice ${detail.status === "Failed" ? "bad" : ""}`}>{detail.reason}</p>}
        {detail.canceling && <p class="notice">Being cancelled: {detail.canceling.reason || detail.canceling.cause}</p>}
        {detail.lost_contact && <p class="notice">Out of reach since <Ago at={detail.lost_contact.since} />: {detail.lost_contact.why}. It keeps its place until it is heard of again.</p>}
      </header>
      <div class="board">
        <RunCurve class="wide-8" height={320} title={sweep.metric} curve={curves.get(sweep.metric) ?? null} started={started} thresholds={thresholds} goal={sweep.goal} file={`${detail.run_id}-${sweep.metric}`}
                  running={running} note={detail.verdict ? `The policy ${detail.verdict.what === "stopped" ? "stopped it" : "let it go on"}: ${detail.verdict.reason}` : detail.policy_sentence} />
        <section class="panel facts wide-4">
          <h2>Parameters</h2>
          <ParameterList store={store} parameters={detail.parameters} />
          <h2>Why these</h2>
          <p>{detail.start_point ? "A start point of the configuration. " : ""}{detail.proposal || "–"}</p>
        </section>
        {others.map((metric) => (
          <RunCurve key={metric.name} class={other} height={200} title={metric.name} curve={curves.get(metric.name) ?? null} started={started} thresholds={null} goal={null} running={running} file={`${detail.run_id}-${metric.name}`}
                    note={`last ${number(toNumber(metric.last))}, ${number(toNumber(metric.least))} to ${number(toNumber(metric.greatest))}`} />
        ))}
        {other === "wide-4" && others.length % 3 !== 0 && <div class={`panel filler wide-${others.length % 3 === 1 ? 8 : 4}`} />}
      </div>
      <RunLogs source={source} id={id} run={run} running={running} attempt={detail.attempt} />
      <RunFiles source={source} id={id} run={run} running={running} />
      <div class="columns">
        <section class="panel facts">
          <h2>Command</h2>
          <CommandLine text={detail.command_line} />
          <h2>Directory</h2>
          <CommandLine text={detail.directory} />
          {detail.attempts.length > 0 && <><h2>Attempts before</h2><ul>{detail.attempts.map((one) => <li>{one.attempt}: {one.cause}, {one.reason} <span class="quiet"><Ago at={one.time} /></span></li>)}</ul></>}
        </section>
        {Object.keys(detail.environment).length > 0 && (
          <section class="panel facts">
            <h2>Environment</h2>
            <table class="plain"><tbody>{Object.entries(detail.environment).map(([key, value]) => <tr><th scope="row" class="mono">{key}</th><td class="mono">{SECRET.test(key) ? <Secret value={value} /> : value}</td></tr>)}</tbody></table>
          </section>
        )}
      </div>
    </div>
  );
}
