# SPDX-License-Identifier: Apache-2.0
"""`hdrive session` as a program of another language uses it: through two pipes."""

import json
import shutil
import subprocess
import unittest

from support import BINARY, DEADLINE, Done, HdriveTest


class SessionTest(HdriveTest):
    def session(self, *arguments):
        process = subprocess.Popen(
            [str(BINARY), "session", *map(str, arguments)], cwd=self.folder, env=self.environment, text=True,
            bufsize=1, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        self.started.append(process)
        return process

    def call(self, process, **request):
        return self.call_raw(process, json.dumps(request))

    def call_raw(self, process, line):
        print(line, file=process.stdin, flush=True)
        return json.loads(process.stdout.readline())

    def end(self, process):
        out, err = process.communicate(timeout=DEADLINE)
        self.assertEqual(0, process.returncode, err)
        return Done(0, out, err)

    def test_each_answer_comes_before_the_next_request(self):
        session = self.session(self.config(command=None), "--memory")
        values = {}
        while "run" in (asked := self.call(session, op="ask")):
            values[asked["run"]] = asked["parameters"]["--x"]
            self.assertEqual("keep", self.call(session, op="report", run=asked["run"], step=1, value=9)["verdict"])
            self.assertEqual({"ok": True}, self.call(session, op="tell", run=asked["run"], value=values[asked["run"]]))
        self.assertTrue(asked["done"])
        best = self.call(session, op="best")
        self.assertEqual(min(values.values()), best["value"])
        self.end(session)
        self.assertEqual([0, 1, 2, 3], list(values))
        self.assertFalse((self.folder / ".hdrive").exists(), "--memory keeps nothing on disk")

    def test_wrong_lines_are_answered_and_the_session_goes_on_to_the_end_of_its_input(self):
        session = self.session(self.config(command=None), "--memory", "--quiet")
        done = session.communicate('nonsense\n{"op":"ask"}\n\n{"op":"tell","run":7,"value":1}\n'
                                   '{"op":"tell","run":0,"value":NaN}\n{"op":"best"}', timeout=DEADLINE)
        self.assertEqual(0, session.returncode)
        self.assertEqual("", done[1])
        kinds = [sorted(json.loads(line)) for line in done[0].splitlines()]
        self.assertEqual([["error"], ["parameters", "reason", "run"], ["error"], ["error"], ["ok"],
                          ["reason", "run"]], kinds)

    def test_a_session_is_a_sweep_that_can_be_listed_shown_and_compared_with_hdrive_run(self):
        config = self.config(command=None)
        session = self.session(config)
        asked = [self.call(session, op="ask") for _ in range(4)]
        [sweep] = self.sweeps()
        self.assertEqual("Running", sweep["status"])
        for answer in asked[:3]:
            self.call(session, op="tell", run=answer["run"], value=answer["run"] + 1)
        self.call(session, op="fail", run=3, reason="out of memory")
        self.end(session)
        self.assertEqual("Completed", self.sweeps()[0]["status"])
        runs = self.runs()
        self.assertEqual(["Completed"] * 3 + ["Failed"], [run["status"] for run in runs])
        self.assertEqual([answer["parameters"] for answer in asked], [run["hyperparameters"] for run in runs])
        self.assertIn("out of memory", self.hdrive("show", "last/3").out)
        self.assertEqual(0, json.loads(self.hdrive("best", "-f", "json").out)["number"])
        # The same seed proposes the same whether or not hdrive starts the runs.
        drawn = json.loads(self.hdrive("sample", config, "-n", "4", "-f", "json").out)
        self.assertEqual([answer["parameters"] for answer in asked], [one["hyperparameters"] for one in drawn])

    @unittest.skipUnless(shutil.which("git"), "git is not installed")
    def test_a_session_keeps_the_state_of_the_repository_and_no_snapshot(self):
        config = self.config(command=None)
        for words in (["init", "-qb", "main"], ["add", "."], ["commit", "-qm", "one"]):
            subprocess.run(["git", "-c", "user.name=ada", "-c", "user.email=a@b.c", *words], cwd=self.folder, check=True)
        self.end(self.session(config))
        shown = json.loads(self.hdrive("show", "last", "-f", "json").out)
        self.assertEqual("main", shown["properties"]["azureml.git.branch"])
        self.assertEqual("", shown["snapshot"])

    def test_a_killed_session_goes_on_with_its_open_runs_first(self):
        session = self.session(self.config(command=None))
        first = [self.call(session, op="ask") for _ in range(3)]
        self.call(session, op="tell", run=0, value=1)
        self.call(session, op="report", run=1, value=1)
        session.kill()
        session.communicate()
        self.assertIn("Interrupted", self.hdrive("list").out)

        done = self.hdrive("resume", "last", code=2)
        self.assertIn("hdrive session --resume", done.err)
        session = self.session("--resume", "last", "--set", "max_total_runs=5")
        again = [self.call(session, op="ask") for _ in range(2)]
        self.assertEqual([1, 2], [answer["run"] for answer in again])
        self.assertEqual([2, 2], [answer["attempt"] for answer in again])
        self.assertEqual([answer["parameters"] for answer in first[1:]], [answer["parameters"] for answer in again])
        for run in (3, 4):
            self.assertEqual(run, self.call(session, op="ask")["run"])
        self.assertTrue(self.call(session, op="ask")["done"])
        for run in (1, 2, 3, 4):
            self.assertEqual({"ok": True}, self.call(session, op="tell", run=run, value=run))
        self.end(session)
        self.assertEqual("Completed", self.sweeps()[0]["status"])
        self.assertEqual([1, 2, 2, 1, 1], [run["attempt"] for run in self.runs()])

    def test_a_policy_stops_a_run_by_its_verdict(self):
        session = self.session(self.config(
            command=None, policy={"type": "bandit", "slack_amount": 0.5}))
        self.call(session, op="ask")
        self.call(session, op="ask")
        self.call(session, op="report", run=0, step=1, value=1)
        verdict = self.call(session, op="report", run=1, step=1, value=3)
        self.assertEqual("stop", verdict["verdict"])
        self.assertEqual({"ok": True}, self.call(session, op="tell", run=1, value=3))
        self.end(session)
        self.assertEqual(("Canceled", "policy"), (self.runs()[1]["status"], self.runs()[1]["ended_by"]))

    def test_hdrive_stop_reaches_a_session_with_its_next_line(self):
        session = self.session(self.config(command=None))
        self.call(session, op="ask")
        self.hdrive("stop", "last", "--no-wait")
        done = self.call(session, op="ask")
        self.assertIn("hdrive stop", done["reason"])
        self.end(session)
        self.assertEqual("Canceled", self.sweeps()[0]["status"])

    def test_a_point_enqueued_while_the_program_trains_is_taken_at_once_and_tried_next(self):
        session = self.session(self.config(command=None), "--quiet")
        self.call(session, op="ask")
        done = self.hdrive("enqueue", "last", "x=0.125")  # the session reads no line meanwhile
        self.assertEqual(0, done.code, done.err)
        self.call(session, op="tell", run=0, value=1)
        asked = self.call(session, op="ask")
        self.assertEqual({"--x": 0.125}, asked["parameters"])
        self.assertIn("start point", asked["reason"])
        self.end(session)

    def test_requests_are_heard_while_a_line_is_half_written(self):
        session = self.session(self.config(command=None), "--quiet")
        self.call(session, op="ask")
        session.stdin.write('{"op":"tell","run":0,')
        session.stdin.flush()
        self.hdrive("enqueue", "last", "x=0.125")
        self.assertEqual({"ok": True}, self.call_raw(session, '"value":1}'))
        self.assertEqual({"--x": 0.125}, self.call(session, op="ask")["parameters"])
        self.end(session)

    def test_closed_standard_input_is_an_empty_one(self):
        config = self.config(command=None)
        done = subprocess.run(["sh", "-c", f"exec {BINARY} session {config} --quiet <&-"], cwd=self.folder, text=True,
                              env=self.environment, capture_output=True, timeout=DEADLINE, check=False)
        self.assertEqual((0, "", ""), (done.returncode, done.stdout, done.stderr))

    def test_auto_says_what_it_chose_and_why_and_not_by_the_processors_of_the_machine(self):
        config = self.config(command=None, max_total_runs=100, max_concurrent_runs=None, sampling={
            "type": "auto", "parameter_space": [{"name": "--x", "expression": "uniform", "values": [0, 1]}]})
        session = self.session(config, "--memory", "--quiet")
        reason = self.call(session, op="ask")["reason"]
        self.assertIn("auto chose bayesian, because 100 runs for 1 parameter suit", reason)
        self.end(session)

    def test_a_resumed_session_keeps_its_seed_and_its_name(self):
        session = self.session(self.config(command=None), "--quiet")
        self.call(session, op="ask")
        self.end(session)
        for option in ("--seed=99", "--name=other"):
            refused = self.session("--resume", "last", option)
            self.assertEqual(2, refused.wait(DEADLINE))
            self.assertIn("a sweep keeps its own seed", refused.communicate()[1])

    def test_a_name_is_of_one_sweep(self):
        self.end(self.session(self.config(command=None), "--name", "mine", "--quiet"))
        again = self.session("hdconfig.yml", "--name", "mine")
        self.assertEqual(2, again.wait(DEADLINE))
        self.assertIn("there is a sweep mine", again.communicate()[1])
        self.end(self.session("hdconfig.yml", "--name", "mine", "--memory", "--quiet"))

    def test_show_tells_how_much_each_parameter_mattered(self):
        space = [{"name": name, "expression": "uniform", "values": [0, 1]} for name in ("--much", "--none")]
        session = self.session(self.config(command=None, max_total_runs=60, sampling={
            "type": "sobol", "parameter_space": space}))
        self.call(session, op="ask")
        self.call(session, op="tell", run=0, value=1)
        self.assertIn("at least 10 finished runs", self.hdrive("show", "last", "--importance", code=1).err)
        for run in range(1, 60):
            asked = self.call(session, op="ask")
            self.call(session, op="tell", run=run, value=asked["parameters"]["--much"] ** 2)
        self.end(session)
        rows = json.loads(self.hdrive("show", "last", "--importance", "-f", "json").out)
        self.assertEqual(["--much", "--none"], [row["parameter"] for row in rows])
        self.assertGreater(rows[0]["importance"], 0.8)
        self.assertAlmostEqual(1, sum(row["importance"] for row in rows))
        self.assertIn("PED-ANOVA", self.hdrive("show", "last", "--importance").out)
        self.hdrive("show", "last/3", "--importance", code=2)

    def test_what_cannot_begin_says_why(self):
        config = self.config(command=None, max_total_runs=0)
        self.assertIn("max_total_runs", self.hdrive("session", config, code=2).err)
        config.rename(self.folder / "other.yml")
        self.assertIn("no configuration", self.hdrive("session", code=2).err)
        self.assertIn("--memory", self.hdrive("session", "--resume", "last", "--memory", code=2).err)
        self.hdrive("session", "--resume", "nothing", code=4)


if __name__ == "__main__":
    unittest.main()
