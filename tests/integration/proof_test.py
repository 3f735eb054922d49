# SPDX-License-Identifier: Apache-2.0
"""Only proof counts as gone: short of descriptors, from another PID namespace, in a copy of a live sweep, an engine
starts nothing and ends nothing. And nothing that runs put into their directories holds it up."""

import resource
import shutil
import subprocess
import unittest

from support import METRIC, HdriveTest, alive, until

# Logs, tells its pid, and runs until the file `go` is there.
GATED = METRIC + 'echo "$$" >> "$RECORD"\nmetric loss 0.5\nwhile [ ! -e $HDRIVE_SOURCE_DIR/go ]; do sleep 0.05; done\n'


class LeftAlive(HdriveTest):
    """A sweep whose engine was killed while its runs are alive."""
    RUNS = 12

    def setUp(self):
        super().setUp()
        self.addCleanup(self.end_processes)
        self.config(GATED, max_total_runs=self.RUNS, max_concurrent_runs=self.RUNS)
        engine = self.start("run", "hdconfig.yml")
        until(lambda: len(self.record()) == self.RUNS, "all runs are alive")
        until(lambda: all(run["best_primary_metric"] == 0.5 for run in self.runs()), "all have reported")
        engine.kill()
        engine.wait()
        self.pids = self.record()

    def check_untouched(self):
        self.assertEqual(self.pids, self.record())
        self.assertTrue(all(alive(pid) for pid in self.pids))

    def check_all_complete(self):
        self.write("go", "")
        self.hdrive("resume", "last")
        self.assertEqual(self.pids, self.record())
        self.assertEqual([("Completed", 1)] * self.RUNS, [(run["status"], run["attempt"]) for run in self.runs()])

    def test_resume_short_of_descriptors_starts_and_ends_nothing(self):
        refused = 0
        for limit in range(12, 30):
            def few(most=limit):
                resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
            done = self.hdrive("resume", "last", code=None, preexec_fn=few)
            self.assertNotEqual(0, done.code, done)
            refused += "it may still be alive" in done.err
            self.check_untouched()
        self.assertGreater(refused, 3)
        self.check_all_complete()

    def test_a_copy_neither_follows_nor_ends_nor_repeats_the_originals_runs(self):
        shutil.copytree(self.folder / ".hdrive", self.folder / "copy", symlinks=True)
        done = self.hdrive("resume", "last", "--output-dir", "copy", code=1)
        self.assertIn("this directory is a copy", done.err)
        self.assertIn(str(self.folder / ".hdrive"), done.err)
        self.check_untouched()
        self.check_all_complete()

    def test_another_pid_namespace_knows_nothing_of_them(self):
        apart = ["unshare", "--pid", "--fork", "--mount-proc"]
        if not shutil.which("unshare") or subprocess.run([*apart, "true"], capture_output=True, check=False).returncode:
            self.skipTest("no namespaces here")
        binary = self.environment["PATH"].split(":")[0] + "/hdrive"
        done = subprocess.run([*apart, binary, "resume", "last"], cwd=self.folder, env=self.environment,
                              capture_output=True, text=True, check=False)
        self.assertEqual(1, done.returncode, done)
        self.assertIn("another PID namespace", done.stderr)
        self.check_untouched()
        self.check_all_complete()


class Unrecorded(HdriveTest):
    def test_an_attempt_that_was_lost_before_the_engine_could_record_it_counts(self):
        self.addCleanup(self.end_processes)
        # The first attempt kills the engine, which has just started it, and its own supervisor.
        self.config(METRIC + 'echo "$HDRIVE_ATTEMPT" >> "$RECORD"\n'
                    'if [ "$HDRIVE_ATTEMPT" = 1 ]; then while [ ! -s engine ]; do :; done; '
                    'kill -9 $(cat engine) $PPID; sleep 1000; fi\nmetric loss 1\n',
                    max_total_runs=1, max_concurrent_runs=1)
        engine = self.start("run", "hdconfig.yml")
        self.write("engine", str(engine.pid))
        engine.wait()
        self.hdrive("resume", "last")
        self.assertEqual(["1", "2"], self.record())
        self.assertEqual([("Completed", 2)], [(run["status"], run["attempt"]) for run in self.runs()])


class Planted(HdriveTest):
    WAYS = {
        "stderr_fifo": "rm stderr.log; mkfifo stderr.log; exit 1",
        "stderr_zero": "rm stderr.log; ln -s /dev/zero stderr.log; exit 1",
        "exit_fifo": "mkfifo exit.json; kill -9 $PPID; sleep 100",
        "exit_zero": "ln -s /dev/zero exit.json; kill -9 $PPID; sleep 100",
        "exit_forged": "echo '{\"version\": 1, \"attempt\": 1, \"exit_code\": 0}' > exit.json; kill -9 $PPID; sleep 100",
        "own_exit_fifo": "mkfifo .exit.json",
        "own_exit_folder": "mkdir -p .exit.json/x",
        "sparse": "truncate -s 15T metrics.jsonl",
        "rewritten": "for i in 1 2 3 4 5 6 7 8 9; do echo '{\"name\": \"loss\", \"value\": 2}' > metrics.jsonl; done",
        "nested": "head -c 400000 /dev/zero | tr '\\0' '[' > run.json; cp run.json supervisor.json",
        "long": "head -c 3000000 /dev/zero | tr '\\0' 'x' >> metrics.jsonl; echo >> metrics.jsonl",
    }

    def test_a_sweep_of_runs_that_plant_files_ends_as_any_other(self):
        script = METRIC + "metric loss 1\ncd $HDRIVE_RUN_DIR\ncase $HDRIVE_RUN_NUMBER in\n"
        for number, way in enumerate(self.WAYS.values()):
            script += f"{number}) {way};;\n"
        self.config(script + "esac\n", max_total_runs=len(self.WAYS) + 1, max_lost_retries=0, stop_when_all_fail=False)
        done = self.hdrive("run", "hdconfig.yml", code=None, timeout=60)
        ends = dict(zip(self.WAYS, [run["status"] for run in self.runs()]))
        failed = {name for name, status in ends.items() if status == "Failed"}
        self.assertEqual({"stderr_fifo", "stderr_zero", "exit_fifo", "exit_zero", "exit_forged"}, failed, done)
        self.assertEqual("Completed", self.runs()[-1]["status"])
        self.assertEqual(2, done.err.count("it is longer than 1 MB and was left out"), done.err)  # sparse, long
        for number in range(2):
            shown = self.hdrive("logs", f"last/{number}", "--stderr", code=None, timeout=20)
            self.assertIn("not a regular file", shown.err)
            self.hdrive("show", f"last/{number}", timeout=20)
        database = self.sweep_directory() / "sweep.db"
        database.write_bytes(database.read_bytes()[:20000])
        self.hdrive("repair", self.sweep_directory().name, timeout=60)
        self.assertEqual(len(self.WAYS) + 1, len(self.runs()))


if __name__ == "__main__":
    unittest.main()
