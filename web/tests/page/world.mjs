// SPDX-License-Identifier: Apache-2.0
// Real sweeps for tests of the page and pictures of it, made by the command that was built: one of ten runs with files and output, one that
// is live and reports when it is told to, one of 10,000 runs by the simulated target; and `hdrive ui` that serves them.
//   HDRIVE_BINARY, SIMULATED_SWEEP: what was built
import { spawn } from "node:child_process";
import { accessSync, appendFileSync, constants, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { once } from "node:events";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { createInterface } from "node:readline";

const BINARY = process.env.HDRIVE_BINARY, SIMULATED = process.env.SIMULATED_SWEEP;
const DEADLINE_MS = 120_000;

// A curve that follows from the parameters, the same each time.
const CURVE = `
def parameters(words):
    return {words[i].lstrip("-"): words[i + 1] for i in range(0, len(words) - 1, 2)}

def loss(given, i):
    rate, dropout, layers = float(given["learning_rate"]), float(given["dropout"]), int(given["layers"])
    floor = 0.1 + 0.06 * (math.log10(rate) + 2.5) ** 2 + (dropout - 0.2) ** 2 + 0.02 * abs(layers - 4) + 0.08 * (given["optimizer"] == "sgd")
    return floor + 1.6 * math.exp(-0.3 * i) + 0.01 * math.sin(7.0 * i * rate + 3 * dropout)

def report(file, **values):
    for name, value in values.items():
        file.write(json.dumps({"name": name, "value": value}) + "\\n")
    file.flush()
`;

const TRAIN = `import json, math, os, sys
${CURVE}
given = parameters(sys.argv[1:])
print("training with", json.dumps(given), flush=True)
print("<script>alert('from a script')</script>", file=sys.stderr, flush=True)
if int(given["layers"]) == 8:
    sys.exit("RuntimeError: eight layers do not fit")
os.makedirs("outputs", exist_ok=True)
with open(os.environ["HDRIVE_METRICS_FILE"], "a") as file:
    for i in range(1, 21):
        value = loss(given, i)
        print(f"epoch {i}: loss {value:.4f}", flush=True)
        report(file, loss=value, accuracy=1 - value / 2)
def square(i, size):
    return f'<svg xmlns="http://www.w3.org/2000/svg" width="120" height="120"><rect width="120" height="120" fill="#e2edf3"/><circle cx="60" cy="60" r="{size}" fill="#1f5f8b"/></svg>'
open("outputs/confusion.csv", "w").write("class,0,1\\n0,97,3\\n1,5,95\\n")
open("outputs/metrics.json", "w").write(json.dumps({"loss": loss(given, 20)}))
open("outputs/notes.txt", "w").write("It went well.\\n")
open("outputs/report.html", "w").write("<h1>What a script wrote</h1><script>parent.document.title = 'taken over'</script>")
for i in (5, 10, 15, 20):
    open(f"outputs/weights_{i:03}.svg", "w").write(square(i, 2 * i))
`;

// Reports once for each line of the file GO, until STOP is there.
const PACED = `import json, math, os, sys, time
${CURVE}
given, done = parameters(sys.argv[1:]), 0
with open(os.environ["HDRIVE_METRICS_FILE"], "a") as file:
    while not os.path.exists(os.environ["STOP"]):
        wanted = open(os.environ["GO"]).read().count("\\n")
        while done < wanted:
            done += 1
            print("epoch", done, flush=True)
            report(file, loss=loss(given, done))
        time.sleep(0.005)
`;

const config = (name, script, keys) => JSON.stringify({
  name,
  sampling: { type: "random", parameter_space: [
    { name: "--learning_rate", expression: "log_uniform_values", values: [0.0001, 0.3] },
    { name: "--dropout", expression: "uniform", values: [0, 0.6] },
    { name: "--layers", expression: "choice", values: [2, 4, 6, 8] },
    { name: "--optimizer", expression: "choice", values: ["adam", "sgd", "lion"] },
  ] },
  primary_metric_name: "loss", primary_metric_goal: "Minimize", max_duration_minutes: 600, seed: 4, command: `python3 ${script}`, ...keys,
}, null, 1);

export async function until(condition, what) {
  const deadline = Date.now() + DEADLINE_MS;
  for (;;) {
    const value = await condition();
    if (value) return value;
    if (Date.now() > deadline) throw new Error(`waited ${DEADLINE_MS / 1000} s in vain until ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

export async function freePort() {
  const probe = createServer().listen(0, "127.0.0.1");
  await once(probe, "listening");
  const { port } = probe.address();
  await new Promise((resolve) => probe.close(resolve));
  return port;
}

export class World {
  constructor() {
    if (!BINARY) throw new Error("HDRIVE_BINARY says what was built");
    let where = tmpdir();
    try {
      // What is gone with the test need not reach a disk.
      accessSync("/dev/shm", constants.W_OK);
      where = "/dev/shm";
    } catch {
      // Then on the disk.
    }
    this.folder = mkdtempSync(join(where, "hdrive-page-"));
    this.home = join(this.folder, ".hdrive");
    this.children = new Set();
    mkdirSync(this.home);
  }

  get environment() {
    const own = Object.fromEntries(Object.entries(process.env).filter(([name]) => !/^(HDRIVE_|AZUREML_)/.test(name)));
    // HOME: where targets are written.
    return { ...own, PATH: `${dirname(BINARY)}:${own.PATH}`, HOME: this.folder, XDG_CONFIG_HOME: join(this.folder, "config"), HDRIVE_HOME: this.home, LC_ALL: "C.UTF-8" };
  }

  start(command, args, options = {}) {
    const child = spawn(command, args, { cwd: this.folder, env: { ...this.environment, ...options.env }, stdio: ["ignore", "pipe", "pipe"] });
    child.errors = "";
    child.stderr.on("data", (data) => (child.errors += data));
    child.ended = new Promise((resolve) => child.once("exit", resolve));
    this.children.add(child);
    void child.ended.then(() => this.children.delete(child));
    return child;
  }

  async output(command, args) {
    const child = this.start(command, args);
    let text = "";
    child.stdout.on("data", (data) => (text += data));
    const code = await child.ended;
    if (code !== 0) throw new Error(`${command} ${args.join(" ")} ended with ${code}: ${child.errors}`);
    return text;
  }

  hdrive(...args) {
    return this.output(BINARY, args);
  }

  async status(sweep) {
    return JSON.parse(await this.hdrive("status", sweep, "-f", "json"));
  }

  /** Ten runs, one after the other, so that policies decide the same each time. */
  async small() {
    writeFileSync(join(this.folder, "train.py"), TRAIN);
    writeFileSync(join(this.folder, "small.yml"), config("digits", "train.py", { max_total_runs: 10, max_concurrent_runs: 1, description: "Ten runs on this machine", tags: { data: "digits" },
      policy: { type: "median_stopping", delay_evaluation: 5 } }));
    await this.hdrive("run", "--quiet", "small.yml");
    return (await this.status("digits")).sweep_id;
  }

  async large(runs = 10000, reports = 20) {
    return (await this.output(SIMULATED, [this.home, String(runs), String(reports), "median_stopping"])).trim();
  }

  /** A sweep whose runs go on as `report` says. */
  async live(name = "over-night", keys = {}) {
    const go = join(this.folder, `${name}.go`), stop = join(this.folder, `${name}.stop`);
    writeFileSync(go, "");
    writeFileSync(join(this.folder, "paced.py"), PACED);
    writeFileSync(join(this.folder, `${name}.yml`), config(name, "paced.py", { max_total_runs: 12, max_concurrent_runs: 4, ...keys }));
    const engine = this.start(BINARY, ["run", "--quiet", `${name}.yml`], { env: { GO: go, STOP: stop } });
    engine.stdout.resume();
    const id = await until(async () => JSON.parse(await this.hdrive("list", "-f", "json")).find((sweep) => sweep.name === name)?.sweep_id, `${name} is there`);
    return {
      id, engine,
      directory: readdirSync(this.home).map((entry) => join(this.home, entry)).find((entry) => entry.includes(id)),
      report: (times = 1) => appendFileSync(go, "\n".repeat(times)),
      finish: () => writeFileSync(stop, ""),
      told: async (condition, what) => until(async () => condition((await this.status(id))), what),
    };
  }

  async serve(...options) {
    const port = await freePort();
    const start = async () => {
      const child = this.start(BINARY, ["ui", "--port", String(port), ...options]);
      const [line] = await Promise.race([once(createInterface({ input: child.stdout }), "line"), child.ended.then(() => [""])]);
      if (!line) throw new Error(`hdrive ui: ${child.errors}`);
      return { child, enter: line.trim() };
    };
    let { child, enter } = await start();
    const server = {
      get enter() { return enter; },
      get pid() { return child.pid; },
      address: `http://127.0.0.1:${port}/`,
      stop: async () => { child.kill("SIGINT"); await child.ended; },
      again: async () => void ({ child, enter } = await start()),
    };
    return server;
  }

  async close() {
    for (const file of existsSync(this.folder) ? readdirSync(this.folder).filter((name) => name.endsWith(".go")) : []) writeFileSync(join(this.folder, file.replace(/go$/, "stop")), "");
    // Engines first, which end their runs.
    for (const child of this.children) child.kill("SIGINT");
    const all = Promise.all([...this.children].map((child) => child.ended));
    await Promise.race([all, new Promise((resolve) => setTimeout(resolve, 20_000).unref())]);
    for (const child of this.children) child.kill("SIGKILL");
    rmSync(this.folder, { recursive: true, force: true, maxRetries: 5 });
  }

  read(name) {
    return readFileSync(join(this.folder, name), "utf8");
  }
}
