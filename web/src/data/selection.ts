// SPDX-License-Identifier: Apache-2.0
// What is brushed, in any chart, filters all of them: ranges by column, of which a run must meet one for each column.
import { computed, signal, type ReadonlySignal } from "@preact/signals";
import type { RunTable } from "./runs";

export type Range = [number, number];
export type Brushes = ReadonlyMap<string, Range[]>;

export interface Mask {
  /** 1 where the run is selected; as long as the table at least. */
  bits: Uint8Array;
  count: number;
  /** Nothing is brushed: all are. */
  all: boolean;
}

export function maskOf(table: RunTable, brushes: Brushes, text = ""): Mask {
  const bits = new Uint8Array(table.rows).fill(1);
  for (const [key, ranges] of brushes) {
    if (!ranges.length) continue;
    const data = table.data(key);
    if (ranges.length === 1) {
      const [low, high] = ranges[0];
      for (let i = 0; i < bits.length; ++i) if (!(data[i] >= low && data[i] <= high)) bits[i] = 0;
      continue;
    }
    for (let i = 0; i < bits.length; ++i) {
      if (!bits[i]) continue;
      const value = data[i];
      if (!ranges.some(([low, high]) => value >= low && value <= high)) bits[i] = 0;
    }
  }
  if (text) filterText(table, bits, text.toLowerCase());
  let count = 0;
  for (let i = 0; i < bits.length; ++i) count += bits[i];
  return { bits, count, all: count === bits.length && brushes.size === 0 && !text };
}

/** A run meets a text if its number is it, or one of its categories has it. */
function filterText(table: RunTable, bits: Uint8Array, text: string): void {
  const exact = /^\d+$/.test(text) ? Number(text) : NaN;
  const numbers = table.data("number");
  const columns = [...table.columns.values()]
    .filter((column) => column.categories && column.key !== "ended_by")
    .map((column) => ({ data: column.data, met: column.categories!.map((option) => option.toLowerCase().includes(text)) }));
  for (let i = 0; i < bits.length; ++i) {
    if (!bits[i] || numbers[i] === exact) continue;
    if (!columns.some(({ data, met }) => met[data[i]])) bits[i] = 0;
  }
}

export class Selection {
  readonly brushes = signal<Brushes>(new Map());
  readonly text = signal("");
  /** The row under the pointer, in whichever chart; -1: none. */
  readonly hovered = signal(-1);
  readonly mask: ReadonlySignal<Mask>;

  constructor(private readonly table: RunTable) {
    this.mask = computed(() => {
      this.table.version.value;
      return maskOf(this.table, this.brushes.value, this.text.value);
    });
  }

  brush(key: string, ranges: Range[]): void {
    this.set([[key, ranges]]);
  }

  set(changes: [string, Range[]][]): void {
    const next = new Map(this.brushes.value);
    for (const [key, ranges] of changes) {
      if (ranges.length) next.set(key, ranges);
      else next.delete(key);
    }
    this.brushes.value = next;
  }

  clear(): void {
    this.brushes.value = new Map();
    this.text.value = "";
  }
}
