// SPDX-License-Identifier: Apache-2.0
// How much each parameter mattered, as the server reckons it (PED-ANOVA, over the finished runs).
import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import { percent } from "../data/format";
import type { SweepStore } from "../data/sweep_store";
import { cut } from "./axes";
import { Chart } from "./chart";
import type { Drawing } from "./plot";

const FEWEST = 10;

export function Importance({ store, class: className }: { store: SweepStore; class?: string }) {
  const [list, setList] = useState<{ name: string; share: number }[] | null>(null);
  const [error, setError] = useState("");
  const detail = store.detail.value!;
  const finished = detail.completed + detail.stopped;
  // Every tenth of the budget is often enough.
  const epoch = Math.floor(finished / Math.max(5, (detail.max_total_runs ?? 100) / 10));
  useEffect(() => {
    // It needs ten; asking before that is an error of the server.
    if (finished < FEWEST) return setError(`Importance needs ${FEWEST} finished runs with a value; there ${finished === 1 ? "is" : "are"} ${finished}.`);
    if (store.over.peek()) return;
    store.source.importance(store.id).then((told) => { setList([...told].sort((a, b) => b.share - a.share)); setError(""); }, (failure) => setError(failure.message));
  }, [store, epoch]);
  const latest = useRef(list);
  latest.current = list;
  const drawing: Drawing = useMemo(() => ({
    watch: () => {},
    draw: (p, size, theme) => {
      const all = latest.current ?? [];
      const most = Math.max(0.01, ...all.map((one) => one.share));
      const row = Math.min(34, (size.height - 12) / Math.max(1, all.length));
      const left = Math.min(size.width * 0.42, 26 + Math.max(...all.map((one) => Math.min(20, one.name.length))) * 6.8);
      const room = size.width - left - 62;
      all.forEach(({ name, share }, i) => {
        const y = 6 + i * row + row / 2;
        p.text(left - 10, y, cut(name, 20), { color: theme.ink, size: 12, align: "right" });
        p.rect(left, y - row * 0.26, Math.max(1, (room * share) / most), row * 0.52, { fill: theme.shades[Math.round(20 + 36 * (share / most))] });
        p.text(left + (room * share) / most + 8, y, percent(share), { color: theme.ink2, size: 11 });
      });
    },
  }), [store]);
  return (
    <Chart title="Importance" about="How differently the best tenth of the finished runs is spread along each parameter than all of them are." class={className} height={340} drawing={drawing}
           file={`${store.id}-importance`} table={() => ({ columns: ["parameter", "share"], rows: (list ?? []).map((one) => [one.name, one.share]) })}
           state={list?.length ? "ready" : error ? { empty: error } : list ? { empty: "There are no parameters." } : { loading: "Reckoning" }}
           legend={<span class="hint">how differently the best tenth is spread than all runs are</span>} />
  );
}
