// SPDX-License-Identifier: Apache-2.0
// A surface from scattered runs: the mean around each place, weighted by a Gaussian (Nadaraya and Watson, 1964). Runs are first counted
// into cells, so that 10^5 of them cost no more than the cells do; where no run is near there is no value.

export interface Field {
  columns: number;
  rows: number;
  /** Row by row from the bottom; NaN where no run is near. */
  value: Float64Array;
}

function blur(data: Float64Array, columns: number, rows: number, sigma: number): Float64Array {
  const reach = Math.ceil(sigma * 3);
  const kernel = Float64Array.from({ length: 2 * reach + 1 }, (_, i) => Math.exp(-((i - reach) ** 2) / (2 * sigma * sigma)));
  const pass = (source: Float64Array, along: number, across: number, step: number, stride: number) => {
    const result = new Float64Array(source.length);
    for (let j = 0; j < across; ++j)
      for (let i = 0; i < along; ++i) {
        let sum = 0;
        for (let k = -reach; k <= reach; ++k) if (i + k >= 0 && i + k < along) sum += kernel[k + reach] * source[j * stride + (i + k) * step];
        result[j * stride + i * step] = sum;
      }
    return result;
  };
  return pass(pass(data, columns, rows, 1, columns), rows, columns, columns, 1);
}

/** `x` and `y` from 0 to 1; what is NaN is left out. */
export function field(x: ArrayLike<number>, y: ArrayLike<number>, value: ArrayLike<number>, count: number, columns: number, rows: number, sigma: number): Field {
  const weight = new Float64Array(columns * rows), sum = new Float64Array(columns * rows);
  for (let i = 0; i < count; ++i) {
    const v = value[i];
    if (!Number.isFinite(v) || !(x[i] >= 0 && x[i] <= 1 && y[i] >= 0 && y[i] <= 1)) continue;
    const cell = Math.min(rows - 1, Math.floor(y[i] * rows)) * columns + Math.min(columns - 1, Math.floor(x[i] * columns));
    weight[cell]++;
    sum[cell] += v;
  }
  const w = blur(weight, columns, rows, sigma), s = blur(sum, columns, rows, sigma);
  return { columns, rows, value: w.map((total, i) => (total > 0.08 ? s[i] / total : NaN)) };
}

/** Segments of the line on which the field has a value (marching squares), in cells from the lower left centre. */
export function isoline({ columns, rows, value }: Field, level: number): [number, number, number, number][] {
  const segments: [number, number, number, number][] = [];
  for (let j = 0; j + 1 < rows; ++j)
    for (let i = 0; i + 1 < columns; ++i) {
      const corners = [value[j * columns + i], value[j * columns + i + 1], value[(j + 1) * columns + i + 1], value[(j + 1) * columns + i]];
      if (corners.some(Number.isNaN)) continue;
      const places = [[i, j], [i + 1, j], [i + 1, j + 1], [i, j + 1]];
      const cuts: [number, number][] = [];
      for (let k = 0; k < 4; ++k) {
        const a = corners[k], b = corners[(k + 1) % 4];
        if (a < level === b < level) continue;
        const t = (level - a) / (b - a);
        const [p, q] = [places[k], places[(k + 1) % 4]];
        cuts.push([p[0] + (q[0] - p[0]) * t, p[1] + (q[1] - p[1]) * t]);
      }
      for (let k = 0; k + 1 < cuts.length; k += 2) segments.push([...cuts[k], ...cuts[k + 1]]);
    }
  return segments;
}
