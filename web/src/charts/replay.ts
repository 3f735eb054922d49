// SPDX-License-Identifier: Apache-2.0
// What an early-termination policy would have done with these curves, as if all runs had trained side by side. The rules are those of
// policies/: bandit, median stopping, truncation selection.
import type { Goal } from "../api/types";
import { running, type Curve } from "../data/curves";
import { quantile } from "./scale";

export interface ReplayPolicy {
  kind: "bandit" | "median_stopping" | "truncation_selection";
  /** bandit: share of the best value; truncation: share of the runs. */
  slack: number;
  delay: number;
  interval: number;
}

export interface Replay {
  places: number[];
  /** At each place, NaN where the policy did not look. */
  threshold: number[];
  /** For each curve the place at which it would have been stopped, 0: never. */
  stoppedAt: number[];
  stopped: number;
  /** Of all reports, those that would not have been waited for. */
  saved: number;
  /** Place of the run with the best value among those that would have been stopped, -1: it would have gone on. */
  bestLost: boolean;
}

interface Alive { index: number; at: number; best: Float64Array; mean: Float64Array }

export function banditThreshold(best: number, slack: number, goal: Goal): number {
  if (goal === "Minimize") return best + Math.abs(best) * slack;
  return best > 0 ? best / (1 + slack) : best - (Math.abs(best) * slack) / (1 + slack);
}

export function replay(curves: Curve[], policy: ReplayPolicy, goal: Goal, most = 100): Replay {
  const last = curves.reduce((most, curve) => Math.max(most, curve.place[curve.place.length - 1] ?? 0), 0);
  const step = Math.max(1, Math.ceil(last / most));
  const places: number[] = [];
  for (let place = 1; place <= last; place += step) places.push(place);
  const beyond = (value: number, threshold: number) => (goal === "Minimize" ? value > threshold : value < threshold);
  const worseFirst = (a: number, b: number) => (goal === "Minimize" ? b - a : a - b);
  const stoppedAt = new Array<number>(curves.length).fill(0);
  let alive: Alive[] = curves.map((curve, index) => {
    const mean = new Float64Array(curve.value.length);
    let sum = 0, count = 0;
    for (let i = 0; i < mean.length; ++i) {
      if (Number.isFinite(curve.value[i])) {
        sum += curve.value[i];
        count++;
      }
      mean[i] = count ? sum / count : NaN;
    }
    return { index, at: -1, best: running(curve.value, goal), mean };
  });
  const threshold: number[] = [];
  places.forEach((place) => {
    // What has not reached the place has ended before, and is no longer looked at.
    alive = alive.filter((run) => {
      const { place: own } = curves[run.index];
      while (run.at + 1 < own.length && own[run.at + 1] <= place) run.at++;
      return run.at >= 0 && (own[own.length - 1] ?? 0) >= place;
    });
    const looks = place >= Math.max(1, policy.delay) && alive.length > 1 && Math.floor(place / policy.interval) > Math.floor((place - step) / policy.interval);
    if (!looks) {
      threshold.push(NaN);
      return;
    }
    const values = alive.map((run) => run.best[run.at]).filter((value) => !Number.isNaN(value));
    let bound = NaN;
    let doomed: Alive[] = [];
    if (policy.kind === "bandit") {
      const best = goal === "Minimize" ? Math.min(...values) : Math.max(...values);
      bound = banditThreshold(best, policy.slack, goal);
      doomed = alive.filter((run) => beyond(run.best[run.at], bound));
    } else if (policy.kind === "median_stopping") {
      bound = quantile(Float64Array.from(alive, (run) => run.mean[run.at]).sort(), 0.5);
      doomed = alive.filter((run) => beyond(run.best[run.at], bound));
    } else {
      const count = Math.floor(policy.slack * alive.length);
      const sorted = [...alive].sort((a, b) => worseFirst(a.best[a.at], b.best[b.at]));
      doomed = sorted.slice(0, count);
      bound = sorted[count] ? sorted[count].best[sorted[count].at] : NaN;
    }
    threshold.push(bound);
    for (const run of doomed) stoppedAt[run.index] = place;
    alive = alive.filter((run) => !stoppedAt[run.index]);
  });
  let all = 0, saved = 0, bestIndex = -1, best = NaN;
  curves.forEach((curve, index) => {
    const reports = curve.place[curve.place.length - 1] ?? 0;
    all += reports;
    if (stoppedAt[index]) saved += reports - stoppedAt[index];
    const values = running(curve.value, goal);
    const value = values[values.length - 1] ?? NaN;
    if (!Number.isNaN(value) && (Number.isNaN(best) || (goal === "Minimize" ? value < best : value > best))) {
      best = value;
      bestIndex = index;
    }
  });
  return { places, threshold, stoppedAt, stopped: stoppedAt.filter(Boolean).length, saved: all ? saved / all : 0,
           bestLost: bestIndex >= 0 && stoppedAt[bestIndex] > 0 && stoppedAt[bestIndex] < (curves[bestIndex].place[curves[bestIndex].place.length - 1] ?? 0) };
}
