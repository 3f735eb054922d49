// SPDX-License-Identifier: Apache-2.0
// One sweep: its numbers, its runs as a strip, and behind tabs the charts with the runs' table, decisions, configuration and log.
import { effect } from "@preact/signals";
import { useEffect, useState } from "preact/hooks";
import { connected, over } from "../app";
import { toNumber, type SweepDetail } from "../api/types";
import { Ago, Copy, Failure, Loading, now, StatusMark, Until } from "../components/links";
import { RunStrip } from "../components/run_strip";
import { SelectionBar } from "../components/selection_bar";
import { bytes, count, duration, number } from "../data/format";
import type { Source } from "../data/source";
import { SweepStore } from "../data/sweep_store";
import { ConfigurationTab } from "./sweep_configuration";
import { ChartsTab } from "./sweep_charts";
import { DecisionsTab } from "./sweep_decisions";
import { LogTab } from "./sweep_log";
import { SweepActions } from "./sweep_actions";

// Going to a run and back keeps the page as it was: one store is kept, with its brushes.
let kept: SweepStore | null = null;

export function useSweep(source: Source, id: string): SweepStore {
  const [store] = useState(() => {
    if (kept?.id === id && kept.source === source && !kept.error.peek()) return kept;
    kept?.close();
    kept = new SweepStore(source, id);
    void kept.open();
    return kept;
  });
  useEffect(() => effect(() => {
    connected.value = store.connected.value;
    if (store.over.value) over.value = true;
  }), [store]);
  return store;
}

const TABS: [string, string][] = [["charts", "Charts"], ["decisions", "Decisions"], ["configuration", "Configuration"], ["log", "Engine log"]];

function Figure({ label, children, title }: { label: string; children: preact.ComponentChildren; title?: string }) {
  return <div class="figure" title={title}><dt>{label}</dt><dd>{children}</dd></div>;
}

export function elapsed(detail: SweepDetail): number {
  // The server told it at its last change; a live sweep's goes on.
  if (detail.state !== "live" || !detail.changed) return detail.active_seconds;
  return detail.active_seconds + Math.max(0, Math.min(60, (now.value - Date.parse(detail.changed)) / 1000));
}

function Header({ store, detail }: { store: SweepStore; detail: SweepDetail }) {
  const best = detail.best ? toNumber(detail.best.value) : NaN;
  const total = detail.max_total_runs;
  const share = detail.saved_seconds !== null && detail.compute_seconds > 0 ? detail.saved_seconds / (detail.compute_seconds + detail.saved_seconds) : 0;
  const warnings = store.notes.value.filter((note) => note.level !== "info");
  return (
    <header class="sweep-head">
      <div class="sweep-title">
        <div>
          <p class="crumbs"><a href="#/">Sweeps</a></p>
          <h1>{detail.name || detail.short_id}</h1>
          <p class="quiet"><StatusMark status={detail.status} state={detail.state} /> <span class="id">{detail.id}</span><Copy text={detail.id} label="Copy the sweep's id" /></p>
        </div>
        <SweepActions store={store} detail={detail} />
      </div>
      {detail.description && <p class="description">{detail.description}</p>}
      <dl class="figures">
        <div class="figure figure-best">
          <dt>best {detail.metric} {detail.goal === "Minimize" ? "↓" : "↑"}</dt>
          <dd>{detail.best ? <><strong>{number(best, 5)}</strong><a href={`#/sweeps/${detail.id}/runs/${detail.best.run}`}>run {detail.best.run}</a></> : <span class="quiet">none yet</span>}</dd>
        </div>
        <Figure label="runs">{count(detail.runs)}{total !== null && <small> of {count(total)}</small>}{detail.live > 0 && <small>, {detail.live} now</small>}</Figure>
        {detail.stopped > 0 && <Figure label="stopped early">{count(detail.stopped)}</Figure>}
        {detail.failed > 0 && <Figure label="failed"><span class="bad">{count(detail.failed)}</span></Figure>}
        <Figure label="time" title="Active time: pauses do not count">{duration(elapsed(detail))}</Figure>
        {detail.state === "live" && detail.expected_end && <Figure label="expected end"><Until at={detail.expected_end} /></Figure>}
        <Figure label="compute">{duration(detail.compute_seconds)}</Figure>
        {detail.saved_seconds !== null && detail.saved_seconds > 0 && (
          <Figure label="saved by stopping" title={`About ${Math.round(share * 100)} % of what all runs would have taken`}>{duration(detail.saved_seconds)} <small>{Math.round(share * 100)} %</small></Figure>
        )}
        {detail.size_bytes !== null && <Figure label="on disk">{bytes(detail.size_bytes)}</Figure>}
      </dl>
      <RunStrip store={store} />
      {store.gone.value && <p class="notice bad" role="alert">This sweep has been deleted. What is shown is what was known of it.</p>}
      {detail.state === "orphaned" && <p class="notice">No engine runs this sweep any more; its runs may still be training. <code>hdrive resume {detail.short_id}</code> goes on with it.</p>}
      {detail.damaged && <p class="notice bad">{detail.damaged}</p>}
      {warnings.length === 1 && <p class={`notice ${warnings[0].level === "error" ? "bad" : ""}`}>{warnings[0].text} <span class="quiet"><Ago at={warnings[0].time} /></span></p>}
      {warnings.length > 1 && (
        <details class="notice">
          <summary>{warnings.length} warnings, the last: {warnings[0].text}</summary>
          <ul>{warnings.slice(0, 20).map((note) => <li class={note.level === "error" ? "bad" : ""}>{note.text} <span class="quiet"><Ago at={note.time} /></span></li>)}</ul>
        </details>
      )}
    </header>
  );
}

export function SweepPage({ source, id, tab }: { source: Source; id: string; tab: string }) {
  const store = useSweep(source, id);
  const detail = store.detail.value;
  const title = detail?.name || detail?.short_id || id;
  useEffect(() => {
    document.title = `${title} – hdrive`;
  }, [title]);
  if (store.error.value && !detail) return <div class="page"><Failure message={store.error.value} again={() => location.reload()} /></div>;
  if (store.loading.value || !detail) return <div class="page"><Loading what="Reading the sweep" /></div>;
  return (
    <div class="page page-wide">
      <Header store={store} detail={detail} />
      <nav class="tabs" aria-label="Parts of the sweep">
        {TABS.map(([key, text]) => <a href={`#/sweeps/${id}${key === "charts" ? "" : `/${key}`}`} aria-current={tab === key ? "page" : undefined}>{text}</a>)}
      </nav>
      {tab === "decisions" ? <DecisionsTab store={store} />
        : tab === "configuration" ? <ConfigurationTab detail={detail} />
        : tab === "log" ? <LogTab store={store} />
        : <><SelectionBar store={store} /><ChartsTab store={store} /></>}
    </div>
  );
}
