# SPDX-License-Identifier: Apache-2.0
"""What the integration tests share: a sandbox with its own sweeps, the built binary, polling, /proc.

The binary comes from the environment variable HDRIVE_BINARY, or is build/hdrive. Nothing here waits for a
fixed time: `until` polls a condition up to a deadline, which only a failing test reaches.
"""

import json
import os
import pathlib
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
BINARY = pathlib.Path(os.environ.get("HDRIVE_BINARY", ROOT / "build" / "hdrive"))
DEADLINE = 30  # seconds; generous, since a sanitizer or a busy machine may be slow


def until(condition, what, seconds=DEADLINE):
    """The first true value of condition(); fails after `seconds`."""
    deadline = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > deadline:
            raise AssertionError(f"waited {seconds} s in vain until {what}")
        time.sleep(0.01)


def alive(pid):
    """Whether the process exists and is no zombie: PID 1 may take its time to reap an orphan."""
    try:
        stat = pathlib.Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return False
    return stat.rpartition(")")[2].split()[0] not in "ZX"


class Done:
    """A finished call of hdrive."""

    def __init__(self, code, out, err):
        self.code, self.out, self.err = code, out, err

    @property
    def all(self):
        return self.out + self.err

    def __repr__(self):
        return f"exit code {self.code}\n--- stdout\n{self.out}\n--- stderr\n{self.err}"


class HdriveTest(unittest.TestCase):
    maxDiff = None

    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="hdrive-test-"))
        self.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)
        self.started = []
        self.addCleanup(self._end_started)
        self.environment = {
            name: value for name, value in os.environ.items()
            if not name.startswith(("HDRIVE_", "AZUREML_")) and name not in ("NO_COLOR", "TERM", "COLUMNS")
        }
        self.environment["PATH"] = f"{BINARY.parent}:{self.environment['PATH']}"
        self.environment["HDRIVE_HOME"] = str(self.folder / ".hdrive")
        self.environment["LC_ALL"] = "C.UTF-8"
        # Scripts write here what the test wants to know of them.
        self.environment["RECORD"] = str(self.record_file)

    def _end_started(self):
        for process in self.started:
            if process.poll() is None:
                process.kill()
            process.communicate()

    def end_processes(self):
        """Kills what a failed test may have left. For tests whose runs are to outlive their engine."""
        for pid in self.processes():
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass

    # ---- what a test writes ---------------------------------------------------------------------

    def write(self, name, text):
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        return path

    def config(self, script=None, name="hdconfig.yml", **keys):
        """Writes an hdconfig.yml (JSON is YAML too) with these keys changed; None leaves a key out. With
        `script`, the runs are this shell script, its arguments being the drawn values."""
        if script is not None:
            self.write("train.sh", script)
        settings = {
            "sampling": {"type": "random", "parameter_space": [
                {"name": "--x", "expression": "uniform", "values": [0, 1]}]},
            "primary_metric_name": "loss",
            "primary_metric_goal": "Minimize",
            "max_total_runs": 4,
            "max_concurrent_runs": 2,
            "seed": 1,
            "command": "sh train.sh",
        }
        settings.update(keys)
        settings = {key: value for key, value in settings.items() if value is not None}
        return self.write(name, json.dumps(settings, indent=1))

    # ---- calling hdrive -------------------------------------------------------------------------

    def start(self, *arguments, env=None, **options):
        """Starts hdrive; it is killed at the end of the test if it still runs then."""
        process = subprocess.Popen(
            [str(BINARY), *map(str, arguments)], env={**self.environment, **(env or {})},
            **{"cwd": self.folder, "stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE, **options})
        self.started.append(process)
        return process

    def finish(self, process, timeout=4 * DEADLINE):
        out, err = process.communicate(timeout=timeout)
        return Done(process.returncode, out.decode(errors="replace"), err.decode(errors="replace"))

    def hdrive(self, *arguments, code=0, timeout=4 * DEADLINE, **options):
        """Calls hdrive and expects the exit code (None: any)."""
        done = self.finish(self.start(*arguments, **options), timeout)
        if code is not None:
            self.assertEqual(code, done.code, f"hdrive {' '.join(map(str, arguments))}: {done}")
        return done

    # ---- looking --------------------------------------------------------------------------------

    @property
    def record_file(self):
        return self.folder / "record"

    def record(self):
        """The complete lines that scripts wrote to $RECORD so far."""
        try:
            text = self.record_file.read_text()
        except FileNotFoundError:
            return []
        return text[:text.rfind("\n") + 1].splitlines()

    def sweeps(self):
        return json.loads(self.hdrive("list", "-f", "json").out)

    def algorithms(self, family):
        """The rows of "sampling" or "policy", as list-algorithms tells them."""
        return [row for row in json.loads(self.hdrive("list-algorithms", "-f", "json").out) if row["family"] == family]

    def runs(self, sweep="last"):
        """The runs of a sweep as `hdrive status` lists them for programs, by number."""
        runs = json.loads(self.hdrive("status", sweep, "-f", "json").out)["runs"]
        return sorted(runs, key=lambda run: run["number"])

    def sweep_directory(self):
        found = [path.parent for path in self.folder.glob(".hdrive/**/*.db")]
        self.assertEqual(1, len(found), found)
        return found[0]

    def run_directory(self, number):
        return self.sweep_directory() / "runs" / str(number)

    def processes(self):
        """What is alive of anything this test has started, by its environment, hdrive itself left out."""
        found = []
        for entry in pathlib.Path("/proc").iterdir():
            try:
                variables = (entry / "environ").read_bytes().split(b"\0") if entry.name.isdigit() else []
            except OSError:
                continue
            if f"RECORD={self.record_file}".encode() in variables and alive(entry.name):
                found.append(int(entry.name))
        return sorted(set(found) - {process.pid for process in self.started})

    def database(self):
        """The sweep's database, opened as any reader would."""
        [path] = self.sweep_directory().glob("*.db")
        connection = sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=5)
        self.addCleanup(connection.close)
        return connection

    def interrupt(self, process):
        process.send_signal(signal.SIGINT)


# Shell to log the metric: metric NAME VALUE
METRIC = 'metric() { echo "{\\"name\\": \\"$1\\", \\"value\\": $2}" >> "$HDRIVE_METRICS_FILE"; }\n'
# A script that logs one loss and ends.
QUICK = METRIC + "metric loss 0.5\n"
# A script that tells its pid, logs one loss and then runs until somebody ends it.
ENDLESS = METRIC + 'echo "$$" >> "$RECORD"\nmetric loss 0.5\nexec sleep 1000\n'


def main_at_once():
    """unittest.main() for tests that wait more than they work: each in a process of its own."""
    options = sys.argv[1:]
    if any(not option.startswith("-") for option in options):
        unittest.main()
    suites = unittest.defaultTestLoader.loadTestsFromModule(sys.modules["__main__"])
    names = [test.id().removeprefix("__main__.") for suite in suites for test in suite]
    processes = [subprocess.Popen([sys.executable, "-B", sys.argv[0], *options, name], text=True,
                                  stdout=subprocess.PIPE, stderr=subprocess.STDOUT) for name in names]
    for process in processes:
        sys.stdout.write(process.communicate()[0])
    sys.exit(not names or any(process.returncode != 0 for process in processes))
