// SPDX-License-Identifier: Apache-2.0
// What early stopping would have done: the threshold of a policy over the curves, where it would have ended each, and what that saves.
import { useMemo, useRef, useState } from "preact/hooks";
import { running } from "../data/curves";
import type { SweepStore } from "../data/sweep_store";
import { count, percent } from "../data/format";
import { Choice } from "../components/controls";
import { drawAxes, layout } from "./axes";
import { Chart, type Table } from "./chart";
import type { Drawing } from "./plot";
import { replay, type ReplayPolicy } from "./replay";
import { quantile } from "./scale";

const SLACKS: [string, string][] = [["0.02", "2 %"], ["0.05", "5 %"], ["0.1", "10 %"], ["0.15", "15 %"], ["0.2", "20 %"], ["0.3", "30 %"], ["0.5", "50 %"], ["1", "100 %"]];
const DELAYS = [1, 3, 5, 6, 10, 20, 50];

export function Thresholds({ store, class: className }: { store: SweepStore; class?: string }) {
  const detail = store.detail.value!;
  const own = detail.policy_settings;
  const [kind, setKind] = useState<ReplayPolicy["kind"]>(own?.kind === "median_stopping" || own?.kind === "truncation_selection" ? own.kind : "bandit");
  const [slack, setSlack] = useState(own?.slack_factor ?? (own?.truncation_percentage ? own.truncation_percentage / 100 : 0.1));
  const [delay, setDelay] = useState(Math.max(1, own?.delay_evaluation ?? 5));
  const state = store.curves(detail.metric);
  const { curves, error } = state.value;
  const result = useMemo(() => (curves ? replay(curves.list, { kind, slack, delay, interval: Math.max(1, own?.evaluation_interval ?? 1) }, detail.goal) : null), [curves, kind, slack, delay]);
  const latest = useRef({ curves, result });
  latest.current = { curves, result };
  const drawing: Drawing = useMemo(() => ({
    watch: () => { state.value; store.selection.mask.value; },
    draw: (p, size, theme) => {
      const { curves, result } = latest.current;
      if (!curves || !result) return;
      const best = curves.list.map((curve) => running(curve.value, detail.goal));
      const all = Float64Array.from(best.flatMap((values) => [...values]).filter(Number.isFinite)).sort();
      const frame = layout(size, { kind: "linear", low: 1, high: result.places[result.places.length - 1] ?? 1, label: "report", pad: 0.01 },
        { kind: "linear", low: detail.goal === "Minimize" ? all[0] : quantile(all, 0.06), high: detail.goal === "Minimize" ? quantile(all, 0.94) : all[all.length - 1], label: `best so far ${detail.metric}` });
      drawAxes(p, frame, theme);
      const ends: [number, number][] = [];
      p.clip(frame.left, frame.top, frame.width + 1, frame.height + 1, () => {
        const alpha = Math.max(0.25, Math.min(0.9, 60 / curves.list.length));
        curves.list.forEach((curve, i) => {
          const x = Array.from(curve.place, frame.x.map), y = Array.from(best[i], frame.y.map);
          const at = result.stoppedAt[i];
          let cut = x.length;
          if (at) while (cut > 1 && curve.place[cut - 1] > at) --cut;
          p.line(x, y, 0, cut, { color: at ? theme.status[5] : theme.shades[48], alpha, width: 1.1 });
          if (at) {
            p.line(x, y, cut - 1, x.length, { color: theme.faded, alpha: alpha * 0.8, dash: [2, 3] });
            ends.push([x[cut - 1], y[cut - 1]]);
          }
        });
        if (ends.length < 400) for (const [x, y] of ends) p.circle(x, y, 2, { fill: theme.status[3] });
        p.line(result.places.map(frame.x.map), result.threshold.map(frame.y.map), 0, result.places.length, { color: theme.status[3], width: 2 });
      });
    },
  }), [store]);
  const table = (): Table => ({ columns: ["report", "threshold"], rows: (result?.places ?? []).map((place, i) => [place, result!.threshold[i]]) });
  const slacks = SLACKS.some(([value]) => Number(value) === slack) ? SLACKS : [...SLACKS, [String(slack), percent(slack)] as [string, string]].sort((a, b) => Number(a[0]) - Number(b[0]));
  return (
    <Chart title="Early stopping, replayed" about="What a policy would have done with these curves, as if all runs had trained side by side." class={className} height={320} drawing={drawing} table={table}
           file={`${store.id}-thresholds`} state={error ? { error } : !curves ? { loading: "Curves are on their way" } : curves.list.length < 2 ? { empty: "It takes two runs to compare." } : "ready"}
           controls={<>
             <Choice label="Policy" value={kind} options={[["bandit", "bandit"], ["median_stopping", "median"], ["truncation_selection", "truncation"]]} onChange={(value) => setKind(value as ReplayPolicy["kind"])} />
             {kind !== "median_stopping" && <Choice label={kind === "bandit" ? "Slack" : "Share stopped at each look"} value={String(slack)} options={kind === "bandit" ? slacks : slacks.filter(([v]) => Number(v) < 1)} onChange={(value) => setSlack(Number(value))} />}
             <Choice label="From which report on" value={String(delay)} options={[...new Set([...DELAYS, delay])].sort((a, b) => a - b).map((n) => [String(n), `from ${n}`])} onChange={(value) => setDelay(Number(value))} />
           </>}
           legend={result && <>
             <span><i class="key failed" />threshold</span>
             <span>would stop {count(result.stopped)} of {count(curves!.list.length)} and save {percent(result.saved)} of the reports</span>
             <span class={result.bestLost ? "bad" : ""}>{result.bestLost ? "the best run would have been lost" : "the best run would have gone on"}</span>
           </>} />
  );
}
