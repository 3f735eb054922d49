#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What the page of a sweep takes at 100, 10,000 and 100,000 runs, and what optuna-dashboard takes for the same data.

    benchmarks/ui/run.py [--runs 100 10000 100000] [--reports 100] [--optuna] [--folder FOLDER]

Makes the sweeps by the simulated target (kept in --folder, if one is given), serves them by `hdrive ui`, and opens them in Debian's chromium:
time to the first paint and to the whole page, frames while parallel coordinates and a scatter are brushed and curves panned, memory of page and
server, bytes sent; and of a live sweep the time from a report to the screen, and what a page that watches costs the engine. With --optuna the
same runs go into Optuna's SQLite storage, served by optuna-dashboard. Builds nothing: benchmarks/ui/README.md says what comes first.
"""

import argparse
import contextlib
import json
import os
import pathlib
import platform
import signal
import socket
import sqlite3
import struct
import subprocess
import sys
import tempfile
import time
import urllib.parse
import urllib.request

ROOT = pathlib.Path(__file__).resolve().parents[2]
MOMENT = "2026-01-01 00:00:00.000000"


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, nargs="+", default=[100, 10_000, 100_000])
    parser.add_argument("--reports", type=int, default=100, help="of each run")
    parser.add_argument("--folder", type=pathlib.Path, help="where the sweeps are made, or are already")
    parser.add_argument("--build", type=pathlib.Path, default=ROOT / "build", help="where hdrive was built")
    parser.add_argument("--page", type=pathlib.Path, default=ROOT / "build" / "webpage" / "web", help="where the page was built, with its tests' packages")
    parser.add_argument("--optuna", action="store_true", help="optuna-dashboard, too; of this Python: pip install optuna optuna-dashboard")
    parser.add_argument("--live", action=argparse.BooleanOptionalAction, default=True)
    return parser.parse_args()


def simulated(given):
    for folder in ("benchmarks", "tests"):
        if (given.build / folder / "simulated_sweep").exists():
            return given.build / folder / "simulated_sweep"
    sys.exit(f"run.py: there is no simulated_sweep in {given.build}; ninja -C {given.build} simulated_sweep")


def make(given, folder):
    """The sweeps' ids by their number of runs; those that are there already are not made again."""
    ids = {}
    for runs in given.runs:
        ids[runs] = f"HD_{runs:08x}-5eed-4000-8000-000000000000"
        if (folder / ids[runs] / "sweep.db").exists():
            continue
        began = time.monotonic()
        subprocess.run([simulated(given), folder, str(runs), str(given.reports)], check=True, stdout=subprocess.DEVNULL)
        print(f"{runs} runs made in {time.monotonic() - began:.0f} s", file=sys.stderr)
    return ids


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def memory(pid):
    """Megabytes resident now, and at most so far."""
    status = pathlib.Path(f"/proc/{pid}/status").read_text()
    return {f"server_{name}mb": round(int(status.split(f"{field}:")[1].split()[0]) / 1024)
            for name, field in (("", "VmRSS"), ("most_", "VmHWM"))}


def seconds(pid):
    """Processor time of a process."""
    stat = pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(stat[11]) + int(stat[12])) / os.sysconf("SC_CLK_TCK")


def measure(given, *words):
    """What web/tests/page/measure.mjs tells; nothing but why where it could not."""
    done = subprocess.run(["node", "tests/page/measure.mjs", *words], cwd=given.page, capture_output=True, text=True,
                          env={**os.environ, "HDRIVE_BINARY": str((given.build / "hdrive").resolve())})
    if done.returncode:
        return {"failed": done.stderr.strip().splitlines()[-1] if done.stderr.strip() else f"exit code {done.returncode}", "stderr": done.stderr[-2000:]}
    return json.loads(done.stdout.strip().splitlines()[-1])


@contextlib.contextmanager
def portal(given, folder):
    process = subprocess.Popen([given.build / "hdrive", "ui", "--port", str(free_port()), "--output-dir", folder], stdout=subprocess.PIPE, text=True)
    try:
        yield process, process.stdout.readline().strip()
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(20)


def of_hdrive(given, folder, sweep):
    # A server of its own for each, so that its memory is of this sweep.
    with portal(given, folder) as (server, address):
        before = seconds(server.pid)
        result = measure(given, "hdrive", address, sweep)
        return {**result, **memory(server.pid), "server_cpu_s": round(seconds(server.pid) - before, 2)}


# ---- optuna -------------------------------------------------------------------------------------

def binary(answer, mark):
    """Columns as docs/portal-api.md has them: name to values."""
    assert answer[:4] == mark, answer[:4]
    length = struct.unpack("<I", answer[4:8])[0]
    head, at, columns = json.loads(answer[8:8 + length]), 8 + length, {}
    for column in head["columns"]:
        code, size = {"f64": ("d", 8), "i32": ("i", 4), "u8": ("B", 1)}[column["type"]]
        count = column.get("length", head.get("rows"))
        columns.setdefault(column["name"], (column, struct.unpack_from(f"<{count}{code}", answer, at)))
        at += (count * size + 7) // 8 * 8
    return head, columns


def fill_optuna(given, folder, sweep, runs, database):
    """Optuna's tables with the same runs, parameters, reports and best values; its API would store each report by itself."""
    import optuna
    storage = optuna.storages.RDBStorage(f"sqlite:///{database}")
    optuna.create_study(study_name="sweep", storage=storage, direction="minimize")
    with portal(given, folder) as (_, address):
        url = urllib.parse.urlparse(address)
        token = urllib.parse.parse_qs(url.query)["token"][0]

        def ask(path):
            request = urllib.request.Request(f"http://{url.netloc}/api/v1/sweeps/{sweep}/{path}", headers={"Authorization": f"Bearer {token}"})
            return urllib.request.urlopen(request).read()
        _, columns = binary(ask("columns"), b"HDC1")
    parameters = [(column, values) for column, values in columns.values() if column["role"] == "parameter"]
    distributions = {}
    for column, values in parameters:
        options = column.get("categories")
        known = [value for value in values if value == value]
        distributions[column["name"]] = optuna.distributions.distribution_to_json(
            optuna.distributions.CategoricalDistribution(options) if options else
            optuna.distributions.FloatDistribution(min(known), max(known), log=min(known) > 0 and max(known) / min(known) > 1000))
    best, status = columns["best"][1], columns["status"][1]
    with contextlib.closing(sqlite3.connect(database)) as connection:
        connection.execute("PRAGMA synchronous=OFF")
        for run in range(runs):
            complete = status[run] == 2 and best[run] == best[run]
            trial = run + 1
            connection.execute("INSERT INTO trials (trial_id, number, study_id, state, datetime_start, datetime_complete) VALUES (?, ?, 1, ?, ?, ?)",
                               (trial, run, "COMPLETE" if complete else "FAIL", MOMENT, MOMENT))
            connection.executemany("INSERT INTO trial_params (trial_id, param_name, param_value, distribution_json) VALUES (?, ?, ?, ?)",
                                   [(trial, column["name"], values[run], distributions[column["name"]]) for column, values in parameters])
            if not complete:
                continue
            connection.execute("INSERT INTO trial_values (trial_id, objective, value, value_type) VALUES (?, 0, ?, 'FINITE')", (trial, best[run]))
            connection.executemany("INSERT INTO trial_intermediate_values (trial_id, step, intermediate_value, intermediate_value_type) VALUES (?, ?, ?, 'FINITE')",
                                   [(trial, i, best[run] + 2 / i) for i in range(1, given.reports + 1)])
        connection.commit()


def of_optuna(given, folder, sweep, runs):
    with tempfile.TemporaryDirectory() as work:
        database = pathlib.Path(work) / "study.db"
        fill_optuna(given, folder, sweep, runs, database)
        port = free_port()
        server = subprocess.Popen([sys.executable, "-c", "from optuna_dashboard._cli import main; main()", f"sqlite:///{database}",
                                   "--host", "127.0.0.1", "--port", str(port)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            deadline = time.monotonic() + 60
            while True:
                try:
                    urllib.request.urlopen(f"http://127.0.0.1:{port}/")
                    break
                except OSError:
                    if time.monotonic() > deadline:
                        return {"failed": "optuna-dashboard did not start"}
                    time.sleep(0.1)
            before = seconds(server.pid)
            result = measure(given, "optuna", f"http://127.0.0.1:{port}/", "1")
            return {**result, **memory(server.pid), "server_cpu_s": round(seconds(server.pid) - before, 2)}
        finally:
            server.kill()
            server.wait()


def main():
    given = arguments()
    processor = next((line.split(": ")[1].strip() for line in open("/proc/cpuinfo") if line.startswith("model name")), platform.machine())
    result = {"machine": f"{os.cpu_count()} x {processor}", "date": time.strftime("%Y-%m-%d"), "load_before": os.getloadavg()[0]}
    with contextlib.ExitStack() as stack:
        folder = given.folder or pathlib.Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="hdrive-ui-")))
        folder.mkdir(parents=True, exist_ok=True)
        ids = make(given, folder)
        for runs in given.runs:
            print(f"{runs} runs", file=sys.stderr)
            result[f"hdrive {runs}"] = of_hdrive(given, folder, ids[runs])
            if given.optuna:
                result[f"optuna-dashboard {runs}"] = of_optuna(given, folder, ids[runs], runs)
        if given.live:
            result["live"] = measure(given, "live")
    result["load_after"] = os.getloadavg()[0]
    print(json.dumps(result, indent=1))


if __name__ == "__main__":
    main()
