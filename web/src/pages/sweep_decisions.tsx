// SPDX-License-Identifier: Apache-2.0
// What was decided and why, newest first.
import { useEffect, useState } from "preact/hooks";
import { toNumber, type Decision } from "../api/types";
import { Choice } from "../components/controls";
import { Ago, Empty, Failure, Loading } from "../components/links";
import { number } from "../data/format";
import type { SweepStore } from "../data/sweep_store";

export function DecisionsTab({ store }: { store: SweepStore }) {
  const [list, setList] = useState<Decision[] | null>(null);
  const [more, setMore] = useState(false);
  const [error, setError] = useState("");
  const [only, setOnly] = useState("");
  const fetchSome = async (before?: number) => {
    try {
      const told = await store.source.decisions(store.id, before);
      setList((known) => (before === undefined ? told.decisions : [...(known ?? []), ...told.decisions]));
      setMore(told.more);
    } catch (failure) {
      setError((failure as Error).message);
    }
  };
  // A live sweep's list is read again as runs end, as long as one looks at its beginning.
  const ended = (store.detail.value?.runs ?? 0) - (store.detail.value?.live ?? 0);
  useEffect(() => {
    if (!list || list.length <= 200) void fetchSome();
  }, [store, ended]);
  if (error) return <Failure message={error} again={() => { setError(""); void fetchSome(); }} />;
  if (!list) return <Loading what="Reading the decisions" />;
  const kinds = [...new Set(list.map((decision) => decision.what))].sort();
  const shown = list.filter((decision) => !only || decision.what === only);
  if (!list.length) return <Empty title="Nothing has been decided yet"><p>Here stands why each run was stopped, retried or let go on.</p></Empty>;
  return (
    <section class="panel">
      <header class="chart-head"><h2>Decisions</h2><div class="chart-controls">
        <Choice label="Which decisions" value={only} options={[["", "all"], ...kinds.map((kind): [string, string] => [kind, kind])]} onChange={setOnly} /></div></header>
      <ol class="decisions">
        {shown.map((decision) => (
          <li key={decision.index} class={`decision-${decision.what}`}>
            <span class="quiet"><Ago at={decision.time} /></span>
            <a href={`#/sweeps/${store.id}/runs/${decision.run}`}>run {decision.run}{decision.attempt > 1 && `, attempt ${decision.attempt}`}</a>
            <b>{decision.what}</b>
            <span>{decision.reason}{decision.value !== null && decision.threshold !== null &&
              <span class="quiet"> ({number(toNumber(decision.value))} against {number(toNumber(decision.threshold))})</span>}</span>
          </li>
        ))}
      </ol>
      {more && <p class="more"><button type="button" class="button" onClick={() => void fetchSome(list[list.length - 1].index)}>Earlier ones</button></p>}
    </section>
  );
}
