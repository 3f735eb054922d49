// SPDX-License-Identifier: Apache-2.0
// The curves of one metric: a list of runs with their points, replaced run by run while they train.
import type { Envelope, WireCurves } from "../api/binary";
import { toNumber, type Goal, type Series } from "../api/types";

export interface Curve {
  run: number;
  /** How many reports there were with this one; the server counts from 0. */
  place: ArrayLike<number>;
  step: ArrayLike<number>;
  value: ArrayLike<number>;
  time: ArrayLike<number>;
}

export interface Curves {
  metric: string;
  of: number;
  chosen: string;
  envelope: Envelope | null;
  list: Curve[];
}

export function unpack(wire: WireCurves): Curves {
  const list: Curve[] = [];
  for (let i = 0; i < wire.rows; ++i) {
    const from = wire.start[i], to = wire.start[i + 1];
    list.push({ run: wire.run[i], place: wire.place.subarray(from, to).map((place) => place + 1), step: wire.step.subarray(from, to),
                value: wire.value.subarray(from, to), time: wire.time.subarray(from, to) });
  }
  const envelope = wire.envelope && { ...wire.envelope, place: wire.envelope.place.map((place) => place + 1) };
  return { metric: wire.metric, of: wire.of, chosen: wire.chosen, envelope, list };
}

export function curveOf(series: Series): Curve {
  return { run: series.run, place: series.place.map((place) => place + 1), step: series.step.map((step) => step ?? NaN),
           value: series.value.map(toNumber), time: series.time };
}

/** The same curves with those of some runs replaced, or added. */
export function merge(curves: Curves, series: Series[]): Curves {
  const at = new Map(curves.list.map((curve, index) => [curve.run, index]));
  const list = curves.list.slice();
  let added = 0;
  for (const one of series) {
    const index = at.get(one.run);
    if (index === undefined) {
      list.push(curveOf(one));
      ++added;
    } else {
      list[index] = curveOf(one);
    }
  }
  return { ...curves, list, of: Math.max(curves.of, curves.list.length + added) };
}

export type Axis = "report" | "step" | "time" | "elapsed" | "compute";

export const AXES: [Axis, string][] = [["report", "report"], ["step", "step"], ["compute", "compute"], ["elapsed", "elapsed"], ["time", "time"]];
export const AXIS_LABELS: Record<Axis, string> = {
  report: "report", step: "step", time: "time", elapsed: "time since the first report", compute: "compute: time trained so far",
};

/** `started`: when the run was, in seconds since 1970; NaN where that is not known. */
export function abscissa(curve: Curve, axis: Axis, started = NaN): ArrayLike<number> {
  if (axis === "report") return curve.place;
  if (axis === "step") {
    // A script that names no steps has its reports counted.
    return Number.isNaN(curve.step[0] ?? NaN) ? curve.place : curve.step;
  }
  if (axis === "time") return Array.from(curve.time, (time) => time * 1000);
  // What the run had cost by then: its way to the first report counts, too.
  const first = curve.time[0] ?? 0;
  const from = axis === "compute" && started <= first ? started : first;
  return Array.from(curve.time, (time) => time - from);
}

/** Exponential smoothing without a bias towards the first value, as TensorBoard does it; weight 0 leaves all as it is. */
export function smooth(values: ArrayLike<number>, weight: number): Float64Array {
  const result = Float64Array.from(values);
  if (weight <= 0) return result;
  let last = 0, share = 0;
  for (let i = 0; i < result.length; ++i) {
    if (!Number.isFinite(result[i])) continue;
    last = last * weight + (1 - weight) * result[i];
    share = share * weight + (1 - weight);
    result[i] = last / share;
  }
  return result;
}

/** The best so far at each point. */
export function running(values: ArrayLike<number>, goal: Goal): Float64Array {
  const result = new Float64Array(values.length);
  let best = NaN;
  for (let i = 0; i < values.length; ++i) {
    const value = values[i];
    if (!Number.isNaN(value) && (Number.isNaN(best) || (goal === "Minimize" ? value < best : value > best))) best = value;
    result[i] = best;
  }
  return result;
}
