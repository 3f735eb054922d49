#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Compares hdrive's samplers with their peers on the same problems and seeds, and writes one table.

    benchmarks/quality/setup.sh                      once: the peers and problems, from PyPI, in .venv beside this file
    benchmarks/quality/run.py                        all of it, which takes days; what is there is not run again
    benchmarks/quality/run.py --problems 'bbob/*' 'mixint/*' --peers optuna-gp --budget 100 --seeds 10
    benchmarks/quality/run.py --problems 'analytic/*' --peers none          needs nothing but Python
    benchmarks/quality/run.py --report               only the table, from the results that are there

See README.md beside this file.
"""

import argparse
import collections
import concurrent.futures
import json
import multiprocessing
import os
import pathlib
import random
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
PEERS = ["optuna-gp", "optuna-tpe", "hebo", "smac-forest", "smac-gp", "ax", "vizier"]
PARALLEL_BUDGET = 128  # 16 batches of 8, or as many results of 8 asynchronous workers
YARDSTICK = {"arm": "uniform", "mode": "sequential", "budget": 200}
YARDSTICK_SEEDS = 50


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--problems", nargs="+", default=["*"], help="patterns of names, as listed by --list")
    parser.add_argument("--instance", type=int, default=1, help="of the COCO functions (default 1)")
    parser.add_argument("--seeds", type=int, help="default: 10, on tables 30")
    parser.add_argument("--budget", type=int, nargs="+", default=[50, 100, 200], help="of the sequential mode")
    parser.add_argument("--modes", nargs="+", default=["sequential", "batches", "asynchronous"])
    parser.add_argument("--samplers", help="hdrive's, with commas, or none (default: all that take every space)")
    parser.add_argument("--peers", default=",".join(PEERS), help="with commas, or none")
    parser.add_argument("--hdrive", default=str(HERE.parents[1] / "build" / "hdrive"), help="the binary")
    parser.add_argument("--venv", default=str(HERE / ".venv"), help="the virtual environment of setup.sh")
    parser.add_argument("--out", default=str(HERE / "results"), help="a folder: one file of results an arm, table.md")
    parser.add_argument("--jobs", type=int, default=1, help="sweeps at a time, each on a processor of its own")
    parser.add_argument("--ours", default="hdrive-bayesian", help="the arm that is compared with all others")
    parser.add_argument("--report", action="store_true", help="run nothing, write the table")
    parser.add_argument("--yardstick", type=int, default=YARDSTICK_SEEDS,
                        help="random searches a problem that the scores are relative to (default %(default)s); 0: no scores")
    parser.add_argument("--list", action="store_true", help="print the names of the problems")
    return parser.parse_args()


def use_environment(folder):
    """Runs this script again by the Python that has the problems' packages, if there is one."""
    python = pathlib.Path(folder, "bin", "python")
    if python.exists() and pathlib.Path(sys.prefix).resolve() != pathlib.Path(folder).resolve():
        os.execv(python, [str(python), "-B", *sys.argv])


def listed(text):
    return [] if text == "none" else text.split(",")


def all_samplers(binary):
    """Those that the binary has, but for the grid, which takes choices only."""
    rows = json.loads(subprocess.run([binary, "list-algorithms", "-f", "json"], capture_output=True, check=True).stdout)
    return [row["name"] for row in rows if row["family"] == "sampling" and row["name"] != "grid"]


def planned(options):
    """Every sweep to be run: a seed of all problems, shuffled, before the next seed, so that at any time what is
    there is a fair part of the whole."""
    import problems
    ours = listed(options.samplers) if options.samplers else all_samplers(options.hdrive)
    arms = [f"hdrive-{s}" for s in ours] + listed(options.peers)
    chosen = problems.chosen(options.problems, options.instance)

    def seeds(problem):
        return options.seeds or (30 if problem.split("/")[0] in problems.TABLES else 10)

    for name in chosen:
        yield from ({"problem": name, **YARDSTICK, "seed": seed} for seed in range(options.yardstick))
    shuffled = random.Random(1).sample(chosen, len(chosen))
    for seed in range(max(map(seeds, chosen), default=0)):
        for name in shuffled:
            if seed < seeds(name):
                for mode in options.modes:
                    for budget in options.budget if mode == "sequential" else [PARALLEL_BUDGET]:
                        for arm in arms:
                            yield {"problem": name, "arm": arm, "mode": mode, "budget": budget, "seed": seed}


# ---- running: each process keeps its peers, since they take seconds to import -------------------------

kept = {}
missing = {}
settings = {}


def initialise(options, turn):
    settings.update(options)
    with turn.get_lock():
        processors = sorted(os.sched_getaffinity(0))
        os.sched_setaffinity(0, {processors[turn.value % len(processors)]})
        turn.value += 1  # which began at the command's process id, lest two commands share a processor


def make(name):
    """The arm; one that cannot be made is not tried again."""
    import arms
    try:
        return arms.make(name, settings["hdrive"], str(pathlib.Path(settings["venv"], "bin", "python")))
    except (arms.Missing, OSError) as problem:
        missing[name] = str(problem)
        raise arms.Missing(missing[name]) from None


def perform(task):
    """The task with what came of it, or with why it could not be done."""
    import arms
    import problems
    import sweeps
    name = task["arm"]
    try:
        problem = problems.get(task["problem"])
        if name in missing:
            raise arms.Missing(missing[name])
        if name not in kept:
            kept[name] = make(name)
        sweep = sweeps.Sweep(problem, kept[name], task["seed"], task["budget"], task["mode"]).run()
    except ImportError as reason:
        return {**task, "missing": str(reason)}
    except arms.Missing as reason:
        if name in kept:
            kept.pop(name).close()  # whatever state it is in
        return {**task, "missing": str(reason)}
    return {**task, "suite": problem.suite, "floor": problem.floor, **sweep.row(),
            "version": getattr(kept[name], "version", None)}


KEY = ("problem", "arm", "mode", "budget", "seed")


def load(folder):
    rows = {}
    for path in sorted(pathlib.Path(folder).glob("*.jsonl")):
        for line in path.read_text().splitlines():
            if line.endswith("}"):  # the last one of a run that was killed may be half a line
                row = json.loads(line)
                rows[tuple(row[k] for k in KEY)] = row
    return rows


def run_all(options):
    """Appends each result to its arm's file as soon as it is known. Returns how many sweeps of which arm were left
    out, and why."""
    folder = pathlib.Path(options.out)
    folder.mkdir(parents=True, exist_ok=True)
    there = load(folder)
    tasks = [t for t in planned(options) if tuple(t[k] for k in KEY) not in there]
    print(f"{len(tasks)} sweeps to run, {len(there)} are there", file=sys.stderr)
    reasons = collections.Counter()
    context = multiprocessing.get_context("spawn")
    given = {"hdrive": str(pathlib.Path(options.hdrive).resolve()), "venv": options.venv}
    # An executor, since a Pool waits for ever for the task of a process that was killed.
    with concurrent.futures.ProcessPoolExecutor(options.jobs, context, initialise,
                                                (given, context.Value("i", os.getpid()))) as pool:
        for done, row in enumerate(pool.map(perform, tasks), 1):
            if "missing" in row:
                reasons[row["arm"], row["missing"]] += 1
                if reasons[row["arm"], row["missing"]] == 1:
                    print(f"left out: {row['arm']} on {row['problem']}: {row['missing']}", file=sys.stderr)
                continue
            with open(folder / f"{row['arm']}.jsonl", "a") as file:
                file.write(json.dumps(row) + "\n")
            if done % 200 == 0:
                print(f"{done} of {len(tasks)}", file=sys.stderr)
    return reasons


def main():
    options = arguments()
    sys.path.insert(0, str(HERE))
    sys.dont_write_bytecode = True
    use_environment(options.venv)
    import problems
    import report
    if options.list:
        print("\n".join(problems.names(options.instance)))
        return
    reasons = {} if options.report else run_all(options)
    wanted = set(problems.chosen(options.problems, options.instance))
    rows = [row for row in load(options.out).values() if row["problem"] in wanted]
    text = report.table(rows, reasons, options.ours)
    pathlib.Path(options.out, "table.md").write_text(text)
    print(text)


if __name__ == "__main__":
    main()
