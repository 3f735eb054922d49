# SPDX-License-Identifier: Apache-2.0
"""Slots, GPUs and processors for runs. The GPUs are made-up names: what a run is told is what is tested."""

import collections
import json
import os
import signal
import unittest
import uuid

from support import METRIC, HdriveTest, alive, until

# Says what it was given when it begins and when it ends, and waits in between until there is a file of that name.
TELL = METRIC + """
tell() { echo "$1 $HDRIVE_SLOT ${CUDA_VISIBLE_DEVICES-none} ${HIP_VISIBLE_DEVICES-none} ${OMP_NUM_THREADS-none} $$" >> "$RECORD"; }
tell begin
while [ -n "$WAIT_FOR" ] && [ ! -e "$WAIT_FOR" ]; do sleep 0.02; done
metric loss 0.5
tell end
"""


class Devices(HdriveTest):
    def setUp(self):
        super().setUp()
        # Locks of devices are the user's, not the sweep's: each test has devices of its own.
        self.gpus = [f"made-up-{uuid.uuid4().hex[:8]}-{n}" for n in range(3)]
        self.go = self.folder / "go"

    def told(self, word):
        Told = collections.namedtuple("Told", "slot cuda hip threads pid")
        return [Told(*line.split()[1:]) for line in self.record() if line.startswith(word + " ")]

    def start_waiting(self, *arguments):
        return self.start(*arguments, env={"WAIT_FOR": str(self.go)})

    def test_each_run_alive_has_a_slot_of_its_own(self):
        self.config(TELL, max_total_runs=12, max_concurrent_runs=3)
        self.hdrive("run", "hdconfig.yml")
        taken = set()
        for line in self.record():
            word, slot = line.split()[:2]
            if word == "begin":
                self.assertNotIn(slot, taken)
                taken.add(slot)
            else:
                taken.remove(slot)
        self.assertLessEqual({told.slot for told in self.told("begin")}, {"0", "1", "2"})
        self.assertEqual({"none"}, {told.cuda for told in self.told("begin")})

    def test_runs_get_gpus_of_their_own_and_no_more_run_than_there_are(self):
        self.config(TELL, max_total_runs=7, max_concurrent_runs=6, gpus=self.gpus)
        sweep = self.start_waiting("run", "hdconfig.yml")
        until(lambda: len(self.told("begin")) == 3, "three runs have begun")
        self.go.touch()
        done = self.finish(sweep)
        self.assertEqual(0, done.code, done)
        self.assertIn("max_concurrent_runs is 6, and 3 runs fit at once: 3 GPUs, 1 a run", done.err)
        self.assertEqual(set(self.gpus), {told.cuda for told in self.told("begin")[:3]})
        self.assertEqual(7, len(self.told("end")))
        for told in self.told("begin"):
            self.assertEqual(told.cuda, told.hip)

    def test_a_run_is_shown_with_its_slot_and_its_devices(self):
        self.config(TELL, max_total_runs=1, max_concurrent_runs=1, gpus=self.gpus[:2], gpus_per_run=2, cpus_per_run=1)
        self.hdrive("run", "hdconfig.yml")
        [told] = self.told("begin")
        shown = self.hdrive("show", "last/0")
        self.assertIn("slot       0\n", shown.out)
        self.assertRegex(shown.out, rf"devices    GPUs {self.gpus[0]}, {self.gpus[1]}; processor \d+\n")
        run = json.loads(self.hdrive("show", "last/0", "-f", "json").out)
        self.assertEqual(self.gpus[:2], run["devices"]["gpus"])
        self.assertEqual(1, len(run["devices"]["cpus"]))
        self.assertEqual(",".join(self.gpus[:2]), told.cuda)

    def test_a_gpu_that_the_environment_names_twice_is_handed_out_once(self):
        self.config(TELL, max_total_runs=3, max_concurrent_runs=2, gpus="auto")
        done = self.hdrive("run", "hdconfig.yml", env={"CUDA_VISIBLE_DEVICES": f"{self.gpus[0]},{self.gpus[0]},-1,3"})
        self.assertNotIn("used by another sweep", done.all)
        self.assertIn("max_concurrent_runs is 2, and 1 run fits at once: 1 GPU, 1 a run", done.err)
        self.assertEqual({self.gpus[0]}, {told.cuda for told in self.told("begin")})

    def test_two_runs_share_a_gpu_where_each_needs_half(self):
        self.config(TELL, max_total_runs=4, max_concurrent_runs=4, gpus=self.gpus[:2], gpus_per_run=0.5)
        sweep = self.start_waiting("run", "hdconfig.yml")
        until(lambda: len(self.told("begin")) == 4, "four runs have begun")
        self.go.touch()
        self.assertEqual(0, self.finish(sweep).code)
        users = collections.Counter(told.cuda for told in self.told("begin"))
        self.assertEqual({self.gpus[0]: 2, self.gpus[1]: 2}, users)

    def test_a_second_sweep_waits_for_the_gpu_of_the_first(self):
        self.config(TELL, max_total_runs=1, max_concurrent_runs=1, gpus=self.gpus[:1])
        first = self.start_waiting("run", "hdconfig.yml")
        until(lambda: self.told("begin"), "the first sweep trains")
        second = self.start("run", "hdconfig.yml")
        until(lambda: [sweep for sweep in self.sweeps() if sweep["runs"] == 1 and sweep["live"] == 0]
              or len(self.sweeps()) == 2, "the second sweep is there")
        self.assertEqual(1, len(self.told("begin")))
        self.go.touch()
        self.assertEqual(0, self.finish(first).code)
        self.assertEqual(0, self.finish(second).code)
        words = [line.split()[0] for line in self.record()]
        self.assertEqual(["begin", "end", "begin", "end"], words)

    def test_a_gpu_stays_taken_while_a_run_lives_whose_engine_was_killed(self):
        self.config(TELL, max_total_runs=1, max_concurrent_runs=1, gpus=self.gpus[:1])
        engine = self.start_waiting("run", "hdconfig.yml", "--name", "first")
        [told] = until(lambda: self.told("begin"), "the run trains")
        engine.send_signal(signal.SIGKILL)
        engine.wait()
        other = self.start("run", "hdconfig.yml", "--name", "second")
        until(lambda: len(self.sweeps()) == 2, "the second sweep is there")
        resumed = self.start("resume", "first")
        until(lambda: [s for s in self.sweeps() if s["name"] == "first" and s["status"] == "Running"],
              "the first sweep goes on")
        self.assertTrue(alive(told.pid))
        self.assertEqual(1, len(self.told("begin")))
        self.go.touch()
        self.assertEqual(0, self.finish(resumed).code)
        self.assertEqual(0, self.finish(other).code)
        self.assertEqual(2, len(self.told("end")))

    def test_runs_are_bound_to_processors_of_their_own(self):
        script = TELL + 'grep Cpus_allowed_list /proc/self/status | cut -f 2 >> "$RECORD.cpus"\n'
        self.config(script, max_total_runs=4, max_concurrent_runs=4, cpus_per_run=1)
        self.hdrive("run", "hdconfig.yml")
        self.assertEqual({"1"}, {told.threads for told in self.told("begin")})
        allowed = {str(cpu) for cpu in os.sched_getaffinity(0)}
        cpus = (self.folder / "record.cpus").read_text().split()
        self.assertEqual(4, len(cpus))
        self.assertLessEqual(set(cpus), allowed)

    def test_a_lost_run_keeps_its_slot(self):
        script = TELL.replace("tell begin\n", 'tell begin\n[ "$HDRIVE_ATTEMPT$HDRIVE_SLOT" = 11 ] && exec kill -9 $PPID\n')
        self.config(script, max_total_runs=3, max_concurrent_runs=3)
        sweep = self.start_waiting("run", "hdconfig.yml")
        until(lambda: len(self.told("begin")) == 4, "the lost run has begun again")
        self.go.touch()
        self.assertEqual(0, self.finish(sweep).code)
        self.assertEqual(["1", "1"], [told.slot for told in self.told("begin") if told.slot == "1"])

    def test_more_gpus_a_run_than_there_are_is_told_before_anything_starts(self):
        self.config(TELL, gpus=self.gpus, gpus_per_run=4)
        done = self.hdrive("run", "hdconfig.yml", code=2)
        self.assertIn("gpus_per_run, or gpus of resources: is 4, but there are 3 GPUs", done.err)
        self.assertEqual([], self.sweeps())

    def test_the_gpus_an_engine_was_given_are_those_that_auto_finds(self):
        self.config(TELL, max_total_runs=2, max_concurrent_runs=1, gpus="auto")
        self.hdrive("run", "hdconfig.yml", env={"CUDA_VISIBLE_DEVICES": self.gpus[2]})
        self.assertEqual([self.gpus[2]] * 2, [told.cuda for told in self.told("begin")])
        none = self.hdrive("run", "hdconfig.yml", code=2, env={"CUDA_VISIBLE_DEVICES": ""})
        self.assertIn("CUDA_VISIBLE_DEVICES", none.err)


if __name__ == "__main__":
    unittest.main()
