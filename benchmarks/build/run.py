#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""How long a newcomer waits: the build of scripts/quickstart, and scripts/test, from a clone.

    benchmarks/build/run.py [quickstart] [test]      (both where none is named)

Clones the commit that is checked out into a fresh folder, with no compiler cache, and measures the time that passes
and the processor time of all processes. Packages and the virtual environment are taken as they are installed: how long
a network takes is not ours. The results are written down in README.md beside this file, with machine and date.
"""

import os
import pathlib
import resource
import shutil
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
CASES = {
    # What scripts/quickstart runs before it tunes its model.
    "quickstart": ["scripts/build", "hdrive_command"],
    "test": ["scripts/test"],
}


def processor_time():
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def measure(case, command):
    with tempfile.TemporaryDirectory(prefix="hdrive-build-") as folder:
        clone = pathlib.Path(folder) / "hdrive"
        subprocess.run(["git", "clone", "--quiet", ROOT, clone], check=True)
        venv = ROOT / "build" / "venv"
        if case == "test" and venv.is_dir():  # tests train with scikit-learn
            (clone / "build").mkdir()
            (clone / "build" / "venv").symlink_to(venv)
        environment = dict(os.environ, HDRIVE_NO_CCACHE="1")
        busy = os.getloadavg()[0]
        cpu, wall = processor_time(), time.monotonic()
        with open(pathlib.Path(folder) / "log", "w+b") as log:
            status = subprocess.run(command, cwd=clone, env=environment, stdout=log, stderr=log).returncode
            wall, cpu = time.monotonic() - wall, processor_time() - cpu
            if status != 0:
                log.seek(0)
                sys.exit(f"{' '.join(command)} ended with {status}:\n" + log.read().decode(errors="replace")[-4000:])
    minutes = lambda seconds: f"{int(seconds) // 60} min {int(seconds) % 60:02} s"
    print(f"{case:<11} {minutes(wall):>12} passed {minutes(cpu):>12} of processor time   "
          f"({os.cpu_count()} processors, load {busy:.1f} at the start)", flush=True)


def main():
    names = sys.argv[1:] or list(CASES)
    unknown = [name for name in names if name not in CASES]
    if unknown:
        sys.exit(f"no case {unknown[0]}; there are: {', '.join(CASES)}")
    if not shutil.which("git"):
        sys.exit("git is needed to clone the tree")
    for name in names:
        measure(name, CASES[name])


if __name__ == "__main__":
    main()
