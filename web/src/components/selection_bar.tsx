// SPDX-License-Identifier: Apache-2.0
// What is brushed, in words, wherever one has scrolled to; each can be taken away.
import { count, number } from "../data/format";
import type { Column } from "../data/runs";
import type { Range } from "../data/selection";
import type { SweepStore } from "../data/sweep_store";
import { moment } from "../data/format";
import { Icon } from "./icon";

export function rangeText(column: Column, [low, high]: Range): string {
  if (column.categories) {
    const names = column.categories.filter((_, i) => i >= low && i <= high);
    return names.slice(0, 4).join(", ") + (names.length > 4 ? ` and ${names.length - 4} more` : "");
  }
  const text = (value: number) => (column.kind === "time" ? moment(value * 1000).slice(5, 16) : number(column.kind === "integer" ? Math.round(value) : value, 3));
  if (low === -Infinity) return `up to ${text(high)}`;
  return high === Infinity ? `from ${text(low)}` : `${text(low)} to ${text(high)}`;
}

export function SelectionBar({ store }: { store: SweepStore }) {
  const { brushes, mask, text } = store.selection;
  const shown = [...brushes.value].filter(([, ranges]) => ranges.length);
  if (!shown.length && !text.value) return null;
  return (
    <div class="selection-bar" role="status">
      <strong>{count(mask.value.count)}</strong> of {count(store.runs.rows)} runs
      {shown.map(([key, ranges]) => {
        const column = store.runs.column(key);
        if (!column) return null;
        const words = ranges.map((range) => rangeText(column, range)).join(" or ");
        return (
          <button type="button" key={key} class="brush-chip" onClick={() => store.selection.brush(key, [])} title="Take this filter away">
            <b>{column.label}</b> {words}<Icon name="close" />
          </button>
        );
      })}
      {text.value && <button type="button" class="brush-chip" onClick={() => (text.value = "")}><b>with</b> {text.value}<Icon name="close" /></button>}
      <button type="button" class="toggle" onClick={() => store.selection.clear()}>show all</button>
    </div>
  );
}
