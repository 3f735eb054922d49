// SPDX-License-Identifier: Apache-2.0
import { Curves } from "../charts/curves";
import { History } from "../charts/history";
import { Parallel } from "../charts/parallel";
import { RunTable } from "../components/run_table";
import type { SweepStore } from "../data/sweep_store";

export function ChartsTab({ store }: { store: SweepStore }) {
  return (
    <>
      <div class="board">
        <Curves store={store} class="wide-8" />
        <History store={store} class="wide-4" />
        <Parallel store={store} class="wide-12" />
      </div>
      <RunTable store={store} />
    </>
  );
}
