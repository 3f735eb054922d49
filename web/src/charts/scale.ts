// SPDX-License-Identifier: Apache-2.0
// From values to pixels and back, with ticks where people expect them.
import { duration, moment, number } from "../data/format";

export type ScaleKind = "linear" | "log" | "time" | "category" | "duration" | "integer";

export interface Scale {
  kind: ScaleKind;
  low: number;
  high: number;
  /** Pixels; `to` may be less than `from`. */
  from: number;
  to: number;
  map(value: number): number;
  invert(pixel: number): number;
  ticks(count: number): { value: number; label: string }[];
}

export function niceStep(span: number, count: number): number {
  const raw = span / Math.max(1, count);
  const power = 10 ** Math.floor(Math.log10(raw));
  const rest = raw / power;
  return (rest > 5 ? 10 : rest > 2 ? 5 : rest > 1 ? 2 : 1) * power;
}

const TIME_STEPS = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10800, 21600, 43200, 86400, 172800, 604800, 2592000];

function linearTicks(low: number, high: number, count: number, whole: boolean) {
  const span = high - low;
  if (!(span > 0)) return [{ value: low, label: number(low) }];
  const step = whole ? Math.max(1, niceStep(span, count)) : niceStep(span, count);
  const ticks = [];
  const digits = Math.max(0, -Math.floor(Math.log10(step)));
  for (let k = Math.ceil(low / step - 1e-9); k * step <= high + step * 1e-9; ++k) {
    const value = k * step;
    const tidy = Math.abs(value) < step * 1e-6 ? 0 : Number(value.toFixed(Math.min(20, digits)));
    ticks.push({ value, label: number(tidy, 6) });
  }
  return ticks;
}

function logTicks(low: number, high: number, count: number) {
  const first = Math.floor(Math.log10(low) + 1e-9), last = Math.ceil(Math.log10(high) - 1e-9);
  const decades = last - first;
  const ticks: { value: number; label: string }[] = [];
  const span = Math.log10(high / low);
  const factors = span <= 1.05 ? [1, 2, 3, 5] : span <= 2.2 ? [1, 3] : [1];
  const stride = Math.max(1, Math.ceil(decades / Math.max(1, count)));
  for (let exponent = first; exponent <= last; ++exponent) {
    if ((exponent - first) % stride) continue;
    for (const factor of factors) {
      const value = factor * 10 ** exponent;
      if (value >= low * (1 - 1e-9) && value <= high * (1 + 1e-9)) ticks.push({ value, label: number(Number(value.toPrecision(6))) });
    }
  }
  return ticks.length >= 2 ? ticks : linearTicks(low, high, count, false).filter((tick) => tick.value > 0);
}

function timeTicks(low: number, high: number, count: number) {
  const span = (high - low) / 1000;
  const step = (TIME_STEPS.find((s) => span / s <= count) ?? 2592000) * 1000;
  const offset = new Date(low).getTimezoneOffset() * 60000;
  const ticks = [];
  for (let k = Math.ceil((low - offset) / step); k * step + offset <= high; ++k) {
    const value = k * step + offset;
    const text = moment(value);
    ticks.push({ value, label: step >= 86400_000 ? text.slice(5, 10) : step >= 60_000 ? text.slice(11, 16) : text.slice(11) });
  }
  return ticks;
}

function durationTicks(low: number, high: number, count: number) {
  const span = high - low;
  const step = span < 4 ? niceStep(span, count) : TIME_STEPS.find((s) => span / s <= count) ?? niceStep(span, count);
  const ticks = [];
  for (let k = Math.ceil(low / step - 1e-9); k * step <= high; ++k) ticks.push({ value: k * step, label: k === 0 ? "0" : duration(k * step) });
  return ticks;
}

export function makeScale(kind: ScaleKind, low: number, high: number, from: number, to: number, categories: string[] = []): Scale {
  if (kind === "category") {
    low = -0.5;
    high = Math.max(1, categories.length) - 0.5;
  } else if (!Number.isFinite(low) || !Number.isFinite(high)) {
    [low, high] = kind === "log" ? [0.1, 1] : [0, 1];
  } else if (low === high) {
    // One value alone stands in the middle.
    [low, high] = kind === "log" ? [low / 2, high * 2] : [low - Math.max(0.5, Math.abs(low) * 0.1), high + Math.max(0.5, Math.abs(high) * 0.1)];
  }
  if (kind === "log" && low <= 0) kind = "linear";
  const log = kind === "log";
  const a = log ? Math.log(low) : low, b = log ? Math.log(high) : high;
  const slope = (to - from) / (b - a);
  return {
    kind, low, high, from, to,
    map: log ? (value) => (value > 0 ? from + (Math.log(value) - a) * slope : NaN) : (value) => from + (value - a) * slope,
    invert: (pixel) => {
      const value = a + (pixel - from) / slope;
      return log ? Math.exp(value) : value;
    },
    ticks: (count) => {
      if (kind === "category") {
        const stride = Math.max(1, Math.ceil(categories.length / Math.max(1, count)));
        return categories.map((label, value) => ({ value, label })).filter(({ value }) => value % stride === 0);
      }
      if (kind === "time") return timeTicks(low, high, count);
      if (kind === "duration") return durationTicks(low, high, count);
      return log ? logTicks(low, high, count) : linearTicks(low, high, count, kind === "integer");
    },
  };
}

/** Least and greatest of the finite values, of those above zero where the axis is logarithmic. */
export function extent(data: ArrayLike<number>, count = data.length, positive = false, mask?: Uint8Array): [number, number] {
  let low = Infinity, high = -Infinity;
  for (let i = 0; i < count; ++i) {
    const value = data[i];
    if (!Number.isFinite(value) || (positive && value <= 0) || (mask && !mask[i])) continue;
    if (value < low) low = value;
    if (value > high) high = value;
  }
  return low > high ? [NaN, NaN] : [low, high];
}

/** The value below which a share of the finite values lies. */
export function quantile(sorted: ArrayLike<number>, share: number): number {
  if (!sorted.length) return NaN;
  const at = share * (sorted.length - 1);
  const below = Math.floor(at), rest = at - below;
  return sorted[below] + (rest ? (sorted[below + 1] - sorted[below]) * rest : 0);
}

export function sortedFinite(data: Float64Array, count: number): Float64Array {
  const kept = new Float64Array(count);
  let size = 0;
  for (let i = 0; i < count; ++i) if (Number.isFinite(data[i])) kept[size++] = data[i];
  return kept.subarray(0, size).sort();
}

/** A range that outliers do not stretch: training that diverged must not flatten all that did not. */
export function robustExtent(data: Float64Array, count: number): [number, number] {
  const sorted = sortedFinite(data, count);
  if (!sorted.length) return [NaN, NaN];
  const low = sorted[0], high = sorted[sorted.length - 1];
  const q1 = quantile(sorted, 0.05), q3 = quantile(sorted, 0.95);
  const reach = (q3 - q1) * 1.5;
  if (!(reach > 0)) return [low, high];
  return [Math.max(low, q1 - reach), Math.min(high, q3 + reach)];
}
