// SPDX-License-Identifier: Apache-2.0
// The portal's API over made sweeps; see mock.mjs.
import { MockSweep, SPACE, hash } from "./mock_sweep.mjs";
import { columns, curves, series } from "./mock_binary.mjs";
import { model } from "./mock_model.mjs";
import { runDetail, files, fileBytes, logText, thresholds } from "./mock_run.mjs";
import { targets, SCHEMA } from "./mock_targets.mjs";

const still = process.argv.includes("--still");
const readOnly = process.argv.includes("--read-only");
const now = Date.now() / 1000;

function live(sweep, running, offset) {
  sweep.live = new Map();
  sweep.started = running;
  for (let i = 0; i < sweep.slots; ++i) sweep.live.set(running - 1 - i, 8 + Math.floor(hash(running, i) * 60));
  void offset;
  return sweep;
}

const S = (options) => new MockSweep(options);
const id = (n) => `HD_${["c18f0e51", "5a0d7b33", "e0f7c2a9", "91b64e0d", "77ac01f2", "2d9930be", "f31c8a40"][n]}-6f53-4093-913b-f888503909a${n}`;
const list = [
  live(S({ id: id(0), name: "resnet-digits", total: 60, metric: "val_loss", goal: "Minimize", slots: 4, tags: { stage: "search", gpu: "" }, base: now - 290,
           description: "Wider space after the first look; momentum only with sgd." }), 41, 0),
  S({ id: id(1), name: "ablation-small", total: 10, metric: "val_loss", goal: "Minimize", slots: 2, sampler: "random", policy: "", failing: 0.12, base: now - 5400 }),
  S({ id: id(2), name: "wide-search", total: 10000, metric: "val_loss", goal: "Minimize", slots: 64, sampler: "tpe", base: now - 90000, tags: { stage: "scan" } }),
  S({ id: id(3), name: "hundred-thousand", total: 100000, metric: "val_loss", goal: "Minimize", slots: 256, sampler: "sobol", base: now - 400000 }),
  S({ id: id(4), name: "", total: 120, metric: "accuracy_top1", goal: "Maximize", slots: 8, sampler: "bayesian", base: now - 250000, experiment: "faces" }),
  S({ id: id(5), name: "over-night", total: 80, metric: "val_loss", goal: "Minimize", slots: 4, base: now - 700000, status_: "Running", state_: "orphaned" }),
  S({ id: id(6), name: "<b>bold</b><script>alert(1)</script>", total: 30, metric: "val_loss", goal: "Minimize", slots: 4, base: now - 900000, failing: 0.6, status_: "Failed",
      tags: { "<img src=x onerror=alert(1)>": "\u202etxet" } }),
];
const sweeps = new Map(list.map((sweep) => [sweep.id, sweep]));
const summaries = new Map();
const summary = (sweep) => {
  if (sweep.live) return sweep.summary();
  if (!summaries.has(sweep.id)) summaries.set(sweep.id, sweep.summary());
  return summaries.get(sweep.id);
};

const listeners = new Set();
let eventId = 0;
if (!still) {
  setInterval(() => {
    for (const sweep of sweeps.values()) {
      const runs = sweep.beat();
      if (!runs.length) continue;
      for (const listener of listeners) {
        if (listener.sweep && listener.sweep !== sweep.id) continue;
        if (listener.sweep) listener.send("runs", { sweep: sweep.id, version: `v${sweep.versionNumber}`, runs });
        listener.send("sweep", summary(sweep));
      }
    }
  }, 400).unref();
}
setInterval(() => { for (const listener of listeners) listener.comment(); }, 15000).unref();

function json(response, body, status = 200) {
  response.writeHead(status, { "Content-Type": "application/json", "Cache-Control": "no-store" });
  response.end(JSON.stringify(body, (_key, value) => (typeof value === "number" && !Number.isFinite(value) ? String(value) : value)));
}

const fail = (response, status, message) => json(response, { error: { status, message } }, status);

function binary(response, bytes) {
  response.writeHead(200, { "Content-Type": "application/octet-stream", "Cache-Control": "no-store" });
  response.end(bytes);
}

function events(request, response, url) {
  response.writeHead(200, { "Content-Type": "text/event-stream", "Cache-Control": "no-store" });
  const listener = {
    sweep: url.searchParams.get("sweep"),
    send: (type, data) => response.write(`id: ${++eventId}\nevent: ${type}\ndata: ${JSON.stringify(data)}\n\n`),
    comment: () => response.write(": here\n\n"),
  };
  listener.comment();
  listeners.add(listener);
  request.on("close", () => listeners.delete(listener));
}

function command(response, { arguments: args }) {
  if (readOnly) return fail(response, 403, "This server was started with --read-only; use the command itself.");
  const [verb, target = ""] = args;
  const line = ["hdrive", ...args].map((word) => (/^[\w@%+=:,./-]+$/.test(word) ? word : `'${word}'`)).join(" ");
  const done = (output) => json(response, { command_line: line, exit_code: 0, output: output + "\n", errors: "" });
  const wrong = (errors, exit_code = 2) => json(response, { command_line: line, exit_code, output: "", errors: errors + "\n" });
  const sweep = sweeps.get(target.split("/")[0]);
  if (verb === "target") {
    if (args[1] === "test") return done(`${args[2]}: start ok, metric ok, end ok, files ok, cancel ok`);
    return done(`${args[2]} is written to /home/ada/.config/hdrive/targets.yml`);
  }
  if (verb === "run") return done("HD_0d1e2f3a-6f53-4093-913b-f888503909aa");
  if (!sweep) return wrong(`hdrive: no sweep ${target}; see hdrive list`, 4);
  if (verb === "delete") {
    sweeps.delete(sweep.id);
    for (const listener of listeners) listener.send("gone", { id: sweep.id });
    return done(`deleted ${sweep.id}, 4.1 MB`);
  }
  if (verb === "update" && args.some((a) => /max_total_runs=[0-9]$/.test(a))) return wrong("hdrive: --set max_total_runs: must be at least 41, the runs there are");
  if (verb === "pause" || verb === "resume" || verb === "stop") sweep.status_ = { pause: "Paused", resume: "Running", stop: "Canceled" }[verb];
  for (const listener of listeners) listener.send("sweep", summary(sweep));
  return done(`${verb}: done`);
}

function validate({ config }) {
  const problems = [];
  config.split("\n").forEach((line, i) => {
    const at = line.indexOf("MedianStopingPolicy");
    if (at >= 0) problems.push({ line: i + 1, column: at + 1, severity: "error", message: 'unknown policy type "MedianStopingPolicy"; did you mean "MedianStoppingPolicy"? (see: hdrive list-algorithms)' });
    if (/max_total_runs:\s*0/.test(line)) problems.push({ line: i + 1, column: 17, severity: "error", message: "max_total_runs must be an integer from 1 to 1000000000" });
    if (/^\s*command:.*TODO/.test(line)) problems.push({ line: i + 1, column: 1, severity: "warning", message: "the command still has a TODO" });
  });
  if (!/primary_metric_name:/.test(config)) problems.push({ line: 1, column: 1, severity: "error", message: "primary_metric_name is missing: the metric to optimise, exactly as the script logs it" });
  return { problems, summary: problems.some((p) => p.severity === "error") ? null : "60 runs, 4 at once; bayesian sampling of 8 parameters; bandit policy" };
}

export async function answer(request, response, url, body) {
  const [, , , first, sweepId, what, run, part] = url.pathname.split("/").map(decodeURIComponent);
  const query = url.searchParams;
  if (request.method === "POST") {
    if (request.headers["x-hdrive"] !== "1") return fail(response, 403, "The header X-Hdrive is missing");
    const told = JSON.parse(body);
    if (first === "commands") return command(response, told);
    if (first === "validate") return json(response, validate(told));
    if (first === "preview") {
      const { problems } = validate(told);
      const sweep = list[0];
      return json(response, { problems, runs: problems.some((p) => p.severity === "error") ? [] : Array.from({ length: told.count }, (_, i) => {
        const parameters = sweep.parameters(i);
        return { parameters, command_line: `python3 train.py --epochs 100 ${Object.entries(parameters).map(([k, v]) => `--${k.replace(/_/g, "-")} ${v}`).join(" ")}` };
      }) });
    }
    return fail(response, 404, "No such thing to do");
  }
  if (first === "about")
    return json(response, { version: "0.1.0", api: 1, home: "/home/ada/digits/.hdrive", host: "workstation", read_only: readOnly, now: new Date().toISOString(), home_hint: "" });
  if (first === "events") return events(request, response, url);
  if (first === "targets") return json(response, targets());
  if (first === "schema") return json(response, SCHEMA);
  if (first !== "sweeps") return fail(response, 404, "No such page of the API");
  if (!sweepId) return json(response, { sweeps: [...sweeps.values()].map(summary).sort((a, b) => Date.parse(b.created) - Date.parse(a.created)), problems: [] });
  const sweep = sweeps.get(sweepId);
  if (!sweep) return fail(response, 404, `There is no sweep ${sweepId}; it may have been deleted.`);
  if (!what) return json(response, { ...sweep.detail(), ...(sweep.live ? {} : {}) });
  if (what === "columns") return binary(response, columns(sweep, query.get("since")));
  if (what === "curves") return binary(response, curves(sweep, query.get("metric"), Number(query.get("points") ?? 60), Number(query.get("most") ?? 1000)));
  if (what === "series") return json(response, { metric: query.get("metric"), series: (query.get("runs") ?? "").split(",").map(Number).map((n) => series(sweep, query.get("metric"), n, Number(query.get("points") ?? 200))) });
  if (what === "model") return json(response, model(sweep));
  if (what === "importance") {
    if (sweep.total <= 10) return fail(response, 409, "Importance needs ten finished runs with a value; there are 9.");
    return json(response, { parameters: [["learning_rate", 0.53], ["dropout", 0.16], ["layers", 0.13], ["weight_decay", 0.08], ["batch_size", 0.05], ["momentum", 0.03], ["optimizer", 0.015], ["activation", 0.005]].map(([name, share]) => ({ name, share })) });
  }
  if (what === "decisions") {
    const before = Number(query.get("before") ?? 1e9), decisions = [];
    for (let n = Math.min(sweep.drawn - 1, before - 1); n >= 0 && decisions.length < 200; --n) {
      const status = sweep.status(n);
      if (status === 4) decisions.push({ index: n, time: sweep.iso(sweep.ended(n)), run: n, attempt: 1, what: "stopped", value: sweep.best(n), threshold: sweep.best(n) * 0.8,
        reason: `best value ${sweep.best(n).toPrecision(3)} after ${sweep.reached(n)} reports is above the threshold (run 7's after ${sweep.reached(n)} reports, slack factor 0.15)` });
      if (status === 3) decisions.push({ index: n, time: sweep.iso(sweep.ended(n)), run: n, attempt: 1, what: "failed", value: null, threshold: null, reason: "exit code 1: CUDA error: out of memory" });
    }
    return json(response, { decisions, more: decisions.length === 200 });
  }
  if (what === "log") {
    const text = Array.from({ length: Math.min(4000, sweep.drawn * 2) }, (_, i) => `${sweep.iso(sweep.begun(i >> 1) + (i % 2) * 20)} [${i % 7 ? "info" : "note"}] run ${i >> 1} ${i % 2 ? "reported val_loss " + sweep.value(i >> 1, 5).toPrecision(5) : "started on slot " + ((i >> 1) % sweep.slots)}`).join("\n") + "\n";
    const from = Number(query.get("from") ?? 0);
    return json(response, { text: text.slice(from), next: text.length, end: true });
  }
  if (what !== "runs" || run === undefined) return fail(response, 404, "No such page of the API");
  const number = Number(run);
  if (!(number >= 0 && number < sweep.drawn)) return fail(response, 404, `Sweep ${sweep.id} has no run ${run}; it has the runs 0 to ${sweep.drawn - 1}.`);
  if (!part) return json(response, runDetail(sweep, number));
  if (part === "thresholds") return json(response, thresholds(sweep, number));
  if (part === "log") return json(response, logText(sweep, number, query));
  if (part === "files") return json(response, files(sweep, number));
  if (part === "file") return fileBytes(sweep, number, query, response, fail);
  return fail(response, 404, "No such page of the API");
}

export { SPACE };
