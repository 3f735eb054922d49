// SPDX-License-Identifier: Apache-2.0
// What can be done with a run from here.
import type { Run } from "../api/types";
import { ask } from "../components/command_dialog";
import { askEnqueue } from "../components/enqueue";
import { Icon } from "../components/icon";
import type { SweepStore } from "../data/sweep_store";

export function RunActions({ store, run }: { store: SweepStore; run: Run }) {
  const detail = store.detail.value;
  if (!store.source.live || !detail || store.over.value) return null;
  const address = `${store.id}/${run.number}`;
  const done = () => void store.reload();
  const alive = run.status === "Running" || run.status === "Queued";
  return (
    <>
      {alive && <button type="button" class="button" onClick={() => ask({ title: `Stop run ${run.number}?`, text: "It is ended with all its processes, and its slot goes to the next.", action: "Stop the run", danger: true, args: () => ["stop", address], done })}><Icon name="stop" />Stop</button>}
      {!alive && <button type="button" class="button" onClick={() => ask({ title: `Try run ${run.number} again?`, text: "As the next attempt of the same run, with the same parameters; the metrics of the attempts before no longer count.", action: "Retry", args: () => ["retry", address], done })}>Retry</button>}
      <button type="button" class="button" onClick={() => askEnqueue(detail, done, { run: run.number, parameters: run.parameters })}><Icon name="plus" />Near this run</button>
    </>
  );
}
