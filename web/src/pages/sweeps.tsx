// SPDX-License-Identifier: Apache-2.0
// All sweeps: what goes on, what came out, and from where to compare several.
import { effect } from "@preact/signals";
import { useEffect, useMemo, useState } from "preact/hooks";
import { connected, over } from "../app";
import { toNumber, type Sweep } from "../api/types";
import { Search } from "../components/controls";
import { Ago, CommandLine, Empty, Failure, Loading, StatusMark, Until } from "../components/links";
import { go, route, setQuery } from "../components/router";
import { Progress, Sparkline } from "../components/sparkline";
import { bytes, count, duration, number } from "../data/format";
import type { Source } from "../data/source";
import { SweepsStore } from "../data/sweeps_store";

const FILTERS: [string, string, (sweep: Sweep) => boolean][] = [
  ["", "all", () => true],
  ["live", "live", (sweep) => sweep.state === "live"],
  ["interrupted", "interrupted", (sweep) => sweep.state === "orphaned"],
  ["completed", "completed", (sweep) => sweep.state === "over" && sweep.status === "Completed"],
  ["failed", "failed", (sweep) => sweep.state === "over" && sweep.status !== "Completed"],
];

export function matches(sweep: Sweep, text: string): boolean {
  const all = [sweep.id, sweep.name, sweep.description, sweep.experiment, sweep.metric, sweep.sampler, sweep.policy, sweep.status,
               ...Object.entries(sweep.tags).flat()].join(" ").toLowerCase();
  return text.toLowerCase().split(/\s+/).every((word) => all.includes(word));
}

function Row({ sweep, chosen, choose }: { sweep: Sweep; chosen: boolean; choose(): void }) {
  const best = sweep.best ? toNumber(sweep.best.value) : NaN;
  const total = sweep.max_total_runs;
  return (
    <li class={`sweep-row state-${sweep.state}`} onClick={(event) => { if (!(event.target as Element).closest("a,input,label")) go(`#/sweeps/${sweep.id}`); }}>
      <label class="check"><input type="checkbox" checked={chosen} onChange={choose} aria-label={`Compare ${sweep.name || sweep.short_id}`} /></label>
      <div class="sweep-name">
        <a href={`#/sweeps/${sweep.id}`}>{sweep.name || sweep.short_id}</a>
        <p class="quiet">
          {sweep.name && <span class="id">{sweep.short_id}</span>}
          <span>{sweep.sampler}{sweep.policy && `, ${sweep.policy.replace(/_/g, " ")}`}</span>
          {sweep.experiment && <span>{sweep.experiment}</span>}
          {Object.entries(sweep.tags).slice(0, 3).map(([key, value]) => <span class="tag">{key}{value && `: ${value}`}</span>)}
        </p>
        {sweep.damaged && <p class="damaged">{sweep.damaged}</p>}
      </div>
      <div class="sweep-state">
        <StatusMark status={sweep.status} state={sweep.state} />
        <span class="quiet">{sweep.state === "live" && sweep.expected_end ? <>ends <Until at={sweep.expected_end} /></> : <Ago at={sweep.created} />}{sweep.size_bytes !== null && sweep.size_bytes !== undefined && <span title="On disk">, {sweep.size_is_complete === false && "over "}{bytes(sweep.size_bytes)}</span>}</span>
      </div>
      <div class="sweep-progress">
        <Progress sweep={sweep} />
        <span class="quiet">{count(sweep.runs)}{total !== null && ` of ${count(total)}`} runs, {duration(sweep.active_seconds)}</span>
      </div>
      <div class="sweep-spark"><Sparkline sweep={sweep} /></div>
      <div class="sweep-best">
        {sweep.best ? <><strong>{number(best)}</strong><span class="quiet">{sweep.goal === "Minimize" ? "↓" : "↑"} {sweep.metric}</span></>
          : <span class="quiet">no value yet</span>}
      </div>
    </li>
  );
}

export function SweepsPage({ source }: { source: Source }) {
  const store = useMemo(() => new SweepsStore(source), [source]);
  const [chosen, setChosen] = useState<ReadonlySet<string>>(new Set());
  useEffect(() => {
    document.title = "Sweeps – hdrive";
    void store.open();
    const stop = effect(() => {
      connected.value = store.connected.value;
      if (store.over.value) over.value = true;
    });
    return () => {
      store.close();
      stop();
    };
  }, [store]);
  const { query } = route.value;
  const filter = FILTERS.find(([key]) => key === (query.get("show") ?? "")) ?? FILTERS[0];
  const text = query.get("q") ?? "";
  const all = store.sweeps.value;
  if (store.error.value && !all) return <div class="page"><Failure message={store.error.value} again={() => void store.load()} /></div>;
  if (!all) return <div class="page"><Loading what="Reading the sweeps" /></div>;
  const shown = all.filter((sweep) => filter[2](sweep) && matches(sweep, text));
  const choose = (id: string) => {
    const next = new Set(chosen);
    if (!next.delete(id) && next.size < 8) next.add(id);
    setChosen(next);
  };
  return (
    <div class="page">
      <div class="page-head">
        <h1>Sweeps</h1>
        <div class="filters" role="group" aria-label="Show">
          {FILTERS.map(([key, label, test]) => {
            const n = all.filter(test).length;
            if (key && !n) return null;
            return <button type="button" class="toggle" aria-pressed={filter[0] === key} onClick={() => setQuery({ show: key || null })}>{label} <span class="quiet">{n}</span></button>;
          })}
        </div>
        <div class="page-head-end">
          {chosen.size > 0 && <button type="button" class="button primary" disabled={chosen.size < 2} onClick={() => go(`#/compare?sweeps=${[...chosen].join(",")}`)}>
            Compare {chosen.size}</button>}
          <Search label="name, tag, metric" value={text} onInput={(value) => setQuery({ q: value })} />
        </div>
      </div>
      {store.problems.value.map((problem) => <p class="damaged" role="status">{problem.directory}: {problem.message}</p>)}
      {!all.length ? (
        <Empty title="No sweep yet"><p>Write a configuration from a script's arguments, and run it:</p><CommandLine text="hdrive init train.py && hdrive run" />
          <p><a href="#/new">Or begin one here.</a></p></Empty>
      ) : !shown.length ? <Empty title="Nothing meets this"><button type="button" class="button" onClick={() => setQuery({ q: null, show: null })}>Show all sweeps</button></Empty>
        : <ul class="sweep-list panel">{shown.map((sweep) => <Row key={sweep.id} sweep={sweep} chosen={chosen.has(sweep.id)} choose={() => choose(sweep.id)} />)}</ul>}
    </div>
  );
}
