// SPDX-License-Identifier: Apache-2.0
// Columns and curves of a made sweep as the server sends them: magic, header, padded arrays.
import { SPACE } from "./mock_sweep.mjs";

export function pack(magic, header, arrays) {
  let text = new TextEncoder().encode(JSON.stringify(header));
  const length = Math.ceil((8 + text.length) / 8) * 8 - 8;
  const padded = new Uint8Array(length).fill(32);
  padded.set(text);
  const size = arrays.reduce((sum, array) => sum + Math.ceil(array.byteLength / 8) * 8, 8 + length);
  const bytes = new Uint8Array(size);
  bytes.set(new TextEncoder().encode(magic));
  new DataView(bytes.buffer).setUint32(4, length, true);
  bytes.set(padded, 8);
  let at = 8 + length;
  for (const array of arrays) {
    bytes.set(new Uint8Array(array.buffer, array.byteOffset, array.byteLength), at);
    at += Math.ceil(array.byteLength / 8) * 8;
  }
  return bytes;
}

const cache = new Map();

export function columns(sweep, since) {
  if (!since && !sweep.live && cache.has(sweep.id)) return cache.get(sweep.id);
  let runs;
  if (since) {
    const from = Number(since.slice(1));
    runs = [...new Set(sweep.changes.filter((c) => c.version > from).flatMap((c) => c.runs))];
  } else {
    runs = Array.from({ length: sweep.drawn }, (_, i) => i);
  }
  const n = runs.length;
  const fields = {
    number: Int32Array, status: Uint8Array, ended_by: Uint8Array, attempt: Int32Array, created: Float64Array, started: Float64Array, ended: Float64Array,
    best: Float64Array, last: Float64Array, reports: Int32Array, slot: Int32Array, peak_memory: Float64Array, cpu: Float64Array,
  };
  const type = (array) => (array === Float64Array ? "f64" : array === Int32Array ? "i32" : "u8");
  const data = Object.fromEntries(Object.entries(fields).map(([name, Array]) => [name, new Array(n)]));
  const parameters = SPACE.map((p) => (p.options ? new Int32Array(n).fill(-1) : new Float64Array(n).fill(NaN)));
  const metrics = [sweep.metric, "accuracy"].map(() => ["last", "least", "greatest", "count"].map((stat) => (stat === "count" ? new Int32Array(n) : new Float64Array(n))));
  runs.forEach((run, i) => {
    const status = sweep.status(run), reached = sweep.reached(run), begun = sweep.begun(run), running = status === 1;
    const last = reached ? sweep.value(run, reached) : NaN, first = reached ? sweep.value(run, 1) : NaN;
    data.number[i] = run;
    data.status[i] = status;
    data.ended_by[i] = status === 4 ? 4 : status === 1 ? 0 : 1;
    data.attempt[i] = 1;
    data.created[i] = begun - 1;
    data.started[i] = begun;
    data.ended[i] = running ? NaN : sweep.ended(run);
    data.best[i] = reached ? sweep.best(run) : NaN;
    data.last[i] = last;
    data.reports[i] = reached;
    data.slot[i] = run % sweep.slots;
    data.peak_memory[i] = 4e8 + (run % 17) * 3e7;
    data.cpu[i] = running ? NaN : (sweep.ended(run) - begun) * 3.2;
    const drawn = sweep.parameters(run);
    SPACE.forEach((p, k) => {
      const value = drawn[p.name];
      if (value !== undefined) parameters[k][i] = p.options ? p.options.indexOf(value) : value;
    });
    const accuracy = reached ? sweep.accuracy(run, reached) : NaN;
    [[last, Math.min(first, last), Math.max(first, last), reached], [accuracy, accuracy * 0.4, accuracy, reached]].forEach((values, m) => values.forEach((value, s) => (metrics[m][s][i] = value)));
  });
  const header = {
    version: `v${sweep.versionNumber}`, replaced: !since, rows: n,
    columns: [
      ...Object.entries(fields).map(([name, array]) => ({ name, role: "field", type: type(array) })),
      ...SPACE.map((p) => ({ name: p.name, role: "parameter", type: p.options ? "i32" : "f64", ...(p.options ? { categories: p.options } : {}) })),
      ...[sweep.metric, "accuracy"].flatMap((name) => ["last", "least", "greatest", "count"].map((stat) => ({ name, role: "metric", type: stat === "count" ? "i32" : "f64", stat }))),
    ],
  };
  const bytes = pack("HDC1", header, [...Object.values(data), ...parameters, ...metrics.flat()]);
  if (!since && !sweep.live) cache.set(sweep.id, bytes);
  return bytes;
}

const valueOf = (sweep, metric) => (metric === "accuracy" ? (run, place) => sweep.accuracy(run, place) : (run, place) => sweep.value(run, place));

function places(reached, points) {
  if (reached <= points) return Array.from({ length: reached }, (_, i) => i + 1);
  return Array.from({ length: points }, (_, i) => Math.round(1 + (i * (reached - 1)) / (points - 1)));
}

export function curves(sweep, metric, points, most) {
  const of = sweep.drawn, value = valueOf(sweep, metric);
  let runs = Array.from({ length: of }, (_, i) => i);
  let chosen = "all";
  if (of > most) {
    const half = Math.floor(most / 2);
    const best = runs.slice().sort((a, b) => (sweep.goal === "Minimize" ? 1 : -1) * (sweep.best(a) - sweep.best(b))).slice(0, half);
    const stride = Math.ceil(of / half);
    runs = [...new Set([...best, ...runs.filter((run) => run % stride === 0), ...(sweep.live?.keys() ?? [])])].sort((a, b) => a - b);
    chosen = `the best ${half}, those that run, and every ${stride}th`;
  }
  const start = [0], place = [], step = [], values = [], time = [];
  for (const run of runs) {
    for (const p of places(sweep.reached(run), points)) {
      place.push(p - 1);
      step.push(p * 10);
      values.push(value(run, p));
      time.push(sweep.begun(run) + (p * sweep.seconds) / sweep.reports);
    }
    start.push(place.length);
  }
  const sample = runs.filter((_, i) => i % Math.ceil(runs.length / 300) === 0);
  const at = places(sweep.reports, 60);
  const envelope = { place: at.map((p) => p - 1), low: [], median: [], high: [], best: [] };
  for (const p of at) {
    const there = sample.filter((run) => sweep.reached(run) >= p).map((run) => value(run, p)).sort((a, b) => a - b);
    const q = (share) => (there.length ? there[Math.floor(share * (there.length - 1))] : null);
    envelope.low.push(q(0.1));
    envelope.median.push(q(0.5));
    envelope.high.push(q(0.9));
    envelope.best.push(sweep.goal === "Minimize" ? q(0) : q(1));
  }
  const header = { version: `v${sweep.versionNumber}`, metric, of, rows: runs.length, chosen, envelope,
    columns: [["run", "i32"], ["start", "i32"], ["place", "i32"], ["step", "f64"], ["value", "f64"], ["time", "f64"]].map(([name, type]) => ({ name, type })) };
  return pack("HDV1", header, [Int32Array.from(runs), Int32Array.from(start), Int32Array.from(place), Float64Array.from(step), Float64Array.from(values), Float64Array.from(time)]);
}

export function series(sweep, metric, run, points) {
  const value = valueOf(sweep, metric), at = places(sweep.reached(run), points);
  return { run, attempt: 1, count: sweep.reached(run), place: at.map((p) => p - 1), step: at.map((p) => p * 10), value: at.map((p) => value(run, p)),
           time: at.map((p) => sweep.begun(run) + (p * sweep.seconds) / sweep.reports) };
}
