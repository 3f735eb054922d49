#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Measures where runs go, and prints one table. From the top of the repository:

    benchmarks/targets/run.py local
    ip netns exec hdt-engine benchmarks/targets/run.py ssh FOLDER          with the hosts of tests/clusters/ssh-up FOLDER
    SLURM_CONF=FOLDER/slurm.conf nsenter --net=/run/netns/hdt-slurm benchmarks/targets/run.py slurm FOLDER
    ... run.py slurm-pilot FOLDER                                          the same within one allocation
    benchmarks/targets/run.py simulated

For each target: runs a second of `true` with all slots in use, beside the bare system; and with one slot the time from a
run's proposal to the moment its program runs, from the end of one run to the start of the next, from a metric that
condemns a run to SIGTERM in it, from a cancel until nothing of a run is alive. `simulated`: the processor time of an engine
that follows 1,000 runs on a cluster far away, by the hour. `--hdrive FILE` is the program (build/hdrive), `--submitit`
measures that package beside Slurm, where it is installed.
"""

import argparse
import json
import os
import pathlib
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
SCRIPT = """
log() { echo "{\\"name\\": \\"loss\\", \\"value\\": $1}" >> "$HDRIVE_METRICS_FILE"; }
now() { date +%s.%N; }
number=${AZUREML_RUN_ID##*_}
now > "$RECORD/began-$number"
if [ "$number" = 0 ]; then log 0; exit 0; fi
trap 'now > "$RECORD/told-$number"; exit 0' TERM
now > "$RECORD/logged-$number"
log 1000
while :; do sleep 0.01; done
"""


class Bench:
    def __init__(self, options, target, slots):
        self.hdrive, self.target, self.slots = options.hdrive, target, slots
        self.runs, self.turns = options.runs, options.turns

    def sweep(self, folder, **keys):
        """Runs a sweep to its end in a folder of its own: seconds, and its directory."""
        settings = {"sampling": {"type": "random", "parameter_space": [
                        {"name": "x", "expression": "uniform", "values": [0, 1]}]},
                    "primary_metric_name": "loss", "primary_metric_goal": "minimize", "append_parameters": False,
                    "stop_without_primary_metric": False, "mlflow": "never",
                    "environment_variables": {"RECORD": str(folder)}, **keys}
        if self.target:
            (folder / "targets.yml").write_text(json.dumps({"targets": {"far": self.target}}))
            settings["target"] = "far"
        (folder / "hdconfig.yml").write_text(json.dumps(settings))
        began = time.perf_counter()
        done = subprocess.run([self.hdrive, "run", "hdconfig.yml", "--quiet"], cwd=folder, text=True, capture_output=True,
                              env={**os.environ, "HDRIVE_HOME": str(folder / ".hdrive")}, check=False)
        seconds = time.perf_counter() - began
        if done.returncode != 0:
            sys.exit(f"hdrive run ended with {done.returncode}:\n{done.stdout}{done.stderr}")
        return seconds, next(folder.glob(".hdrive/HD_*"))

    def pace(self, folder):
        seconds, _ = self.sweep(folder, command=["true"], max_total_runs=self.runs, max_concurrent_runs=self.slots)
        return self.runs / seconds

    def latencies(self, folder):
        """Seconds of each kind, each a list."""
        (folder / "train.sh").write_text(SCRIPT)
        _, directory = self.sweep(folder, command=["sh", "train.sh"], max_total_runs=self.turns, max_concurrent_runs=1,
                                  policy={"type": "bandit", "slack_amount": 1})
        found = {"proposal to start": [], "end to next start": [], "metric to SIGTERM": [], "SIGTERM to end": []}
        ended = None
        for number in range(self.turns):
            run = json.loads((directory / "runs" / str(number) / "run.json").read_text())
            end = json.loads((directory / "runs" / str(number) / "exit.json").read_text())["ended"]
            began = float((folder / f"began-{number}").read_text())
            found["proposal to start"].append(began - run["proposed"])
            if ended is not None:
                found["end to next start"].append(began - ended)
            ended = end
            if number > 0:
                told = float((folder / f"told-{number}").read_text())
                found["metric to SIGTERM"].append(told - float((folder / f"logged-{number}").read_text()))
                found["SIGTERM to end"].append(end - told)
        return found


# ---- the bare systems ---------------------------------------------------------------------------

def bare_local(runs, slots, _):
    began = time.perf_counter()
    subprocess.run(f"seq {runs} | xargs -P{slots} -I@ true", shell=True, check=True)
    return runs / (time.perf_counter() - began)


def bare_ssh(runs, slots, folder):
    """A loop of `ssh HOST true` through one connection a host, half of them each."""
    config = f"{folder}/ssh_config"
    with tempfile.TemporaryDirectory() as sockets:
        shared = f"-F {config} -o ControlMaster=auto -o ControlPath={sockets}/%n -o ControlPersist=60"
        for host in ("h1", "h2"):
            subprocess.run(f"ssh {shared} {host} true", shell=True, check=True)
        began = time.perf_counter()
        loops = [subprocess.Popen(f"seq {runs // 2} | xargs -P{slots // 2} -I@ ssh {shared} {host} true", shell=True)
                 for host in ("h1", "h2")]
        for loop in loops:
            loop.wait()
        seconds = time.perf_counter() - began
        for host in ("h1", "h2"):
            subprocess.run(f"ssh {shared} -O exit {host}", shell=True, check=False, stderr=subprocess.DEVNULL)
    return runs / seconds


def bare_slurm(runs, slots, _):
    """An array of jobs, asked for every half second."""
    with tempfile.TemporaryDirectory() as folder:
        began = time.perf_counter()
        job = subprocess.run(["sbatch", "--parsable", f"--array=0-{runs - 1}%{slots}", "--output=/dev/null", "--wrap=true"],
                             cwd=folder, check=True, text=True, capture_output=True).stdout.strip()
        while subprocess.run(["squeue", "--noheader", f"--jobs={job}"], text=True, capture_output=True,
                             check=False).stdout.strip():
            time.sleep(0.5)
        return runs / (time.perf_counter() - began)


def bare_steps(runs, slots, _):
    """Steps of one allocation, as many srun at once as it has processors."""
    steps = f"seq {runs} | xargs -P{slots} -I@ srun --exact --nodes=1 --ntasks=1 --mem=0 true"
    with tempfile.TemporaryDirectory() as folder:
        began = time.perf_counter()
        subprocess.run(["salloc", "--quiet", "--nodes=2", "--ntasks-per-node=2", "sh", "-c", steps], cwd=folder, check=True,
                       stderr=subprocess.DEVNULL)
        return runs / (time.perf_counter() - began)


def submitit(runs, slots):
    """The same through submitit's map_array."""
    import submitit as package
    with tempfile.TemporaryDirectory() as folder:
        executor = package.SlurmExecutor(folder=folder)
        executor.update_parameters(array_parallelism=slots, time=5)
        began = time.perf_counter()
        for job in executor.map_array(abs, range(runs)):
            job.result()
        return runs / (time.perf_counter() - began)


# ---- all of it ----------------------------------------------------------------------------------

def simulated(options):
    program = options.hdrive.parent / "benchmarks" / "cluster_bench"
    print(subprocess.run([program], check=True, text=True, capture_output=True).stdout, end="")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("kind", choices=("local", "ssh", "slurm", "slurm-pilot", "simulated"))
    parser.add_argument("folder", nargs="?", help="that of tests/clusters/ssh-up or slurm-up")
    parser.add_argument("--hdrive", type=pathlib.Path, default=ROOT / "build" / "hdrive")
    parser.add_argument("--runs", type=int, help="how many runs of true (local 1000, ssh 400, slurm 60, slurm-pilot 400)")
    parser.add_argument("--turns", type=int, default=20, help="how many runs one after the other")
    parser.add_argument("--submitit", action="store_true")
    options = parser.parse_args()
    options.hdrive = options.hdrive.resolve()
    if options.kind == "simulated":
        return simulated(options)
    folder = options.folder
    if options.kind != "local" and not folder:
        parser.error(f"{options.kind} needs the folder of its servers")
    options.runs = options.runs or {"local": 1000, "ssh": 400, "slurm": 60, "slurm-pilot": 400}[options.kind]
    target = {"local": None,
              "ssh": {"type": "ssh", "hosts": [{"host": "h1", "slots": 2}, {"host": "h2", "slots": 2}],
                      "config_file": f"{folder}/ssh_config"},
              "slurm": {"type": "slurm", "poll": 0.5},
              "slurm-pilot": {"type": "slurm", "poll": 0.5, "pilot": True, "nodes": 2, "cpus": 2}}[options.kind]
    slots = 2 if options.kind == "local" else 4
    bare = {"local": bare_local, "ssh": bare_ssh, "slurm": bare_slurm, "slurm-pilot": bare_steps}[options.kind]
    bench = Bench(options, target, slots)
    scratch = pathlib.Path(tempfile.mkdtemp(prefix="hdrive-bench-"))
    try:
        paces, bares = [], []
        for turn in range(3):
            place = scratch / f"pace{turn}"
            place.mkdir()
            if options.kind == "ssh":
                target["directory"] = str(scratch / "there")
            paces.append(bench.pace(place))
            bares.append(bare(options.runs, slots, folder))
        pace, beside = statistics.median(paces), statistics.median(bares)
        print(f"| {options.kind} | runs of `true` a second, {slots} slots | {pace:.1f} | bare {beside:.1f}: "
              f"{pace / beside:.2f} x |")
        if options.submitit:
            print(f"| {options.kind} | the same by submitit | {submitit(options.runs, slots):.1f} | |")
        place = scratch / "latencies"
        place.mkdir()
        for what, values in bench.latencies(place).items():
            print(f"| {options.kind} | {what} | median {statistics.median(values) * 1000:.0f} ms, slowest "
                  f"{max(values) * 1000:.0f} ms | |")
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
    return None


if __name__ == "__main__":
    main()
