# SPDX-License-Identifier: Apache-2.0
"""The engine killed 100 times while its runs are on other machines, and while the way there is cut 50 times: every run is
there once, each metric once and in order, and nothing is alive at the end.

    kill_test.py ssh       with the hosts of tests/clusters/ssh-up, in the network namespace hdt-engine; also with
                           runs that have a process on each of both hosts
    kill_test.py slurm     with the Slurm of tests/clusters/slurm-up, in the network namespace hdt-slurm
    kill_test.py pilot     the same within one allocation; where the controller does not answer, or the way to a node is cut

HDRIVE_SSH_FOLDER or HDRIVE_SLURM_FOLDER is the folder that was given to the script. The moments follow from HDRIVE_TEST_SEED.
"""

import json
import os
import pathlib
import random
import signal
import subprocess
import sys
import threading
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "integration"))

import kill_test as local  # noqa: E402
from support import until  # noqa: E402

RUNS = 150
KILLS = int(os.environ.get("HDRIVE_TEST_KILLS", 100))
CUTS = KILLS // 2
local.RUNS, local.KILLS = RUNS, KILLS


class Cuts(threading.Thread):
    """Cuts the way and mends it again, now and then, until it has done so often enough or is told to end."""

    def __init__(self, cut, mend, seed):
        super().__init__(daemon=True)
        self.cut, self.mend, self.random = cut, mend, random.Random(seed)
        self.count, self.over = 0, threading.Event()

    def run(self):
        while self.count < CUTS and not self.over.is_set():
            where = self.cut(self.random)
            self.over.wait(self.random.choice([0.05, 0.3, 0.5, 1, 3]))
            self.mend(where)
            self.count += 1
            self.over.wait(self.random.uniform(0.05, 0.6))

    def end(self):
        self.over.set()
        self.join()


class Elsewhere(local.Killed):
    def kill_and_cut(self, target, cut, mend, prologue="", variables=None, **keys):
        self.write("targets.yml", json.dumps({"targets": {"far": target}}))
        cuts = Cuts(cut, mend, self.random.random())
        self.addCleanup(cuts.end)
        cuts.start()
        script = prologue + local.SCRIPT.replace("$HDRIVE_SOURCE_DIR/gate", f"{self.folder}/gate")
        try:
            self.sweep_killed_at_random(KILLS, script=script, target="far",
                                        environment_variables={"RECORD": str(self.record_file), **(variables or {})},
                                        **keys)
        finally:
            while cuts.is_alive() and cuts.count < CUTS // 2:
                cuts.join(1)
            cuts.end()
        print(f"{KILLS} kills, {cuts.count} cuts ", end="", flush=True)
        self.assert_each_run_is_there_once()
        self.assert_none_ran_twice()
        self.assert_never_too_many_at_once()
        self.assert_nothing_is_left()

    def lines_more_than(self, before, count):
        until(lambda: len(self.record()) >= before + count or self.engine.poll() is not None,
              "the sweep goes on", seconds=120)


class Ssh(Elsewhere):
    def kill_with_hosts(self, slots, **more):
        folder = os.environ["HDRIVE_SSH_FOLDER"]

        def link(host, state):
            subprocess.run(["ip", "-n", "hdt-switch", "link", "set", host, state], check=True)

        def cut(chosen):
            host = chosen.choice(["h1", "h2"])
            link(host, "down")
            return host
        self.kill_and_cut({"type": "ssh", "hosts": [{"host": "h1", "slots": slots}, {"host": "h2", "slots": slots}],
                           "config_file": f"{folder}/ssh_config", "directory": str(self.folder / "there"),
                           "ssh_options": ["ServerAliveInterval=1", "ServerAliveCountMax=2"]}, cut,
                          lambda host: link(host, "up"), **more)

    def test_the_engine_is_killed_and_the_link_is_cut(self):
        self.kill_with_hosts(2)

    def test_the_same_with_runs_over_both_hosts(self):
        others = self.folder / "others"
        # The process on the second host notes itself and is done; the one on the first does the rest.
        prologue = """
[ "$RANK" = 0 ] || { echo "other ${AZUREML_RUN_ID##*_} $HDRIVE_ATTEMPT" >> "$OTHERS"; exit 0; }
"""
        self.kill_with_hosts(4, prologue=prologue, variables={"OTHERS": str(others)}, distribution="pytorch",
                             resources={"nodes": 2})
        self.assertEqual(sorted(f"other {run} 1" for run in range(RUNS)), sorted(others.read_text().splitlines()))


class Slurm(Elsewhere):
    TARGET = {"type": "slurm", "poll": 0.5}

    def test_the_engine_is_killed_and_the_controller_does_not_answer(self):
        folder = pathlib.Path(os.environ["HDRIVE_SLURM_FOLDER"])
        controller = int((folder / "slurmctld.pid").read_text())

        def cut(_):
            os.kill(controller, signal.SIGSTOP)
        self.kill_and_cut(self.TARGET, cut, lambda _: os.kill(controller, signal.SIGCONT))


class Pilot(Slurm):
    TARGET = {"type": "slurm", "poll": 0.5, "pilot": True, "nodes": 2, "cpus": 2}

    def test_the_engine_is_killed_and_the_way_to_a_node_is_cut(self):
        def cut(chosen):
            engine = self.engine
            ways = subprocess.run(["pgrep", "-P", str(engine.pid if engine else 0), "srun"], capture_output=True, text=True,
                                  check=False).stdout.split()
            if ways:
                subprocess.run(["kill", "-KILL", chosen.choice(ways)], stderr=subprocess.DEVNULL, check=False)
        self.kill_and_cut(self.TARGET, cut, lambda _: None)


if __name__ == "__main__":
    kind = {"ssh": Ssh, "slurm": Slurm, "pilot": Pilot}[sys.argv.pop(1)]
    unittest.main(argv=[sys.argv[0], f"{kind.__name__}", *sys.argv[1:]])
