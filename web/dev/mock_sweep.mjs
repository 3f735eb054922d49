// SPDX-License-Identifier: Apache-2.0
// One made sweep. Everything follows from the run's number by a hash, so that 10^5 runs with 100 reports each need no memory: a loss
// surface with a good region, noise, runs that diverge, fail, are stopped, and a sampler that learns where it is good.

const hash = (a, b = 0) => {
  let h = (Math.imul(a + 1, 0x9e3779b1) ^ Math.imul(b + 7, 0x85ebca6b)) >>> 0;
  h = Math.imul(h ^ (h >>> 16), 0x7feb352d) >>> 0;
  h = Math.imul(h ^ (h >>> 15), 0x846ca68b) >>> 0;
  return ((h ^ (h >>> 16)) >>> 0) / 2 ** 32;
};
const normal = (a, b) => Math.sqrt(-2 * Math.log(hash(a, b) + 1e-9)) * Math.cos(2 * Math.PI * hash(a, b + 991));

export const SPACE = [
  { name: "learning_rate", as_written: "--learning-rate", kind: "loguniform", low: 1e-5, high: 0.3, log: true, integer: false, q: null, mu: null, sigma: null, condition: null },
  { name: "batch_size", as_written: "--batch-size", kind: "quniform", low: 16, high: 512, log: false, integer: true, q: 16, mu: null, sigma: null, condition: null },
  { name: "layers", as_written: "--layers", kind: "randint", low: 1, high: 8, log: false, integer: true, q: null, mu: null, sigma: null, condition: null },
  { name: "dropout", as_written: "--dropout", kind: "uniform", low: 0, high: 0.6, log: false, integer: false, q: null, mu: null, sigma: null, condition: null },
  { name: "optimizer", as_written: "--optimizer", kind: "choice", low: null, high: null, log: false, integer: false, q: null, mu: null, sigma: null, options: ["adam", "sgd", "lion"], condition: null },
  { name: "momentum", as_written: "--momentum", kind: "uniform", low: 0.5, high: 0.99, log: false, integer: false, q: null, mu: null, sigma: null, condition: "only if optimizer is sgd" },
  { name: "weight_decay", as_written: "--weight-decay", kind: "loguniform", low: 1e-6, high: 1e-1, log: true, integer: false, q: null, mu: null, sigma: null, condition: null },
  { name: "activation", as_written: "--activation", kind: "choice", low: null, high: null, log: false, integer: false, q: null, mu: null, sigma: null, options: ["relu", "gelu", "tanh"], condition: null },
];
export const OPTIMA = [Math.log(3e-3 / 1e-5) / Math.log(3e4), 0.2, 0.55, 0.25, 0, 0.8, 0.45, 0.4];
export const WEIGHTS = [2.6, 0.35, 0.55, 0.6, 0, 0.25, 0.3, 0];

export class MockSweep {
  constructor(options) {
    Object.assign(this, { reports: 100, failing: 0.03, seconds: 40, slots: 8, name: "", tags: {}, description: "", experiment: "digits", policy: "bandit", sampler: "bayesian" }, options);
    this.base = this.base ?? Date.now() / 1000 - this.total * 5 - 7200;
    this.changes = [];
    this.versionNumber = 1;
    this.notes = [{ time: this.iso(this.base + 3), level: "info", run: null, text: "8 slots on this machine" }];
    if (this.total > 50) this.notes.unshift({ time: this.iso(this.base + 90), level: "warning", run: 4, text: "run 4 reported NaN three times; what is not finite counts as no value" });
    this.bestCache = new Map();
  }

  iso(seconds) { return new Date(seconds * 1000).toISOString(); }
  /** How well the sampler has learned by this run: draws go nearer to the optimum. */
  unit(run, k) {
    const learned = run < 12 ? 0 : Math.min(0.86, 0.35 + 0.5 * (run / this.total));
    const explore = hash(run, 500) < 0.22;
    const raw = hash(run, k + 1);
    return explore ? raw : Math.min(1, Math.max(0, OPTIMA[k] * learned + raw * (1 - learned) + 0.05 * normal(run, k + 40)));
  }
  parameters(run) {
    const lr = 1e-5 * 3e4 ** this.unit(run, 0);
    const optimizer = hash(run, 5) < (run > 15 ? 0.62 : 0.34) ? "adam" : hash(run, 55) < 0.6 ? "sgd" : "lion";
    const result = {
      learning_rate: lr, batch_size: Math.round(this.unit(run, 1) * 31 + 1) * 16, layers: Math.min(8, 1 + Math.floor(this.unit(run, 2) * 8)),
      dropout: this.unit(run, 3) * 0.6, optimizer,
    };
    if (optimizer === "sgd") result.momentum = 0.5 + this.unit(run, 5) * 0.49;
    result.weight_decay = 1e-6 * 1e5 ** this.unit(run, 6);
    result.activation = SPACE[7].options[Math.floor(hash(run, 77) * 3)];
    return result;
  }
  /** What the run would reach in the end: the validation loss. */
  floor(run) {
    let loss = 0.21;
    for (let k = 0; k < 8; ++k) if (WEIGHTS[k]) loss += WEIGHTS[k] * (this.unit(run, k) - OPTIMA[k]) ** 2;
    const p = hash(run, 5) < 0.62 ? 0 : 0.035;
    if (this.unit(run, 0) > 0.93) loss += 1.4; // diverges
    return loss + p + 0.02 * hash(run, 88);
  }
  value(run, place) {
    const end = this.floor(run), speed = 12 + 7 * hash(run, 89);
    const value = end + (2.3 - Math.min(end, 2)) * Math.exp(-place / speed) + 0.012 * normal(run, 1000 + place) * Math.exp(-place / 80);
    return this.goal === "Maximize" ? 1 - value / 2.6 : value;
  }
  accuracy(run, place) { return Math.max(0.08, 0.99 - 0.4 * Math.max(0, this.value(run, place) * (this.goal === "Maximize" ? -1 : 1) + (this.goal === "Maximize" ? 1 : 0) - 0.2)); }
  failed(run) { return hash(run, 300) < this.failing; }
  /** Where the policy stops it, 0: not. */
  stopAt(run) {
    if (!this.policy || this.failed(run)) return 0;
    const end = this.floor(run);
    if (end < 0.30 + 0.08 * hash(run, 301)) return 0;
    return Math.max(6, Math.round((end > 1 ? 6 : 10 + 40 * hash(run, 302)) * (this.reports / 100)));
  }
  /** How many reports it has (by now). */
  reached(run) {
    if (this.live) {
      const state = this.live.get(run);
      if (state !== undefined) return state;
    }
    if (this.failed(run)) return Math.floor(hash(run, 303) * 12);
    return this.stopAt(run) || this.reports;
  }
  get drawn() { return this.started ?? this.total; }
  status(run) {
    if (this.live?.has(run)) return 1;
    if (this.failed(run)) return 3;
    return this.stopAt(run) ? 4 : 2;
  }
  best(run) {
    const reached = this.reached(run);
    const key = run * 1000 + reached;
    const known = this.bestCache.get(key);
    if (known !== undefined) return known;
    let best = NaN;
    for (let place = Math.max(1, reached - 6); place <= reached; ++place) {
      const value = this.value(run, place);
      if (Number.isNaN(best) || (this.goal === "Maximize" ? value > best : value < best)) best = value;
    }
    this.bestCache.set(key, best);
    return best;
  }
  better(a, b) { return Number.isNaN(b) || (this.goal === "Maximize" ? a > b : a < b); }
  begun(run) { return this.base + Math.floor(run / this.slots) * (this.seconds * 0.62) + hash(run, 310) * 6; }
  ended(run) { return this.begun(run) + (this.seconds * this.reached(run)) / this.reports + 1; }

  /** One beat of a live sweep: some runs report, those at their end make room. */
  beat() {
    if (!this.live) return [];
    const changed = [];
    this.beats = (this.beats ?? 0) + 1;
    for (const [run, reached] of [...this.live]) {
      if (hash(run, this.beats + 5000) < 0.35) continue;
      changed.push(run);
      const end = this.failed(run) ? 12 : this.stopAt(run) || this.reports;
      if (reached + 1 >= end) this.live.delete(run);
      else this.live.set(run, reached + 1);
    }
    while (this.live.size < this.slots && this.started < this.total) {
      this.live.set(this.started, 0);
      changed.push(this.started++);
    }
    if (changed.length) this.changes.push({ version: ++this.versionNumber, runs: changed });
    return changed;
  }

  summary() {
    const n = this.drawn;
    const counts = { completed: 0, failed: 0, canceled: 0, stopped: 0, live: 0 };
    let best = null;
    const improvements = [];
    for (let run = 0; run < n; ++run) {
      const status = this.status(run);
      if (status === 1) counts.live++;
      else if (status === 2) counts.completed++;
      else if (status === 3) counts.failed++;
      else { counts.canceled++; counts.stopped++; }
      const value = this.best(run);
      if (!Number.isNaN(value) && this.better(value, best?.value ?? NaN)) {
        best = { run, value };
        improvements.push([run, value]);
      }
    }
    const over = !this.live || !this.live.size;
    const changed = this.live ? Date.now() / 1000 : this.base + (n / this.slots) * this.seconds * 0.62 + 30;
    return {
      id: this.id, short_id: this.id.slice(0, 11), name: this.name, directory: `/home/ada/digits/.hdrive/${this.id}`,
      status: this.status_ ?? (over ? "Completed" : "Running"), state: this.state_ ?? (over ? "over" : "live"), reason: over ? `all ${n} runs have ended` : "",
      engine: over ? null : 4711, created: this.iso(this.base), changed: this.iso(changed), latest: this.iso(changed), active_seconds: changed - this.base,
      runs: n, ...counts, max_total_runs: this.total, max_concurrent_runs: this.slots, metric: this.metric, goal: this.goal,
      best, improvements: improvements.slice(-60), sampler: this.sampler, policy: this.policy, tags: this.tags, description: this.description, experiment: this.experiment,
      expected_end: over ? null : this.iso(Date.now() / 1000 + (this.total - n) * 1.4 + 60), damaged: null, size_bytes: n * 41_300 + 65_536, size_is_complete: true,
    };
  }

  detail() {
    const summary = this.summary();
    const compute = summary.runs * this.seconds * 0.7;
    return {
      ...summary, space: SPACE, config: CONFIG(this), config_file: "hdconfig.yml",
      edits: this.total > 50 ? [{ time: this.iso(this.base + 800), what: "max_concurrent_runs: 4 to 8" }] : [], notes: this.notes,
      sampler_text: "Bayesian: a Gaussian process over the runs so far proposes where it expects to improve most; 10 quasi-random runs come first.",
      policy_text: this.policy ? "Bandit: stops a run whose best value lags more than 15 % behind the best of all runs at the same number of reports, from the 6th on." : "",
      policy_settings: this.policy ? { kind: "bandit", evaluation_interval: 1, delay_evaluation: 6, slack_factor: 0.15 } : null,
      command: "python3 train.py --epochs 100", targets: ["local"], compute_seconds: compute, saved_seconds: this.policy ? compute * 0.38 : null,
      metrics: [{ name: this.metric, runs: summary.runs, count: summary.runs * 70, least: 0.2, greatest: 2.4 }, { name: "accuracy", runs: summary.runs, count: summary.runs * 70, least: 0.1, greatest: 0.98 }],
      parameters: SPACE.map((p) => p.name), properties: { snapshot: "4f7685e07d0ae7b194dc94f126193b0c", "git branch": "main", "git commit": "9c1e5d2a" },
      size_bytes: summary.runs * 41000 + 280000, version: `v${this.versionNumber}`,
    };
  }
}

const CONFIG = (s) => `# yaml-language-server: $schema=hdconfig.schema.json
sampling:
  type: ${s.sampler}
  parameter_space:
  - {name: --learning-rate, expression: log_uniform_values, values: [1.0e-5, 0.3]}
  - {name: --batch-size, expression: quniform, values: [16, 512, 16]}
  - {name: --layers, expression: int_uniform, values: [1, 8]}
  - {name: --dropout, expression: uniform, values: [0, 0.6]}
  - name: --optimizer
    expression: choice
    values:
    - adam
    - value: sgd
      parameters:
      - {name: --momentum, expression: uniform, values: [0.5, 0.99]}
    - lion
  - {name: --weight-decay, expression: log_uniform_values, values: [1.0e-6, 0.1]}
  - {name: --activation, expression: choice, values: [relu, gelu, tanh]}
policy:
  type: BanditPolicy   # stop what lags more than 15 % behind
  slack_factor: 0.15
  delay_evaluation: 6
primary_metric_name: ${s.metric}
primary_metric_goal: ${s.goal}
max_total_runs: ${s.total}
max_concurrent_runs: ${s.slots}
command: python3 train.py --epochs ${s.reports}
`;

export { hash };
