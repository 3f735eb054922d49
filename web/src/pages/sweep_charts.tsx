// SPDX-License-Identifier: Apache-2.0
import { Importance } from "../charts/bars";
import { Contour } from "../charts/contour";
import { Curves } from "../charts/curves";
import { Edf } from "../charts/edf";
import { History } from "../charts/history";
import { Model } from "../charts/model";
import { Parallel } from "../charts/parallel";
import { Rank } from "../charts/rank";
import { Scatter, Slices } from "../charts/scatter";
import { Thresholds } from "../charts/thresholds";
import { Timeline } from "../charts/timeline";
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
      <div class="board">
        <Scatter store={store} class="wide-5" />
        <Contour store={store} class="wide-4" />
        <Importance store={store} class="wide-3" />
        <Model store={store} class="wide-12" />
        <Slices store={store} class="wide-12" />
        <Thresholds store={store} class="wide-5" />
        <Rank store={store} class="wide-4" />
        <Edf store={store} class="wide-3" />
        <Timeline store={store} class="wide-12" />
      </div>
    </>
  );
}
