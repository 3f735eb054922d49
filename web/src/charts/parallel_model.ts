// SPDX-License-Identifier: Apache-2.0
// The axes of the parallel coordinates without their drawing: where values stand, what a brush means, which order rows are drawn in.
import type { Column, RunTable } from "../data/runs";
import { extent, makeScale, robustExtent, type Scale } from "./scale";
import { kindOf } from "./cloud";

export interface AxisState {
  key: string;
  flipped: boolean;
  /** null: as the search space says. */
  log: boolean | null;
}

/** Below the axis stand runs that do not have the parameter. */
export const ABSENT = -0.055;

/** A scale from 0 (bottom) to 1 (top). */
export function axisScale(table: RunTable, column: Column, state: AxisState): Scale {
  const wanted = state.log ?? column.log;
  let [low, high] = column.key === "best" ? robustExtent(column.data, table.rows) : extent(column.data, table.rows, false);
  const log = wanted && low > 0;
  if (!log && wanted) [low, high] = extent(column.data, table.rows, true);
  const [from, to] = state.flipped ? [1, 0] : [0, 1];
  const factor = column.kind === "time" ? 1000 : 1;
  return makeScale(kindOf(column, wanted && low > 0), low * factor, high * factor, from, to, column.categories ?? []);
}

export function positions(table: RunTable, column: Column, scale: Scale): Float32Array {
  const result = new Float32Array(table.rows);
  const factor = column.kind === "time" ? 1000 : 1;
  for (let i = 0; i < table.rows; ++i) {
    const at = scale.map(column.data[i] * factor);
    // What diverged stands at the end of its axis, not outside of the picture.
    result[i] = Number.isNaN(at) ? ABSENT : Math.min(1, Math.max(0, at));
  }
  return result;
}

/** A brush from pixel shares to values; of categories it takes each that it touches in the middle. */
export function rangeOf(scale: Scale, column: Column, a: number, b: number): [number, number] {
  const factor = column.kind === "time" ? 1000 : 1;
  const one = scale.invert(a) / factor, two = scale.invert(b) / factor;
  let [low, high] = one < two ? [one, two] : [two, one];
  if (column.categories) return [Math.round(low) - 0.5, Math.round(high) + 0.5];
  // At the end of an axis the brush takes also what lies beyond it.
  if (Math.max(a, b) >= 0.999) [low, high] = scale.from === 0 ? [low, Infinity] : [-Infinity, high];
  if (Math.min(a, b) <= 0.001) [low, high] = scale.from === 0 ? [-Infinity, high] : [low, Infinity];
  return [low, high];
}

/** A fixed shuffle: any beginning of it is a fair sample of all rows. */
export function shuffled(rows: number): Uint32Array {
  const result = Uint32Array.from({ length: rows }, (_, i) => i);
  let state = 0x9e3779b9;
  for (let i = rows - 1; i > 0; --i) {
    state = (Math.imul(state ^ (state >>> 15), 0x85ebca6b) + 0x6d2b79f5) >>> 0;
    const j = state % (i + 1);
    const kept = result[i];
    result[i] = result[j];
    result[j] = kept;
  }
  return result;
}

export function defaultAxes(table: RunTable, room: number): AxisState[] {
  const keys = table.parameters.map((column) => column.key).slice(0, Math.max(1, room - 1));
  return [...keys, "best"].map((key) => ({ key, flipped: key === "best" && table.goal === "Minimize", log: null }));
}
