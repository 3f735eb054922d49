# SPDX-License-Identifier: Apache-2.0
"""Completion under the real shells, where they are installed: what <TAB> offers."""

import os
import shutil
import subprocess
import unittest

from support import BINARY, QUICK, HdriveTest

BASH = """
compopt() { :; }  # which bash has only while it completes
source <("$HDRIVE" completion bash)
complete_line() {
  COMP_LINE="$*" COMP_WORDS=("$@") COMP_CWORD=$(($# - 1)) COMPREPLY=()
  _hdrive "$HDRIVE" "${COMP_WORDS[COMP_CWORD]}" "${COMP_WORDS[COMP_CWORD-1]}"
  printf '%s\\n' "${COMPREPLY[@]}"
}
"""


# _describe and _files tell what they were given.
ZSH = """
compdef() { :; }
_describe() { [[ $1 == -V ]] && shift; print -rl -- "${(@P)2}"; }
_files() { print -r -- "files $*"; }
source <("$HDRIVE" completion zsh)
words=("$HDRIVE" "${@:2}") CURRENT=$#
_hdrive
"""


class Completion(HdriveTest):
    def setUp(self):
        super().setUp()
        self.config(QUICK, max_total_runs=2)
        self.hdrive("run", "hdconfig.yml", "--name", "first")
        self.short = self.sweep_directory().name[:11]
        self.write("train.py", "")
        self.write("data/x", "")

    def shell(self, shell, script, *arguments):
        done = subprocess.run([shell, *(["--norc"] if shell == "bash" else ["-f"] if shell == "zsh" else []), "-c", script,
                               *([shell] if shell != "fish" else []), *arguments], cwd=self.folder, text=True,
                              env={**self.environment, "HDRIVE": str(BINARY)}, capture_output=True, timeout=60)
        self.assertEqual("", done.stderr)
        return done.stdout.split("\n")[:-1]

    def bash(self, *words):
        return self.shell("bash", BASH + 'complete_line "$@"', "hdrive", *words)

    def test_in_bash_offers_the_commands_and_no_internal_option(self):
        self.assertIn("status", self.bash(""))
        self.assertNotIn("complete", self.bash(""))
        self.assertEqual(["stop"], self.bash("sto"))
        self.assertIn("--detach", self.bash("run", "--"))
        self.assertNotIn("--announce-to", self.bash("run", "--"))

    def test_in_bash_offers_the_values_of_options(self):
        self.assertEqual(["table", "json", "csv"], self.bash("best", "-f", ""))
        self.assertEqual(["json"], self.bash("best", "--format", "=", "js"))
        self.assertEqual(["completed", "canceled"], self.bash("status", "--status", "c"))
        self.assertEqual(["best"], self.bash("status", "--sort", "b"))
        self.assertIn("max_total_runs=", self.bash("run", "hdconfig.yml", "--set", "max"))
        self.assertIn("policy.type=", self.bash("run", "hdconfig.yml", "--set", "policy."))
        self.assertEqual(["bash", "zsh", "fish"], self.bash("completion", ""))

    def test_in_bash_offers_names_before_ids_and_runs_behind_a_slash(self):
        self.assertEqual(["first", "last", self.short], self.bash("show", ""))
        self.assertEqual(["first"], self.bash("show", "fir"))
        self.assertEqual(["first/best", "first/0", "first/1"], self.bash("show", "first/"))
        self.assertEqual(["last/best"], self.bash("logs", "last/b"))
        self.assertEqual(["x="], self.bash("enqueue", "first", ""))

    def test_in_bash_follows_the_output_directory(self):
        self.hdrive("run", "hdconfig.yml", "--name", "elsewhere", "--output-dir", "other")
        self.assertEqual(["elsewhere"], self.bash("show", "--output-dir", "other", "e"))
        self.assertEqual(["elsewhere"], self.bash("show", "--output-dir", "=", "other", "e"))

    def test_in_bash_offers_configurations_to_run_and_files_to_its_command(self):
        offered = self.bash("run", "")
        self.assertIn("hdconfig.yml", offered)
        self.assertNotIn("train.py", offered)
        self.assertEqual(["train.py", "train.sh"], sorted(self.bash("run", "hdconfig.yml", "--", "python", "tr")))
        self.assertEqual(["data"], self.bash("run", "--path", "da"))
        self.assertEqual(["hdconfig.yml", "data"], offered)

    @unittest.skipUnless(shutil.which("fish"), "fish is not installed")
    def test_in_fish_offers_the_same(self):
        script = 'source (eval $HDRIVE completion fish | psub); function hdrive; end; complete -C "hdrive show "'
        environment = {"XDG_CONFIG_HOME": str(self.folder), "XDG_DATA_HOME": str(self.folder)}
        self.environment.update(environment)
        offered = [line.split("\t")[0] for line in self.shell("fish", script)]
        self.assertEqual(["first", "last", self.short], offered)

    @unittest.skipUnless(shutil.which("zsh"), "zsh is not installed")
    def test_in_zsh_is_a_script_that_it_can_read(self):
        self.assertEqual([], self.shell("zsh", 'compdef() { :; }; source <("$HDRIVE" completion zsh); type _hdrive >/dev/null'))

    @unittest.skipUnless(shutil.which("zsh"), "zsh is not installed")
    def test_in_zsh_offers_the_same(self):
        def zsh(*words):
            offered = self.shell("zsh", ZSH, *words)
            self.assertEqual(len(offered), len({line.partition(":")[2] for line in offered} if words == ("hdrive", "show", "") else offered),
                             "zsh puts words of one description together, out of their order")
            return [line.partition(":")[0] for line in offered]
        self.assertEqual(["first", "last", self.short], zsh("hdrive", "show", ""))
        self.assertEqual(["status", "stop"], zsh("hdrive", "st"))
        self.assertEqual(["first/best", "first/0", "first/1"], zsh("hdrive", "show", "first/"))
        self.assertEqual(["--format=json"], zsh("hdrive", "best", "--format=j"))
        self.assertEqual(["policy.slack_factor=", "policy.slack_amount="], zsh("hdrive", "run", "hdconfig.yml", "--set", "policy.sl"))
        self.assertEqual(["files -g *.(yml|yaml)"], zsh("hdrive", "run", ""))
        self.assertEqual(["files -/"], zsh("hdrive", "run", "--path", ""))


if __name__ == "__main__":
    unittest.main()
