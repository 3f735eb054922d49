// SPDX-License-Identifier: Apache-2.0
// How good each run is among all, as one of 64 shades: by rank, so that a run that diverged takes no colour from the others.
import type { RunTable } from "./runs";

export const SHADES = 64;
export const NONE = 255;

/** The order of the rows by a column, rows without a value left out. */
export function order(data: Float64Array, rows: number): Uint32Array {
  const kept = new Uint32Array(rows);
  let size = 0;
  for (let i = 0; i < rows; ++i) if (!Number.isNaN(data[i])) kept[size++] = i;
  return kept.subarray(0, size).sort((a, b) => data[a] - data[b] || a - b);
}

/** 0 the worst, 63 the best by the goal (the greatest, for other columns); 255 without a value. */
export function shades(table: RunTable, key: string): Uint8Array {
  const result = new Uint8Array(table.rows).fill(NONE);
  const data = table.data(key);
  const sorted = order(data, table.rows);
  const turn = key === "best" && table.goal === "Minimize";
  const last = Math.max(1, sorted.length - 1);
  let rank = 0;
  sorted.forEach((row, i) => {
    // Equal values have one shade.
    if (i === 0 || data[row] !== data[sorted[i - 1]]) rank = i;
    const share = turn ? 1 - rank / last : rank / last;
    result[row] = Math.round(share * (SHADES - 1));
  });
  return result;
}
