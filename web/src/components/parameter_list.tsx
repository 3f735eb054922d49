// SPDX-License-Identifier: Apache-2.0
// A run's parameters, each with its place among all runs: a strip of marks in their shades, this run's on top.
import { useMemo } from "preact/hooks";
import type { Json } from "../api/types";
import { Plot, type Drawing } from "../charts/plot";
import { extent, makeScale } from "../charts/scale";
import { NONE } from "../data/ranks";
import { json } from "../data/format";
import type { Column } from "../data/runs";
import { categoryText } from "../data/runs";
import type { SweepStore } from "../data/sweep_store";

function Strip({ store, column, value }: { store: SweepStore; column: Column; value: Json }) {
  const drawing: Drawing = useMemo(() => ({
    watch: () => void store.runs.version.value,
    draw: (p, size, theme) => {
      const { rows } = store.runs;
      const [low, high] = extent(column.data, rows, column.log);
      const scale = makeScale(column.log && low > 0 ? "log" : column.categories ? "category" : "linear", low, high, 6, size.width - 6, column.categories ?? []);
      const shades = store.shades("best");
      p.line([4, size.width - 4], [9.5, 9.5], 0, 2, { color: theme.line2 });
      const stride = Math.max(1, Math.ceil(rows / 600));
      for (let i = 0; i < rows; i += stride) {
        const x = scale.map(column.data[i]);
        if (!Number.isNaN(x)) p.line([x, x], [5, 14], 0, 2, { color: shades[i] === NONE ? theme.faded : theme.shades[shades[i]], alpha: 0.55 });
      }
      const own = scale.map(column.categories ? column.categories.indexOf(categoryText(value)) : Number(value));
      if (!Number.isNaN(own)) p.circle(own, 9.5, 4.5, { fill: theme.ink, stroke: theme.surface, width: 1.5 });
    },
  }), [store, column, value]);
  return <Plot label={`${column.label} among all runs`} height={19} drawing={drawing} />;
}

export function ParameterList({ store, parameters }: { store: SweepStore; parameters: Record<string, Json> }) {
  return (
    <dl class="parameters">
      {Object.entries(parameters).map(([name, value]) => {
        const column = store.runs.column(`p:${name.replace(/^-+/, "")}`) ?? store.runs.column(`p:${name}`);
        return (
          <div key={name}>
            <dt>{name}</dt>
            <dd title={JSON.stringify(value)}>{json(value)}</dd>
            <dd class="parameter-strip">{column && <Strip store={store} column={column} value={value} />}</dd>
          </div>
        );
      })}
    </dl>
  );
}
