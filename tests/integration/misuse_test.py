# SPDX-License-Identifier: Apache-2.0
"""What the command says to a slip: the right way, and no wrong guess; where it looks for sweeps and configurations."""

import json
import os
import unittest

from support import ENDLESS, QUICK, HdriveTest, until


class Slips(HdriveTest):
    def setUp(self):
        super().setUp()
        self.config(QUICK, max_total_runs=2)

    def said(self, *arguments, code=2):
        return self.hdrive(*arguments, code=code).err

    def test_of_a_command_without_dashes_show_where_it_goes(self):
        self.assertIn('unexpected argument "python"; the command to train with goes behind "--": '
                      "hdrive run hdconfig.yml -- python train.py --epochs 3",
                      self.said("run", "hdconfig.yml", "python", "train.py", "--epochs", "3"))
        for name in ("train.py", "train.sh"):
            self.assertIn(f"{name} is a script, not a configuration", self.said("run", name))

    def test_of_a_verb_are_answered_by_the_right_one_or_none(self):
        for word, verb in (("ls", "list"), ("kill", "stop"), ("follow", "attach"), ("statsu", "status"), ("exprot", "export")):
            self.assertIn(f'did you mean "{verb}"?', self.said(word))
        self.assertNotIn("did you mean", self.said("paint", "x"))
        self.assertEqual(self.hdrive("version").out, self.hdrive("-v").out)
        self.assertEqual(self.hdrive("version").out, self.hdrive("-V").out)

    def test_of_values_are_told_with_the_nearest(self):
        self.assertIn("--seed needs a value: a whole number", self.said("run", "hdconfig.yml", "--seed"))
        self.assertIn("--set needs a value: KEY=VALUE", self.said("run", "hdconfig.yml", "--set"))
        self.assertIn('did you mean "json"?', self.said("list", "-f", "jsn"))
        self.assertIn("SWEEP", self.hdrive("repair", "--help").out.partition("arguments:")[2])

    def test_of_runs_are_told_apart_from_those_of_sweeps(self):
        self.hdrive("run", "hdconfig.yml")
        self.assertIn('"bset" is no run of last; a run\'s number or "best" is allowed; did you mean "best"?',
                      self.said("show", "last/bset", code=4))
        for word in ("last/abc", "last/-1"):
            self.assertNotIn("did you mean", self.said("show", word, code=4))

    def test_of_a_configuration_without_a_command_are_told_by_validate(self):
        self.assertEqual("", self.hdrive("validate", "hdconfig.yml").err)
        self.config(command=None)
        done = self.hdrive("validate", "hdconfig.yml")
        self.assertIn("ok, ", done.out)
        self.assertIn("no command to train with yet: hdrive run hdconfig.yml -- COMMAND gives one", done.err)

    def test_of_a_change_that_changes_nothing_promise_nothing(self):
        self.hdrive("run", "hdconfig.yml")
        self.assertIn("goes on with it", self.hdrive("update", "last", "--set", "max_total_runs=3").out)
        self.assertRegex(self.hdrive("update", "last", "--set", "max_total_runs=3").out, r"^HD_\w+: nothing changes: it is so already\n$")
        self.assertIn('"x": expected NAME=VALUE', self.said("enqueue", "last", "x"))
        self.assertEqual("There is nothing of that kind to delete.\n", self.hdrive("prune", "--failed").out)

    def test_of_files_and_directories_are_told(self):
        self.hdrive("run", "hdconfig.yml")
        self.assertIn("is a directory; name a file in it", self.said("export", "-o", str(self.folder)))
        self.assertIn("is no directory", self.said("list", "--output-dir", "hdconfig.yml"))


class Places(HdriveTest):
    def setUp(self):
        super().setUp()
        del self.environment["HDRIVE_HOME"]
        self.config(QUICK, max_total_runs=2)
        (self.folder / "sub" / "deeper").mkdir(parents=True)

    def test_hdconfig_yml_is_taken_where_none_is_named(self):
        self.assertIn("2 runs", self.hdrive("validate").out)
        self.hdrive("run", "--set", "max_total_runs=1")
        os.remove(self.folder / "hdconfig.yml")
        self.assertIn("no configuration given, and there is no hdconfig.yml here", self.hdrive("run", code=2).err)

    def test_sweeps_are_looked_for_upwards_and_made_here(self):
        self.hdrive("run", "--name", "above")
        below = self.folder / "sub" / "deeper"
        self.assertIn("above", self.hdrive("status", cwd=below).out)
        self.hdrive("run", "../../hdconfig.yml", "--name", "below", cwd=below)
        self.assertTrue((below / ".hdrive").is_dir())
        self.assertIn("below", self.hdrive("status", cwd=below).out)
        self.assertIn("no sweeps", self.hdrive("list", "--output-dir", "none", cwd=below).err)

    def test_of_sweeps_with_one_name_those_that_read_take_the_newest(self):
        self.config(QUICK, max_total_runs=1, name="named.yml").write_text(
            json.dumps({**json.loads((self.folder / "named.yml").read_text()), "name": "mine"}))
        for _ in range(2):
            self.hdrive("run", "named.yml")
        newest = self.sweeps()[-1]["sweep_id"]
        for verb in (["status", "mine"], ["show", "mine"], ["show", "mine/0"], ["best", "mine"], ["export", "mine"]):
            done = self.hdrive(*verb)
            self.assertIn(newest, done.out)
            self.assertIn('2 sweeps are named "mine"; this is the newest, ' + newest[:11], done.err)
        for verb in (["stop", "mine"], ["resume", "mine"], ["update", "mine", "--set", "seed=3"]):
            self.assertIn("names 2 sweeps", self.hdrive(*verb, code=4).err)


    def test_nothing_is_no_name(self):
        for verb in ("run", "validate"):
            self.assertIn("--name: is empty; a name, or no --name at all, is allowed",
                          self.hdrive(verb, "hdconfig.yml", "--name", "", code=2).err.replace("--name NAME", "--name"))
        self.assertEqual([], self.sweeps())
        self.hdrive("run", "hdconfig.yml")
        for verb in ("logs", "show", "status", "best", "export", "delete"):
            self.assertIn("which sweep?", self.hdrive(verb, "", code=4).err)


class Hints(HdriveTest):
    def test_name_the_sweep_that_is_meant_and_where_it_lies(self):
        self.config(QUICK, max_total_runs=1)
        told = self.hdrive("run", "hdconfig.yml", "--output-dir", "o x").out
        older = json.loads(self.hdrive("list", "-f", "json", "--output-dir", "o x").out)[0]["sweep_id"]
        self.assertIn(f"hdrive show {older[:11]}/best --output-dir 'o x'\n", told)
        self.assertNotIn("last", told)
        self.hdrive("run", "hdconfig.yml", "--output-dir", "o x")
        resumed = self.hdrive("resume", older, "--set", "max_total_runs=2", "--output-dir", "o x").out
        self.assertIn(f"hdrive show {older[:11]}/best --output-dir 'o x'\n", resumed)
        self.assertNotIn("last", resumed)
        self.assertIn("outputs  (empty)", self.hdrive("best", "--output-dir", "o x").out)

    def test_of_a_sweep_whose_engine_is_gone_say_where_it_lies(self):
        self.config(ENDLESS, max_total_runs=1)
        self.addCleanup(self.end_processes)
        engine = self.start("run", "hdconfig.yml", "--output-dir", "other")
        until(lambda: self.record(), "the run is alive")
        engine.kill()
        engine.wait()
        shown = self.hdrive("status", "--output-dir", "other", env={"COLUMNS": "300"}).out
        self.assertRegex(shown, r"hdrive resume HD_\w+ --output-dir other goes on")
        self.environment["HDRIVE_HOME"] = str(self.folder / "other")
        self.assertRegex(self.hdrive("status", env={"COLUMNS": "300"}).out, r"hdrive resume HD_\w+ goes on")

    def test_of_the_manual_page_are_the_tables_of_the_command(self):
        page = self.hdrive("man").out
        self.assertTrue(page.startswith(".TH HDRIVE 1 "))
        for verb in ("run", "status", "logs", "completion"):
            self.assertIn(f".SS hdrive {verb}", page)
        self.assertIn("\\-\\-tail N", page)
        self.assertNotIn("announce", page)
        self.assertIn(".SH EXIT STATUS", page)


if __name__ == "__main__":
    unittest.main()
