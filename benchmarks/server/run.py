#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""How much the server of a sweep takes: many runs that log with MLflow's protocol at once, none of it lost.

    benchmarks/server/run.py [--clients 200] [--rate 100] [--seconds 60] [--batch 1]

Runs a sweep of so many runs at once, each of which logs `rate` values a second by requests of its own (or `batch` of
them by one log-batch), and counts them in its metrics.jsonl and in the sweep's database. Tells how long requests took,
and the engine's memory and processor time as they went. Builds nothing: scripts/build (with benchmarks) comes first.
"""

import argparse
import json
import os
import pathlib
import signal
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--clients", type=int, default=200)
    parser.add_argument("--rate", type=float, default=100, help="values a second and client")
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--batch", type=int, default=1, help="values of a request")
    parser.add_argument("--build", type=pathlib.Path, default=ROOT / "build", help="where hdrive was built")
    return parser.parse_args()


def begin(given, folder):
    (folder / "hdconfig.yml").write_text(json.dumps({
        "sampling": {"type": "random", "parameter_space": [
            {"name": "x", "expression": "uniform", "values": [0, 1]}]},
        # What is logged is not the primary metric, whose history the sampler and the policy hold in memory.
        "primary_metric_name": "loss", "primary_metric_goal": "Minimize", "stop_without_primary_metric": False,
        "max_total_runs": given.clients, "max_concurrent_runs": given.clients, "append_parameters": False, "seed": 1,
        "working_directory": "source", "mlflow": "always",
        "command": f"{given.build / 'benchmarks' / 'load_client'} {given.rate} {given.seconds} {given.batch}"}))
    return subprocess.Popen([given.build / "hdrive", "run", "--quiet", "hdconfig.yml"], cwd=folder,
                            env={**os.environ, "HDRIVE_HOME": str(folder / "home")}, stdout=subprocess.DEVNULL)


def look(pid):
    """Resident megabytes and processor seconds of a process."""
    status = pathlib.Path(f"/proc/{pid}/status").read_text()
    stat = pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(status.split("VmRSS:")[1].split()[0]) / 1024,
            (int(stat[11]) + int(stat[12])) / os.sysconf("SC_CLK_TCK"))


def watch(engine):
    """What it took each second until it ended."""
    seen = []
    while engine.poll() is None:
        try:
            seen.append(look(engine.pid))
        except (FileNotFoundError, IndexError):
            break
        time.sleep(1)
    return seen


def count(folder):
    """Values in the files of the runs, and in the database; and what the clients told."""
    [sweep] = (folder / "home").glob("HD_*")
    lines = sum((run / "metrics.jsonl").read_bytes().count(b"\n") for run in (sweep / "runs").glob("[0-9]*"))
    database = sqlite3.connect(f"file:{sweep / 'sweep.db'}?mode=ro", uri=True)
    [[stored]] = database.execute("SELECT sum(logged) FROM runs")
    clients = [[float(word) for word in (run / "stdout.log").read_text().split()]
               for run in (sweep / "runs").glob("[0-9]*")]
    return lines, stored, clients


def main():
    given = arguments()
    with tempfile.TemporaryDirectory(prefix="hdrive-server-") as name:
        folder = pathlib.Path(name)
        engine = begin(given, folder)
        try:
            seen = watch(engine)
        except KeyboardInterrupt:
            engine.send_signal(signal.SIGINT)
            engine.wait()
            sys.exit(130)
        lines, stored, clients = count(folder)
    expected = given.clients * int(given.rate * given.seconds)
    memory = [megabytes for megabytes, _ in seen]
    third = max(1, len(memory) // 3)
    took = max(client[1] for client in clients)
    print(f"clients {given.clients}, {given.rate:g} values a second each, {given.seconds:g} s, {given.batch} a request")
    print(f"values    {expected} logged, {lines} in the files, {stored} in the database")
    print(f"pace      {expected / took:.0f} values a second ({given.clients * given.rate:.0f} asked for), "
          f"the last client done after {took:.1f} s")
    print(f"answers   median {statistics.median(client[2] for client in clients):.2f} ms, "
          f"99 of 100 within {max(client[3] for client in clients):.1f} ms, "
          f"longest {max(client[4] for client in clients):.0f} ms")
    print(f"memory    {statistics.mean(memory[third:2 * third]):.0f} MB in the middle third, "
          f"{statistics.mean(memory[2 * third:]):.0f} MB in the last, {max(memory):.0f} MB at most")
    print(f"processor {seen[-1][1]:.0f} s of the engine")
    sys.exit(not expected == lines == stored)


if __name__ == "__main__":
    main()
