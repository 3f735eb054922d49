#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Measures the engine and prints one table. From the top of the repository, on a quiet machine:

    benchmarks/engine/run.py            everything; builds what it needs in build/
    benchmarks/engine/run.py a d        only these

a  5,000 runs of /bin/true, two at a time, durable store, from a source folder of ten files, beside xargs, make and
   GNU parallel
b  100,000 simulated runs of 10 metrics through the full loop with the store in memory
c  each policy on 10,000 runs x 100 reports (policies_bench)
d  1,000,000 metric lines from one child process
e  from a metric being written to SIGTERM reaching the condemned run
f  hdrive resume of a sweep with 100,000 finished runs and 1,000,000 metrics, and one run to go
g  what a run's supervisor costs: time beside the bare program, memory while it waits
h  a proposal of Bayesian sampling right after a result, with and without preparation while the run trained, and
   1,000 of them in a row (sampling_bench)
i  a proposal of the other samplers (sampling_bench), and of Optuna's (optuna_bench.py), where it is installed
k  the snapshot of a source folder of 200 files of 4 MB, first and again; a working folder a run: time, and disk where
   all are kept
j  starting 1,500 runs of `sleep 60` at once, and cancelling them; 300 that ignore SIGTERM

What is compared is measured in turns in the same minutes, and the median of the rounds is shown, since
machines are noisy. See README.md beside this file.
"""

import argparse
import itertools
import json
import os
import pathlib
import platform
import shutil
import signal
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
ROUNDS = 3

rows = []


def row(case, what, measured, asked="", ok=None):
    rows.append((case, what, measured, asked, "" if ok is None else "yes" if ok else "NO"))
    print(f"  {case}  {what}: {measured}", file=sys.stderr)


def timed(command, **options):
    began = time.perf_counter()
    done = subprocess.run(command, capture_output=True, text=True, check=False, **options)
    seconds = time.perf_counter() - began
    return seconds, done


class Bench:
    def __init__(self, build):
        self.build = build
        self.hdrive = build / "hdrive"
        self.child = build / "benchmarks" / "bench_child"

    def sweep(self, folder, **keys):
        """Runs a sweep to its end in a folder of its own: seconds, and its database."""
        self.configure(folder, **keys)
        seconds, done = timed([self.hdrive, "run", "hdconfig.yml", "--quiet"], cwd=folder,
                              env={**os.environ, "HDRIVE_HOME": str(folder / ".hdrive")})
        if done.returncode not in (0, 3):
            sys.exit(f"hdrive run ended with {done.returncode}:\n{done.stdout}{done.stderr}")
        path = max(folder.glob(".hdrive/**/*.db"), key=lambda each: each.stat().st_mtime)
        return seconds, sqlite3.connect(path)

    @staticmethod
    def configure(folder, **keys):
        settings = {
            "sampling": {"type": "random", "parameter_space": [
                {"name": "x", "expression": "uniform", "values": [0, 1]}]},
            "primary_metric_name": "loss", "primary_metric_goal": "Minimize", "seed": 1,
            "append_parameters": False, **keys}
        folder.mkdir(exist_ok=True)
        (folder / "hdconfig.yml").write_text(json.dumps(settings))

    # ---- the cases ------------------------------------------------------------------------------

    def case_a(self, folder):
        jobs = 5000
        (folder / "Makefile").write_text(
            f"all: {' '.join(f'j{i}' for i in range(jobs))}\nj%:\n\t@/bin/true\n.PHONY: all\n")
        numbers = "\n".join(map(str, range(jobs)))
        others = {
            "xargs -P2": ["xargs", "-P2", "-n1", "/bin/true"],
            "make -j2": ["make", "-s", "-j2", "-f", str(folder / "Makefile"), "all"],
            "parallel -j2": ["parallel", "-j2", "/bin/true"],
        }
        for name in [name for name, command in others.items() if not shutil.which(command[0])]:
            row("a", name, "not installed")
            del others[name]
        times = {name: [] for name in ["hdrive", *others]}
        for turn in range(ROUNDS):
            for i in range(10):  # what each run gets a folder with
                (folder / f"a{turn}").mkdir(exist_ok=True)
                (folder / f"a{turn}" / f"module{i}.py").write_text("x = 1\n" * 100)
            seconds, database = self.sweep(
                folder / f"a{turn}", command=["/bin/true"], max_total_runs=jobs, max_concurrent_runs=2,
                stop_without_primary_metric=False)
            [[completed]] = database.execute("select count(*) from runs where status = 'Completed'")
            if completed != jobs:
                sys.exit(f"only {completed} of {jobs} runs completed")
            times["hdrive"].append(seconds)
            for name, command in others.items():
                times[name].append(timed(command, input=numbers, cwd=folder)[0])
        per_job = {name: statistics.median(values) / jobs * 1000 for name, values in times.items()}
        mine = per_job.pop("hdrive")
        row("a", "hdrive, a run of /bin/true", f"{mine:.3f} ms")
        asked = {"xargs -P2": ("at most 3", 3), "parallel -j2": ("below 1", 1)}
        for name, other in per_job.items():
            text, most = asked.get(name, ("", None))
            row("a", f"{name}, a job", f"{other:.3f} ms; hdrive takes {mine / other:.2f} times that", text,
                None if most is None else mine / other <= most)

    def case_b(self, folder):
        del folder
        program = self.build / "benchmarks" / "sweep_bench"
        runs = 100_000

        def measure(metrics):
            _, done = timed([program, str(runs), str(metrics)])
            if done.returncode:
                sys.exit(f"sweep_bench failed:\n{done.stdout}{done.stderr}")
            return json.loads(done.stdout)

        tens = [measure(10) for _ in range(ROUNDS)]
        ten, twenty = statistics.median(r["kilobytes"] for r in tens), measure(20)["kilobytes"]
        seconds = statistics.median(r["seconds"] for r in tens)
        row("b", "100,000 simulated runs x 10 metrics", f"{seconds:.2f} s", "under 10 s", seconds < 10)
        # Ten more metrics a run tell what a metric costs; the rest is the run's.
        a_metric = (twenty - ten) * 1024 / (10 * runs)
        a_run = ten * 1024 / runs - 10 * a_metric
        row("b", "peak memory, a metric", f"{a_metric:.0f} bytes")
        row("b", "peak memory, a run beyond its metrics", f"{a_run:.0f} bytes", "under 1 kB", a_run < 1000)

    def case_c(self, folder):
        del folder
        program = self.build / "benchmarks" / "policies_bench"
        if not program.exists():
            row("c", "policies_bench", "not built")
            return
        _, done = timed([program])
        for line in done.stdout.splitlines():
            row("c", "policies_bench", line.strip())
        if done.returncode:
            row("c", "policies_bench", f"failed with {done.returncode}: {done.stderr.strip()}", ok=False)

    def case_d(self, folder):
        lines = 1_000_000
        whole, writing = [], []
        for turn in range(ROUNDS):
            here = folder / f"d{turn}"
            seconds, database = self.sweep(here, command=[str(self.child), "lines", str(lines)],
                                           max_total_runs=1, max_concurrent_runs=1)
            [[count, distinct, total]] = database.execute(
                "select count(*), count(distinct step), sum(step) from metrics")
            if (count, distinct, total) != (lines, lines, lines * (lines - 1) // 2):
                sys.exit(f"of {lines} lines {count} arrived, {distinct} of them different")
            [output] = here.glob(".hdrive/**/stdout.log")
            whole.append(seconds)
            writing.append(float(output.read_text()))
        row("d", "1,000,000 lines, none lost, the whole sweep", f"{statistics.median(whole):.2f} s",
            "under 2 s", statistics.median(whole) < 2)
        row("d", "of which the child was writing", f"{statistics.median(writing):.2f} s")

    def case_e(self, folder):
        record = folder / "latency"
        self.sweep(folder / "e", command=[str(self.child), "condemned", str(record)], max_total_runs=201,
                   max_concurrent_runs=1, policy={"type": "bandit", "slack_factor": 0.1})
        times = sorted(map(float, record.read_text().split()))
        if len(times) != 200:
            sys.exit(f"200 runs were to be stopped, {len(times)} were")
        row("e", "metric written to SIGTERM received, median of 200", f"{statistics.median(times):.2f} ms")
        row("e", "the slowest of 200", f"{times[-1]:.2f} ms", "under 100 ms", times[-1] < 100)

    def case_f(self, folder):
        home = folder / "f"
        subprocess.run([self.build / "benchmarks" / "store_bench", "make", home / "HD_f"], check=True,
                       stdout=subprocess.DEVNULL)
        times = []
        for turn in range(ROUNDS):
            # One more each time, which is started, ends and is recorded.
            seconds, done = timed([self.hdrive, "resume", "HD_f", "--quiet", "--set",
                                   f"max_total_runs={100_001 + turn}"],
                                  cwd=folder, env={**os.environ, "HDRIVE_HOME": str(home)})
            [[runs, metrics]] = sqlite3.connect(home / "HD_f" / "sweep.db").execute(
                "select (select count(*) from runs), (select count(*) from metrics)")
            if (runs, metrics) != (100_001 + turn, 1_000_000):
                sys.exit(f"{runs} runs, {metrics} metrics; resume ended with {done.returncode}:\n"
                         f"{done.stdout}{done.stderr}")
            times.append(seconds)
        row("f", "resume of 100,000 runs, 1,000,000 metrics, and one run more",
            f"{statistics.median(times):.2f} s", "under 2 s", statistics.median(times) < 2)

    def case_g(self, folder):
        program, runs = str(self.build / "compute" / "hdrive_supervisor"), 500
        numbers = itertools.count()
        (folder / "g").mkdir()
        quiet = [(os.POSIX_SPAWN_OPEN, 3, "/dev/null", os.O_WRONLY, 0)]

        def supervised(*command):
            directory = folder / "g" / str(next(numbers))
            directory.mkdir()
            (directory / ".start-1-1").touch()
            # As enum Argument of compute/supervisor/protocol.h has them.
            arguments = ["hdrive-run", "0", str(directory), "1", "boot", "", "10000", "0", "0", "0", ".start-1-1",
                         *command]
            return os.posix_spawn(program, arguments, os.environ, file_actions=quiet), directory

        def a_run(start):
            """Milliseconds that a run took, and the processor time of all its processes."""
            began, used = time.perf_counter(), 0
            for _ in range(runs):
                _, status, usage = os.wait4(start(), 0)
                used += usage.ru_utime + usage.ru_stime
                if status:
                    sys.exit(f"a supervised /bin/true ended with {os.waitstatus_to_exitcode(status)}")
            return (time.perf_counter() - began) / runs * 1000, used / runs * 1000

        bare, mine = [], []
        for _ in range(ROUNDS):
            bare.append(a_run(lambda: os.posix_spawn("/bin/true", ["true"], os.environ)))
            mine.append(a_run(lambda: supervised("/bin/true")[0]))
        taken, used = (statistics.median(m[i] for m in mine) - statistics.median(b[i] for b in bare) for i in (0, 1))
        row("g", "a supervised /bin/true, beyond a bare one", f"{taken:.2f} ms", "under 2 ms", taken < 2)
        row("g", "the processor time of that", f"{used:.2f} ms")

        pid, directory = supervised("/bin/sleep", "1000")
        record = directory / "supervisor.json"
        while not record.exists() or json.loads(record.read_text())["program_pid"] == 0:
            time.sleep(0.01)
        memory = dict(line.split()[:2] for line in pathlib.Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()[1:])
        os.kill(pid, signal.SIGUSR1)
        os.waitpid(pid, 0)
        resident, own = int(memory["Rss:"]), int(memory["Private_Dirty:"])
        row("g", "memory of a supervisor", f"{resident} kB, {own} kB of it its own", "under 2 MB", resident < 2048)

    def figures(self, case, command, most):
        """Rows of the lines `what value unit` that the command prints; `most` by the ends of what is measured.
        On one processor, in processor time, so that a busy machine does not count."""
        _, done = timed(["taskset", "-c", "0", *command])
        if done.returncode:
            sys.exit(f"{command[0]} failed:\n{done.stdout}{done.stderr}")
        for line in done.stdout.splitlines():
            what, value, unit = line.rsplit(maxsplit=2)
            limit = next((limit for end, limit in most.items() if what.endswith(end)), None)
            row(case, what, f"{value} {unit}", "" if limit is None else f"at most {limit} {unit}",
                None if limit is None else float(value) <= limit)

    def case_h(self, folder):
        del folder
        self.figures("h", [self.build / "benchmarks" / "sampling_bench", "bayesian"], {
            "prepared, p50": 1,
            "n=100, p50": 2, "n=100, p99": 6, "n=1000, p50": 40, "n=1000, p99": 120,
            "n=10000, p50": 40, "n=10000, p99": 120, "1000 runs in a row": 8})

    def case_i(self, folder):
        del folder
        self.figures("i", [self.build / "benchmarks" / "sampling_bench", "others"], {
            "random, 6 parameters, n = 1000, p50": 20, "sobol, 6 parameters, n = 1000, p50": 20,
            "tpe, 40 parameters, n = 1000, p50": 600})
        python = ROOT / "benchmarks" / "quality" / ".venv" / "bin" / "python"
        if not python.exists():
            print("  i  Optuna is left out: benchmarks/quality/setup.sh installs it", file=sys.stderr)
            return
        self.figures("i", [python, ROOT / "benchmarks" / "engine" / "optuna_bench.py"], {})


    def case_k(self, folder):
        runs, files, size = 1000, 200, 20_000
        keys = {"command": ["/bin/true"], "max_total_runs": runs, "max_concurrent_runs": 2,
                "stop_without_primary_metric": False}

        def source(name):
            (folder / name / "lib").mkdir(parents=True)
            for i in range(files):
                (folder / name / "lib" / f"f{i}.py").write_bytes(f"{i:<10}".encode() * (size // 10))
            return folder / name

        captures = source("k0")
        firsts = []
        for _ in range(2):  # one run: its time is the same both times
            firsts.append(self.sweep(captures, **{**keys, "max_total_runs": 1})[0])
            time.sleep(2.1)  # files this young would be read again
        alone = statistics.median(self.sweep(folder / f"k1{i}", **{**keys, "max_total_runs": 1})[0] for i in range(ROUNDS))
        row("k", f"the snapshot of {files} files of 4 MB", f"{(firsts[0] - alone) * 1000:.0f} ms the first time, "
            f"{(firsts[1] - alone) * 1000:.0f} ms again")
        times = {"source": [], "run": []}
        for turn in range(ROUNDS):
            for where in times:
                place = source(f"k{where}{turn}")
                times[where].append(self.sweep(place, working_directory=where, **keys)[0] / runs * 1000)
        extra = statistics.median(times["run"]) - statistics.median(times["source"])
        row("k", f"a working folder of {files} files, made and removed", f"{extra:.2f} ms a run", "under 10 ms", extra < 10)
        kept = source("kept")
        self.sweep(kept, keep_work="always", **keys)
        [sweep] = kept.glob(".hdrive/HD_*")
        kilobytes = int(subprocess.run(["du", "-sk", sweep], capture_output=True, text=True, check=True).stdout.split()[0])
        linked = next(kept.glob(".hdrive/HD_*/runs/0/work/lib/f0.py")).stat().st_nlink > 1
        if linked:  # du counts the shared files once, within the sweep
            kilobytes -= files * size // 1024
        row("k", "all kept: disk a run", f"{kilobytes / runs:.0f} kB", "under 200 kB", kilobytes / runs < 200)

    def case_j(self, folder):
        grace = 2
        self.cancel(folder / "j0", 1500, ["sleep", "60"], grace)
        self.cancel(folder / "j1", 300, ["sh", "-c", "trap '' TERM; while :; do sleep 60; done"], grace)

    def cancel(self, folder, runs, command, grace):
        """Starts runs, all at once, and cancels them: until all are alive, and until engine and runs are gone."""
        folder.mkdir()
        self.configure(folder, command=command, max_total_runs=runs, max_concurrent_runs=runs,
                       cancel_grace_seconds=grace)
        what = f"{runs} x {' '.join(command[:2])}{' ...' if command[2:] else ''}"
        began = time.perf_counter()
        with subprocess.Popen([self.hdrive, "run", "hdconfig.yml", "--quiet"], cwd=folder,
                              stderr=subprocess.DEVNULL, env={**os.environ, "HDRIVE_HOME": str(folder / ".hdrive")}) as engine:
            while len(list(folder.glob(".hdrive/*/runs/*/supervisor.json"))) < runs:
                if engine.poll() is not None or time.perf_counter() > began + 120:
                    sys.exit(f"{runs} runs were to be started: {folder}")
                time.sleep(0.05)
            row("j", f"{what}, until all are alive", f"{time.perf_counter() - began:.2f} s")
            began = time.perf_counter()
            engine.send_signal(signal.SIGTERM)
            engine.wait()
        seconds = time.perf_counter() - began
        row("j", f"{what}, from SIGTERM until all are gone, grace {grace} s", f"{seconds:.2f} s",
            f"under {grace + 1} s", seconds < grace + 1)
        left = [pid for pid in pathlib.Path("/proc").glob("[0-9]*") if str(folder).encode() in environment(pid)]
        if left:
            sys.exit(f"{len(left)} processes are left")


def environment(process):
    try:
        return (process / "environ").read_bytes()
    except OSError:
        return b""


def machine():
    with open("/proc/cpuinfo") as info:
        names = {line.split(":", 1)[1].strip() for line in info if line.startswith("model name")}
    load = os.getloadavg()[0]
    return f"{os.cpu_count()} processors ({', '.join(sorted(names))}), {platform.system()} " \
           f"{platform.release()}, load {load:.1f} before"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("cases", nargs="*", metavar="CASE", help="a to k; all by default")
    parser.add_argument("--build", type=pathlib.Path, help="a build with HDRIVE_BUILD_BENCHMARKS, instead of build/")
    args = parser.parse_args()
    for case in args.cases:
        if case not in "abcdefghijk":
            parser.error(f"there is no case {case}; there are a to j")
    build = args.build
    if build is None:
        build = ROOT / "build"
        subprocess.run([ROOT / "scripts" / "build"], check=True, stdout=sys.stderr)
        for command in (["cmake", "-B", build, "-DHDRIVE_BUILD_BENCHMARKS=ON"], ["cmake", "--build", build]):
            subprocess.run(command, cwd=ROOT, check=True, stdout=sys.stderr)
    build = build.resolve()
    bench = Bench(build)

    title = f"{time.strftime('%Y-%m-%d %H:%M')}, {machine()}"
    # On the disk of the build, so that the durable store is durable.
    with tempfile.TemporaryDirectory(dir=build, prefix="bench-") as folder:
        for case in args.cases or "abcdefghijk":
            getattr(bench, f"case_{case}")(pathlib.Path(folder))

    print(title)
    heads = ("", "what", "measured", "asked", "kept")
    widths = [max(len(r[i]) for r in [heads, *rows]) for i in range(len(heads))]
    for entry in [heads, tuple("-" * width for width in widths), *rows]:
        print("  ".join(text.ljust(width) for text, width in zip(entry, widths)).rstrip())
    sys.exit(any(entry[-1] == "NO" for entry in rows))


if __name__ == "__main__":
    main()
