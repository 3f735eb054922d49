// SPDX-License-Identifier: Apache-2.0
// What a model would expect of a made sweep: its own surface along each parameter, least sure where runs are few.
import { OPTIMA, SPACE, WEIGHTS } from "./mock_sweep.mjs";

const PLACES = 61;

function valueAt(parameter, unit) {
  const { kind, low, high, q, integer } = parameter;
  if (kind === "loguniform") return low * (high / low) ** unit;
  const value = low + (high - low) * unit;
  return q ? Math.round(value / q) * q : integer ? Math.round(value) : value;
}

export function model(sweep) {
  const none = { metric: sweep.metric, results: 0, noise: null, parameters: [] };
  if (sweep.sampler !== "bayesian")
    return { ...none, why: `sampling: ${sweep.sampler} has no model of the results; bayesian has one (sampling: type: bayesian), and auto where it chooses that` };
  const best = sweep.summary().best?.run ?? null;
  const parameters = SPACE.map((parameter, k) => {
    const units = parameter.options ? parameter.options.map((_, i) => i) : Array.from({ length: PLACES }, (_, i) => i / (PLACES - 1));
    const slice = { name: parameter.name, label: parameter.name, run: best, values: [], mean: [], low: [], high: [] };
    for (const unit of units) {
      const value = parameter.options ? parameter.options[unit] : valueAt(parameter, unit);
      if (slice.values.at(-1) === value) continue;
      const away = parameter.options ? unit * 0.3 : Math.abs(unit - OPTIMA[k]);
      const loss = 0.24 + (parameter.options ? 0.02 * unit : WEIGHTS[k] * away ** 2), doubt = 0.03 + 0.25 * away;
      const turn = (x) => (sweep.goal === "Maximize" ? 1 - x / 2.6 : x);
      const ends = [turn(loss - doubt), turn(loss + doubt)];
      slice.values.push(value);
      slice.mean.push(turn(loss));
      slice.low.push(Math.min(...ends));
      slice.high.push(Math.max(...ends));
    }
    return slice;
  });
  return { ...none, why: null, results: sweep.drawn, noise: 0.012, parameters };
}
