// SPDX-License-Identifier: Apache-2.0
// One run of a made sweep: its page, files, logs.
import { deflateSync } from "node:zlib";

export function runDetail(sweep, run) {
  const status = sweep.status(run), reached = sweep.reached(run), words = ["Queued", "Running", "Completed", "Failed", "Canceled"];
  const parameters = sweep.parameters(run);
  const best = sweep.best(run);
  const stopped = status === 4;
  const directory = `/home/ada/digits/.hdrive/${sweep.id}/runs/${run}`;
  const running = status === 1;
  return {
    number: run, run_id: `${sweep.id}_${run}`, status: words[status], attempt: run % 9 === 4 ? 2 : 1, ended_by: stopped ? "policy" : running ? "" : "exited",
    reason: stopped ? `best value ${best.toPrecision(3)} after ${reached} reports is above the threshold ${(best * 0.8).toPrecision(3)} (run 7's after ${reached} reports, slack factor 0.15)` : status === 3 ? "exit code 1" : "",
    created: sweep.iso(sweep.begun(run) - 1), started: sweep.iso(sweep.begun(run)), ended: running ? null : sweep.iso(sweep.ended(run)),
    duration_seconds: running ? null : sweep.ended(run) - sweep.begun(run), parameters,
    proposal: run < 10 ? `initial design, ${run + 1} of 10` : `model of ${run - 3} results: log expected improvement -0.832, predicted ${(best * 1.02).toPrecision(4)} +- 0.011; incumbent run 7`,
    start_point: run === 0, pid: running ? 40000 + run : null, handle: `local:${40000 + run}`, slot: run % sweep.slots, cpu_seconds: 3.2 * reached, peak_memory_bytes: 4.6e8,
    exit_code: running || stopped ? null : status === 3 ? 1 : 0, signal: stopped ? 15 : null, stderr_tail: status === 3 ? "RuntimeError: CUDA error: out of memory\n" : "",
    canceling: null, lost_contact: null,
    command_line: `python3 train.py --epochs 100 ${Object.entries(parameters).map(([k, v]) => `--${k.replace(/_/g, "-")} ${v}`).join(" ")}`, directory, outputs_directory: `${directory}/outputs`,
    metrics: reached ? [{ name: sweep.metric, count: reached, not_finite: run === 4 ? 3 : 0, last: sweep.value(run, reached), last_step: reached * 10, least: best, greatest: sweep.value(run, 1) },
              { name: "accuracy", count: reached, not_finite: 0, last: sweep.accuracy(run, reached), last_step: reached * 10, least: 0.1, greatest: sweep.accuracy(run, reached) }] : [],
    verdict: sweep.policy && reached ? { what: stopped ? "stopped" : "continued", interval: reached, value: best, threshold: stopped ? best * 0.8 : best * 1.3,
      reason: `best value ${best.toPrecision(4)} after ${reached} reports is ${stopped ? "above" : "not above"} the threshold ${(stopped ? best * 0.8 : best * 1.3).toPrecision(4)}` } : null,
    policy_sentence: "Bandit: stops a run whose best value lags more than 15 % behind the best of all runs at the same number of reports.",
    attempts: run % 9 === 4 ? [{ attempt: 1, cause: "lost", reason: "the machine restarted", time: sweep.iso(sweep.begun(run) - 40) }] : [],
    environment: { HDRIVE_RUN_NUMBER: String(run), HDRIVE_SEED: String(918273 + run), CUDA_VISIBLE_DEVICES: String(run % 4), AZUREML_RUN_ID: `${sweep.id}_${run}` }, target: "local",
  };
}

export function thresholds(sweep, run) {
  const reached = sweep.reached(run), places = [], own = [], threshold = [];
  let best = NaN;
  for (let place = 1; place <= reached; ++place) {
    const value = sweep.value(run, place);
    if (sweep.better(value, best)) best = value;
    places.push(place);
    own.push(best);
    const incumbent = sweep.value(20 % sweep.drawn, place);
    threshold.push(place < 6 || !sweep.policy ? null : sweep.goal === "Minimize" ? incumbent * 1.15 : incumbent / 1.15);
  }
  return { metric: sweep.metric, places, own, threshold };
}

export function logText(sweep, run, query) {
  const stream = query.get("stream");
  const lines = stream === "stderr"
    ? ["warning: torch.backends.cudnn.benchmark is off", "<script>alert('from a script')</script>", ...(sweep.status(run) === 3 ? ["Traceback (most recent call last):", '  File "train.py", line 88, in <module>', "RuntimeError: CUDA error: out of memory"] : [])]
    : [`run ${run} of ${sweep.id}`, "\x1b[32mdevice: cuda:0\x1b[0m", ...Array.from({ length: sweep.reached(run) }, (_, i) => `epoch ${String(i + 1).padStart(3)}  loss ${sweep.value(run, i + 1).toFixed(5)}  accuracy ${sweep.accuracy(run, i + 1).toFixed(4)}  ${"█".repeat(1 + (i % 20))}`)];
  const bytes = Buffer.from(lines.join("\n") + "\n");
  const limit = Number(query.get("limit") ?? 65536);
  const from = query.get("tail") ? Math.max(0, bytes.length - limit) : Number(query.get("from") ?? 0);
  const part = bytes.subarray(from, from + limit);
  return { text: part.toString(), from, next: from + part.length, size: bytes.length, end: from + part.length >= bytes.length };
}

export function files(sweep, run) {
  const at = (path, size, kind, step = null) => ({ path, size, modified: sweep.iso(sweep.ended(run) || Date.now() / 1000), kind, step });
  return { more: false, files: [at("outputs/samples/step_0100.png", 4100, "image", 100), at("outputs/samples/step_0500.png", 4100, "image", 500), at("outputs/samples/step_1000.png", 4100, "image", 1000),
    at("outputs/confusion.csv", 310, "csv"), at("outputs/metrics.json", 240, "json"), at("outputs/notes.txt", 90, "text"), at("outputs/report.html", 400, "html"), at("outputs/model.pt", 48211312, "other"), at("logs/train.log", 2200, "text")] };
}

function crc(bytes) {
  let c = -1;
  for (const byte of bytes) {
    c ^= byte;
    for (let k = 0; k < 8; ++k) c = c & 1 ? (c >>> 1) ^ 0xedb88320 : c >>> 1;
  }
  return (c ^ -1) >>> 0;
}

function png(width, height, pixel) {
  const raw = Buffer.alloc((width + 1) * height);
  for (let y = 0; y < height; ++y) for (let x = 0; x < width; ++x) raw[y * (width + 1) + 1 + x] = pixel(x, y);
  const chunk = (type, data) => {
    const body = Buffer.concat([Buffer.from(type), data]);
    const out = Buffer.alloc(body.length + 8);
    out.writeUInt32BE(data.length);
    body.copy(out, 4);
    out.writeUInt32BE(crc(body), body.length + 4);
    return out;
  };
  const head = Buffer.alloc(13);
  head.writeUInt32BE(width, 0);
  head.writeUInt32BE(height, 4);
  head[8] = 8;
  return Buffer.concat([Buffer.from([137, 80, 78, 71, 13, 10, 26, 10]), chunk("IHDR", head), chunk("IDAT", deflateSync(raw)), chunk("IEND", Buffer.alloc(0))]);
}

export function fileBytes(sweep, run, query, response, fail) {
  const path = query.get("path") ?? "";
  const entry = files(sweep, run).files.find((file) => file.path === path);
  if (!entry) return fail(response, 404, `Run ${run} has no file ${path}`);
  const send = (type, body, more = {}) => { response.writeHead(200, { "Content-Type": type, "X-Content-Type-Options": "nosniff", ...more }); response.end(body); };
  if (entry.kind === "image") return send("image/png", png(160, 160, (x, y) => {
    const grain = 90 / (1 + entry.step / 200);
    const r = Math.hypot(x - 80 + 30 * Math.sin(run), y - 80);
    return Math.max(0, Math.min(255, 128 + 100 * Math.cos(r / 9) + grain * Math.sin(x * 12.9 + y * 78.2)));
  }));
  if (entry.kind === "csv") return send("text/plain; charset=utf-8", "class,0,1,2,3\n" + [0, 1, 2, 3].map((i) => `${i},${[0, 1, 2, 3].map((j) => (i === j ? 97 - i : (i * j) % 4)).join(",")}`).join("\n") + "\n");
  if (entry.kind === "json") return send("application/json", JSON.stringify({ val_loss: sweep.best(run), epochs: sweep.reached(run), note: "<img src=x onerror=alert(1)>" }, null, 2));
  if (entry.kind === "html" && query.get("render")) return send("text/html", "<h1>Report</h1><p>drawn by the script</p><script>parent.document.body.innerHTML='owned'</script>", { "Content-Security-Policy": "sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src data:; frame-ancestors 'self'" });
  return send("text/plain; charset=utf-8", path.endsWith(".log") ? logText(sweep, run, new URLSearchParams("stream=stdout")).text : "The learning rate warms up over the first 5 epochs.\n<b>not bold</b>\n");
}
