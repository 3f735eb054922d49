# SPDX-License-Identifier: Apache-2.0
"""Scalars of event files as metrics, and what TensorBoard's own reader makes of an export.

The latter needs the package tensorboard in this interpreter or in the one that TENSORBOARD_PYTHON names, and is
skipped elsewhere.
"""

import json
import os
import pathlib
import shutil
import subprocess
import sys
import unittest

from support import METRIC, HdriveTest, until

HERE = pathlib.Path(__file__).resolve().parent
PYTHON = os.environ.get("TENSORBOARD_PYTHON", sys.executable)
HAS_TENSORBOARD = subprocess.run([PYTHON, "-c", "import tensorboard"], capture_output=True).returncode == 0
SPACE = {"type": "random", "parameter_space": [{"name": "--x", "expression": "uniform", "values": [0, 1]},
                                               {"name": "--act", "expression": "choice", "values": ["relu", "tanh"]}]}
HEAD = "import os, sys, time\nfrom event_writer import *\nnumber = int(os.environ['HDRIVE_RUN_NUMBER'])\n"
LAST = """
def gate(name):
    while not os.path.exists(os.environ['HDRIVE_SOURCE_DIR'] + '/' + name):
        time.sleep(0.02)
"""


class TensorBoard(HdriveTest):
    def script(self, body, **keys):
        shutil.copy(HERE / "event_writer.py", self.folder)
        self.write("train.py", HEAD + LAST + body)
        self.config(command=["python3", "train.py"],
                    **{"metrics": "tensorboard", "max_total_runs": 2, "sampling": SPACE, **keys})

    def values(self, run=0):
        rows = json.loads(self.hdrive("export", "last", "--metrics", "-f", "json").out)
        return [(row["name"], row["step"], row["value"]) for row in rows if row["number"] == run]

    def test_scalars_of_both_kinds_are_metrics_with_their_steps_and_folders_are_prefixes(self):
        self.script("writer = Writer('logs')\n"
                    "for step in range(3):\n"
                    "    writer.scalar('loss', 0.5 * step + number, step)\n"
                    "    writer.scalar('acc', 0.25 * step, step, tensor)\n"
                    "Writer('logs/validation').scalar('loss', 8, 7)\n"
                    "writer.file.write(record(event(9, simple('a', 1), simple('b', 2))))\n")
        self.hdrive("run", "hdconfig.yml", "--quiet")
        expected = [("loss", 0, 0.0), ("acc", 0, 0.0), ("loss", 1, 0.5), ("acc", 1, 0.25), ("loss", 2, 1.0),
                    ("acc", 2, 0.5), ("a", 9, 1.0), ("b", 9, 2.0), ("validation/loss", 7, 8.0)]
        self.assertEqual(sorted(expected), sorted(self.values()))
        self.assertEqual([0.0, 1.0], [run["best_primary_metric"] for run in self.runs()])

    def test_without_the_key_event_files_are_only_kept(self):
        self.script("Writer('logs').scalar('loss', 1, 1)\n", metrics=None, max_total_runs=1)
        done = self.hdrive("run", "hdconfig.yml", code=None)
        self.assertIn("loss", done.all)
        self.assertEqual([], self.values())
        self.assertTrue(list(self.sweep_directory().glob("runs/0/logs/events*")))

    def test_runs_are_judged_while_they_write_and_half_a_record_waits_for_the_rest(self):
        self.script("writer = Writer('logs')\n"
                    "if number == 0:\n"
                    "    for step in range(5): writer.scalar('loss', 0.1, step)\n"
                    "    sys.exit()\n"
                    "whole = record(event(0, simple('loss', 9.0)))\n"
                    "writer.file.write(whole[:20])\n"
                    "time.sleep(1.5)\n"
                    "writer.file.write(whole[20:])\n"
                    "time.sleep(60)\n", max_concurrent_runs=1, policy={"type": "BanditPolicy", "slack_amount": 1})
        self.hdrive("run", "hdconfig.yml", "--quiet")
        self.assertEqual(["exited", "policy"], [run["ended_by"] for run in self.runs()])
        self.assertEqual([("loss", 0, 9.0)], self.values(1))

    def test_what_was_taken_before_a_kill_is_not_taken_again(self):
        self.script("writer = Writer('logs')\n"
                    "for step in range(3): writer.scalar('loss', step, step)\n"
                    "open(os.environ['RECORD'], 'a').write('half\\n')\n"
                    "gate('go')\n"
                    "for step in range(3, 6): writer.scalar('loss', step, step)\n"
                    "Writer('logs', 'events.out.tfevents.2.test').scalar('loss', 6, 6)\n", max_total_runs=1)
        self.addCleanup(self.end_processes)
        engine = self.start("run", "hdconfig.yml", "--quiet")
        until(lambda: self.record() and self.runs() and len(self.values()) == 3, "three values are stored")
        engine.kill()
        engine.wait()
        self.write("go", "")
        self.hdrive("resume", "last", "--quiet")
        self.assertEqual([("loss", step, float(step)) for step in range(7)], self.values())

    def test_another_attempt_does_not_get_what_the_first_one_wrote(self):
        self.script("writer = Writer('logs', 'events.out.tfevents.%s' % os.environ['HDRIVE_ATTEMPT'])\n"
                    "writer.scalar('loss', int(os.environ['HDRIVE_ATTEMPT']), 0)\n"
                    "sys.exit(2 - int(os.environ['HDRIVE_ATTEMPT']))\n", max_total_runs=1, max_failed_retries=1)
        self.hdrive("run", "hdconfig.yml", "--quiet")
        rows = json.loads(self.hdrive("export", "last", "--metrics", "-f", "json").out)
        self.assertEqual([(1, 1.0), (2, 2.0)], [(row["attempt"], row["value"]) for row in rows])

    def test_a_damaged_file_is_told_once_and_the_rest_goes_on(self):
        self.script("writer = Writer('logs')\n"
                    "writer.scalar('loss', 1, 0)\n"
                    "bad = bytearray(record(event(1, simple('loss', 2))))\n"
                    "bad[-1] ^= 1\n"
                    "writer.file.write(bytes(bad))\n"
                    "writer.scalar('loss', 3, 2)\n"
                    "open('logs/events.out.tfevents.3', 'w').write('no event file at all')\n", max_total_runs=1)
        self.hdrive("run", "hdconfig.yml", "--quiet")
        self.assertEqual([("loss", 0, 1.0), ("loss", 2, 3.0)], self.values())
        shown = self.hdrive("show", "last").out
        self.assertIn("events.out.tfevents.1.test: holds records with wrong checksums", shown)
        self.assertIn("events.out.tfevents.3: is no event file, or damaged", shown)

    def test_an_export_needs_a_folder(self):
        self.config(METRIC + "metric loss 1\n", max_total_runs=1)
        self.hdrive("run", "hdconfig.yml", "--quiet")
        self.assertIn("name it: -o DIR", self.hdrive("export", "last", "-f", "tensorboard", code=2).err)

    @unittest.skipUnless(HAS_TENSORBOARD, f"NOT TESTED: {PYTHON} has no package tensorboard")
    def test_tensorboards_own_reader_finds_scalars_and_hyperparameters_in_an_export(self):
        self.config(METRIC + "metric loss 0.5\nmetric loss 0.25\nexit $HDRIVE_RUN_NUMBER\n",
                    max_total_runs=2, max_concurrent_runs=1, sampling=SPACE, command=["sh", "train.sh"])
        self.hdrive("run", "hdconfig.yml", "--name", "digits", "--quiet")
        for _ in range(2):  # again: replaced, not doubled
            self.assertIn("tensorboard --logdir", self.hdrive("export", "digits", "-f", "tensorboard", "-o", "tb").err)
        reader = self.write("read.py", """
import json
from tensorboard.backend.event_processing import event_accumulator, plugin_event_multiplexer
from tensorboard.plugins.hparams import metadata
multiplexer = plugin_event_multiplexer.EventMultiplexer(tensor_size_guidance={"scalars": 0})
multiplexer.AddRunsFromDirectory("tb")
multiplexer.Reload()
found = {}
for run in multiplexer.Runs():
    content = multiplexer.PluginRunToTagToContent("hparams").get(run, {})
    entry = {}
    if metadata.EXPERIMENT_TAG in content:
        experiment = metadata.parse_experiment_plugin_data(content[metadata.EXPERIMENT_TAG])
        entry["experiment"] = [experiment.name, [[i.name, i.type, [v.string_value for v in i.domain_discrete.values]]
                                                 for i in experiment.hparam_infos],
                               [m.name.tag for m in experiment.metric_infos]]
    if metadata.SESSION_START_INFO_TAG in content:
        start = metadata.parse_session_start_info_plugin_data(content[metadata.SESSION_START_INFO_TAG])
        entry["hparams"] = {k: v.string_value or v.number_value for k, v in start.hparams.items()}
        entry["status"] = metadata.parse_session_end_info_plugin_data(content[metadata.SESSION_END_INFO_TAG]).status
    try:
        from tensorboard.util import tensor_util
        entry["loss"] = [[t.step, float(tensor_util.make_ndarray(t.tensor_proto))]
                         for t in multiplexer.Tensors(run, "loss")]
    except KeyError:
        pass
    found[run] = entry
print(json.dumps(found))
""")
        done = subprocess.run([PYTHON, reader], cwd=self.folder, capture_output=True, text=True)
        self.assertEqual(0, done.returncode, done.stderr)
        found = json.loads(done.stdout.splitlines()[-1])
        drawn = [run["hyperparameters"] for run in self.runs("digits")]
        drawn = [json.loads(each) if isinstance(each, str) else each for each in drawn]
        self.assertEqual({".", "run_0000", "run_0001"}, set(found))
        self.assertEqual(["digits", [["x", 3, []], ["act", 1, ["relu", "tanh"]]], ["loss"]], found["."]["experiment"])
        for number, status in ((0, 1), (1, 2)):
            entry = found[f"run_000{number}"]
            self.assertEqual({name.lstrip("-"): value for name, value in drawn[number].items()}, entry["hparams"])
            self.assertEqual((status, [[0, 0.5], [1, 0.25]]), (entry["status"], entry["loss"]))

    @unittest.skipUnless(HAS_TENSORBOARD, f"NOT TESTED: {PYTHON} has no package tensorboard")
    def test_what_tensorboards_own_writer_writes_is_read(self):
        self.write("train.py", "import time\n"
                   "from tensorboard.compat.proto import event_pb2, summary_pb2\n"
                   "from tensorboard.summary.writer.event_file_writer import EventFileWriter\n"
                   "writer = EventFileWriter('logs/train')\n"
                   "for step in range(4):\n"
                   "    value = summary_pb2.Summary.Value(tag='loss', simple_value=0.5 * step)\n"
                   "    writer.add_event(event_pb2.Event(wall_time=time.time(), step=step,\n"
                   "                                     summary=summary_pb2.Summary(value=[value])))\n"
                   "writer.close()\n")
        self.config(command=[PYTHON, "train.py"], metrics="tensorboard", max_total_runs=1, sampling=SPACE,
                    primary_metric_name="train/loss")
        self.hdrive("run", "hdconfig.yml", "--quiet")
        self.assertEqual([("train/loss", step, 0.5 * step) for step in range(4)], self.values())


if __name__ == "__main__":
    unittest.main()
