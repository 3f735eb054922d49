#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Snapshots and working folders: each run has files of its own, and nothing a run or an editor does reaches another."""

import json
import os
import random
import shutil
import subprocess
import unittest

from support import HdriveTest, until

REPORT = 'printf \'{"name": "loss", "value": %s}\\n\' "$2" >> "$HDRIVE_METRICS_FILE"\n'


class WorkspaceTest(HdriveTest):
    def runs(self):
        [runs] = (self.folder / ".hdrive").glob("HD_*/runs")
        return runs

    def files_of_run(self, number):
        return sorted(path.name for path in (self.runs() / str(number)).iterdir())

    def test_each_run_keeps_the_model_it_wrote_to_outputs(self):
        self.config("echo $2 > ./outputs/model.pkl; echo log > logs/a.txt\n" + REPORT, max_total_runs=6, max_concurrent_runs=3)
        self.hdrive("run", "hdconfig.yml")
        models = [(self.runs() / str(n) / "outputs" / "model.pkl").read_text() for n in range(6)]
        self.assertEqual(6, len(set(models)))
        self.assertFalse((self.folder / "outputs").exists())
        best = self.hdrive("best").out
        [path] = [line.split()[1] for line in best.splitlines() if line.startswith("outputs")]
        self.assertEqual(min(models, key=float), (self.folder / path / "model.pkl").read_text())

    def test_editing_the_source_during_a_sweep_changes_nothing(self):
        self.write("net.txt", "first\n")
        self.config('cat net.txt >> "$RECORD"; while [ ! -e "$HDRIVE_SOURCE_DIR/go" ]; do sleep 0.02; done\n' + REPORT,
                    max_total_runs=4, max_concurrent_runs=1)
        process = self.start("run", "hdconfig.yml")
        until(lambda: len(self.record()) == 1, "the first run has begun")
        self.write("net.txt", "edited\n")
        self.write("train.sh", "exit 1\n")
        self.write("go", "")
        self.assertEqual(0, self.finish(process).code)
        self.assertEqual(["first"] * 4, self.record())

    def test_what_a_run_writes_no_other_run_sees_nor_the_source(self):
        self.write("data.csv", "1\n")
        self.config('echo more >> data.csv; wc -l < data.csv >> "$RECORD"; touch new; ls | wc -l >> "$RECORD"\n' + REPORT,
                    max_total_runs=5, max_concurrent_runs=1)
        self.hdrive("run", "hdconfig.yml")
        self.assertEqual({"2", "6"}, {line.strip() for line in self.record()})
        self.assertEqual("1\n", (self.folder / "data.csv").read_text())
        self.assertFalse((self.folder / "new").exists())

    def test_a_resumed_sweep_goes_on_from_its_snapshot(self):
        self.write("net.txt", "first\n")
        self.config('cat net.txt >> "$RECORD"\n' + REPORT, max_total_runs=2)
        self.hdrive("run", "hdconfig.yml")
        self.write("net.txt", "edited\n")
        (self.folder / "train.sh").write_text("exit 1\n")
        self.hdrive("resume", "last", "--set", "max_total_runs=4")
        self.assertEqual(["first"] * 4, self.record())

    def test_a_run_that_has_ended_takes_four_files(self):
        self.config(REPORT, max_total_runs=3)
        self.hdrive("run", "hdconfig.yml")
        for number in range(3):
            self.assertEqual(["exit.json", "metrics.jsonl", "run.json"], self.files_of_run(number))
        self.assertEqual("", self.hdrive("logs", "last/0").out)
        self.assertIn("(empty)", self.hdrive("best").out)
        self.assertFalse((self.runs() / ".removed").exists())

    def test_working_folders_are_kept_as_asked(self):
        for keep, kept in (("never", []), ("failed", [1]), ("always", [0, 1, 2])):
            with self.subTest(keep=keep):
                shutil.rmtree(self.folder / ".hdrive", ignore_errors=True)
                self.config('echo scratch > scratch; test "$HDRIVE_RUN_NUMBER" != 1\n', max_total_runs=3, keep_work=keep,
                            stop_without_primary_metric=False)
                self.hdrive("run", "hdconfig.yml", code=None)
                found = [n for n in range(3) if (self.runs() / str(n) / "work" / "scratch").exists()]
                self.assertEqual(kept, found)

    def test_with_working_directory_source_the_runs_share_it_as_before(self):
        self.config("echo x >> together\n" + REPORT, working_directory="source", max_total_runs=3, max_concurrent_runs=1)
        self.hdrive("run", "hdconfig.yml")
        self.assertEqual("x\nx\nx\n", (self.folder / "together").read_text())
        self.assertFalse((self.folder / ".hdrive" / "snapshots").exists())

    def test_a_folder_that_is_too_large_is_shared_and_a_sentence_says_so(self):
        (self.folder / "many").mkdir()
        for i in range(20_001):
            os.symlink("/", self.folder / "many" / str(i))
        self.config("echo x >> together\n" + REPORT, max_total_runs=2, max_concurrent_runs=1)
        done = self.hdrive("run", "hdconfig.yml", "--quiet")
        self.assertIn("too large for a folder of its own for each run", done.err)
        self.assertEqual("x\nx\n", (self.folder / "together").read_text())

    def test_a_large_file_is_linked_and_named(self):
        self.write("big.bin", "x" * 5000)
        self.config("wc -c < big.bin >> $RECORD\n" + REPORT, snapshot_max_file="1 kB", max_total_runs=1)
        done = self.hdrive("run", "hdconfig.yml")
        self.assertIn("big.bin (5.0 kB): larger than snapshot_max_file (1.0 kB)", done.err)
        self.assertEqual(["5000"], [line.strip() for line in self.record()])

    def test_what_is_not_captured_is_told_quietly_too_and_shown_afterwards(self):
        self.write("big.bin", "x" * 5000)
        self.config(REPORT, snapshot_max_file="1 kB", max_total_runs=1)
        told = "big.bin (5.0 kB): larger than snapshot_max_file (1.0 kB)"
        done = self.hdrive("run", "hdconfig.yml", "--quiet")
        self.assertIn("warning: " + told, done.err)
        self.assertNotIn("snapshot ", done.err.replace("snapshot_max_file", ""))
        self.assertEqual(1, done.err.count(told))
        self.assertIn(told, self.hdrive("show", "last").out)
        [shown] = json.loads(self.hdrive("show", "last", "-f", "json").out)["warnings"]
        self.assertIn(told, shown)
        self.assertIn(told, self.hdrive("run", "hdconfig.yml").err)

    def test_sweeps_share_what_is_the_same(self):
        for i in range(20):
            self.write(f"lib/f{i}.py", f"{i}" * 1000)
        self.config(REPORT, max_total_runs=1)
        self.hdrive("run", "hdconfig.yml")
        blobs = self.folder / ".hdrive" / "snapshots" / "blobs"
        before = sum(path.is_file() for path in blobs.rglob("*"))
        self.write("lib/f3.py", "changed")
        self.hdrive("run", "hdconfig.yml")
        self.assertEqual(before + 1, sum(path.is_file() for path in blobs.rglob("*")))

    def test_a_script_that_an_ignore_file_leaves_out_is_an_error_and_other_files_a_warning(self):
        self.config(REPORT, max_total_runs=1, command="sh train.sh --table data/a.csv --to outputs/x.pkl")
        self.write("data/a.csv", "1\n")
        self.write("outputs/x.pkl", "")
        self.write(".gitignore", "# data\n*.csv\n")
        for verb in ("validate", "run"):
            told = self.hdrive(verb, "hdconfig.yml").err
            self.assertRegex(told, r'hdconfig.yml:\d+:\d+: warning: "data/a.csv" is left out of the snapshot of "[^"]*" by .gitignore:2')
            self.assertNotIn("x.pkl", told)
        self.write(".gitignore", "*.sh\n")
        for verb in ("validate", "run"):
            self.assertRegex(self.hdrive(verb, "hdconfig.yml", code=2).err,
                             r'hdconfig.yml:\d+:\d+: "train.sh" is left out of the snapshot of "[^"]*" by .gitignore:1')
        # The folder itself is never left out.
        self.write(".gitignore", "*\n!train.sh\n")
        self.assertEqual("", self.hdrive("validate", "hdconfig.yml", "--", "sh", "train.sh", ".", "./").err)
        self.write(".gitignore", "*.sh\n")
        # An earlier sweep has it in its snapshot; one in the source folder finds it there.
        self.hdrive("resume", "last", "--set", "max_total_runs=2")
        self.hdrive("run", "hdconfig.yml", "--set", "working_directory=source")

    def test_git_and_snapshot_are_shown_and_compared(self):
        self.config(REPORT, max_total_runs=2)
        git = ["git", "-c", "user.name=ada", "-c", "user.email=a@b.c"]
        if shutil.which("git"):
            for words in (["init", "-qb", "main"], ["add", "."], ["commit", "-qm", "one"],
                          ["remote", "add", "origin", "https://ada:secret@host/x.git"]):
                subprocess.run(git + words, cwd=self.folder, check=True)
        self.hdrive("run", "hdconfig.yml")
        self.write("train.sh", REPORT + "# more\n")
        self.hdrive("run", "hdconfig.yml", "--set", "max_total_runs=3")
        one, other = [sweep["sweep_id"] for sweep in json.loads(self.hdrive("list", "-f", "json").out)]
        shown = json.loads(self.hdrive("show", one, "-f", "json").out)
        self.assertEqual(64, len(shown["snapshot"]))
        differences = json.loads(self.hdrive("diff", one, other, "-f", "json").out)
        self.assertEqual([{"path": "train.sh", "kind": "changed", "lines_added": 1, "lines_removed": 0}],
                         differences["files"])
        self.assertEqual(["max_total_runs: 3 instead of 2"], differences["configuration"])
        self.assertIn("~ train.sh  (+1 -0 lines)", self.hdrive("diff", one, other).out)
        runs = json.loads(self.hdrive("diff", "last/0", "last/1", "-f", "json").out)
        self.assertIn("--x", runs["parameters"])
        self.assertEqual([], runs["files"])
        if shutil.which("git"):
            self.assertEqual("main", shown["properties"]["azureml.git.branch"])
            self.assertEqual(shown["snapshot"], shown["properties"]["ContentSnapshotId"])
            self.assertEqual("https://host/x.git", shown["properties"]["azureml.git.repository_uri"])
            self.assertEqual(["False", "True"], differences["properties"]["azureml.git.dirty"])
            text = self.hdrive("show", one, env={"COLUMNS": "80"}).out
            self.assertNotIn("secret", text)
            block = text.partition("\nproperties\n")[2].partition("\n\n")[0]
            for name, value in shown["properties"].items():
                self.assertRegex(block, rf"(?m)^  {name}\s+{value}$")
            self.assertLessEqual(max(map(len, block.splitlines())), 80)
            self.assertIn("  azureml.git.branch          main\n", block)

    def test_a_shared_file_that_was_changed_unseen_is_found_and_restored(self):
        for i in range(101):
            self.write(f"pkg/f{i}", f"f {i}\n")
        # What root may do is to be seen as another user, too: the permissions are changed and put back.
        self.config('cat pkg/f1 >> "$RECORD"; touch -r pkg/f1 r; chmod u+w pkg/f1; echo "F 1" > pkg/f1; touch -r r pkg/f1; '
                    'chmod 444 pkg/f1\n' + REPORT, max_total_runs=1)
        self.hdrive("run", "hdconfig.yml")
        done = self.hdrive("check", code=None)
        if done.code == 0:
            self.skipTest("the file system has reflinks")
        self.assertEqual(1, done.code)
        self.assertIn("the snapshot's pkg/f1 is gone, or is no longer what was captured", done.err)
        self.assertIn("pkg/f1: a run changed the file", self.hdrive("run", "hdconfig.yml").err)
        self.assertEqual(["f 1", "f 1"], self.record())
        self.config(REPORT, max_total_runs=1)
        self.hdrive("run", "hdconfig.yml")
        self.assertRegex(self.hdrive("check").out, r"and 10\d files what was captured$")

    def test_sweeps_of_two_homes_are_compared(self):
        self.config(REPORT, max_total_runs=1)
        self.hdrive("run", "hdconfig.yml", "--output-dir", ".hdrive/one")
        self.write("train.sh", REPORT + "# more\n")
        self.hdrive("run", "hdconfig.yml", "--output-dir", ".hdrive/two")
        [one], [other] = self.folder.glob(".hdrive/one/HD_*"), self.folder.glob(".hdrive/two/HD_*")
        for pair in ((one, other), (other / "runs" / "0", one / "runs" / "0")):
            differences = json.loads(self.hdrive("diff", *pair, "-f", "json").out)
            self.assertEqual(["train.sh"], [file["path"] for file in differences["files"]])
        shutil.rmtree(self.folder / ".hdrive" / "two" / "snapshots")
        done = self.hdrive("diff", one, other, code=1)
        self.assertRegex(done.out, r"cannot be compared: .*two/snapshots")

    def test_files_that_nobody_captured_are_not_called_the_same(self):
        self.config(REPORT, max_total_runs=1, working_directory="source")
        for _ in range(2):
            self.hdrive("run", "hdconfig.yml")
        one, other = [sweep["sweep_id"] for sweep in self.sweeps()]
        self.assertIn("has no snapshot", self.hdrive("diff", one, other).out)
        self.assertNotIn("has no snapshot", self.hdrive("diff", one + "/0", one + "/0").out)

    def test_delete_tells_first_and_then_frees_what_nobody_else_needs(self):
        self.write("data.bin", "x" * 50_000)
        self.config(REPORT, max_total_runs=1)
        self.hdrive("run", "hdconfig.yml", "--name", "first")
        self.write("data.bin", "y" * 50_000)
        self.hdrive("run", "hdconfig.yml", "--name", "second")
        blobs = self.folder / ".hdrive" / "snapshots" / "blobs"
        self.assertIn("Nothing was deleted", self.hdrive("delete", "first").out)
        self.assertEqual(2, len(json.loads(self.hdrive("list", "-f", "json").out)))
        self.hdrive("delete", "first", "--yes")
        [left] = json.loads(self.hdrive("list", "-f", "json").out)
        self.assertEqual("second", left["name"])
        self.assertGreater(left["size_bytes"], 1000)
        sizes = sorted(path.stat().st_size for path in blobs.rglob("*") if path.is_file())
        self.assertEqual(1, sizes.count(50_000))
        self.assertFalse((self.folder / ".hdrive" / ".deleted").exists())

    def test_a_live_sweep_is_never_deleted(self):
        self.config('echo up >> "$RECORD"; while [ ! -e "$HDRIVE_SOURCE_DIR/go" ]; do sleep 0.02; done\n' + REPORT,
                    max_total_runs=1)
        process = self.start("run", "hdconfig.yml")
        until(self.record, "the run has begun")
        self.assertIn("is run by process", self.hdrive("delete", "last", "--yes", code=1).err)
        self.hdrive("prune", "--older-than", "0d", "--yes")
        self.hdrive("prune", "--outputs", "--yes")
        for which in (["--outputs"], ["--older-than", "0d"]):
            done = self.hdrive("prune", "last", *which, "--yes", code=1)
            self.assertRegex(done.err, r"is run by process \d+; nothing was deleted. hdrive stop HD_\w+ ends it")
            self.assertEqual("", done.out)
        self.assertTrue((self.runs() / "0" / "outputs").exists())
        self.write("go", "")
        self.assertEqual(0, self.finish(process).code)

    def test_nor_one_whose_runs_outlived_their_engine(self):
        self.addCleanup(self.end_processes)
        self.config('echo up >> "$RECORD"; exec sleep 1000\n', max_total_runs=1)
        process = self.start("run", "hdconfig.yml")
        until(lambda: self.record() and self.hdrive("status", "last", "-f", "csv").out.count("Running"),
              "the run is recorded")
        process.kill()
        process.wait()
        for words in ("delete last", "delete last --yes"):
            done = self.hdrive(*words.split(), code=1)
            self.assertIn("it is alive", done.err)
            self.assertIn("hdrive stop", done.err)
        self.assertIn("nothing of that kind", self.hdrive("prune", "--older-than", "0d", "--yes").out)
        self.assertIn("it is alive", self.hdrive("prune", "last", "--older-than", "0d", "--yes", code=1).err)
        self.assertTrue((self.runs() / "0" / "outputs").exists())
        self.hdrive("stop", "last")
        self.hdrive("delete", "last", "--yes")
        self.assertEqual([], self.processes())

    def test_prune_keeps_the_best_runs_outputs_and_everything_that_is_told(self):
        self.config("echo $2 > outputs/model; echo saved > $HDRIVE_CHECKPOINT_DIR/last\n" + REPORT, max_total_runs=5)
        self.hdrive("run", "hdconfig.yml")
        before = self.hdrive("export", "last").out
        self.assertIn("Nothing was deleted", self.hdrive("prune", "--keep-best", "2").out)
        self.assertEqual(5, len(list(self.runs().glob("*/outputs/model"))))
        self.hdrive("prune", "--keep-best", "2", "--yes")
        kept = sorted(int(path.parts[-3]) for path in self.runs().glob("*/outputs/model"))
        rows = json.loads(self.hdrive("export", "last", "-f", "json").out)
        rows.sort(key=lambda row: row["best_primary_metric"])
        self.assertEqual(sorted(row["number"] for row in rows[:2]), kept)
        self.assertEqual(before, self.hdrive("export", "last").out)
        self.hdrive("prune", "--keep-best", "2", "--failed", code=2)
        self.hdrive("prune", "--older-than", "1d", "--yes")
        self.assertEqual(1, len(json.loads(self.hdrive("list", "-f", "json").out)))
        self.hdrive("prune", "--older-than", "0h", "--yes")
        self.assertEqual([], json.loads(self.hdrive("list", "-f", "json").out))

    def test_prune_keeps_what_tells_of_earlier_attempts(self):
        for which in ("--outputs", "--failed"):
            with self.subTest(which):
                self.config('echo attempt $HDRIVE_ATTEMPT; echo big > outputs/model; echo here > note\n' + REPORT + "exit 1\n",
                            max_total_runs=1, max_failed_retries=1, keep_work="always", name="of" + which)
                self.hdrive("run", "of" + which, "--name", "of" + which, "--quiet", code=None)
                [run] = [path for path in self.folder.glob(".hdrive/HD_*/runs/0") if (path / "outputs").exists()]
                earlier = run / "attempt-1"
                self.assertTrue((earlier / "work").exists())
                told = {path.name for path in earlier.iterdir()} - {"work"}
                self.hdrive("prune", "of" + which, which, "--yes")
                self.assertEqual("attempt 1\n", (earlier / "stdout.log").read_text())
                self.assertTrue({"metrics.jsonl", "run.json", "exit.json"} <= told, told)
                self.assertEqual(told, {path.name for path in earlier.iterdir()})
                self.assertFalse((run / "outputs").exists())


class IgnoreGrammarTest(HdriveTest):
    """What is captured is what git would not ignore, over generated ignore files."""

    NAMES = ["a", "b", "ab", "a.txt", "b.log", "x y", "[z]", "#h", "!k", "A"]
    WORDS = ["a", "b", "*", "**", "?", "a*", "*.txt", "[ab]", "[!a]", "[a-c]*", "\\#h", "\\!k", "x\\ y", "#h", "[[:alpha:]]",
             "ab", "b.log", "\\[z\\]", "**a", "a**"]

    def patterns(self, dice):
        lines = []
        for _ in range(dice.randint(1, 5)):
            line = "/".join(dice.choice(self.WORDS) for _ in range(dice.choice([1, 1, 2, 3])))
            line = dice.choice(["", "", "!", "/"]) + line + dice.choice(["", "", "/", "  "])
            lines.append(line)
        return "\n".join(lines) + "\n"

    def tree(self, root, dice, depth=0):
        for name in dice.sample(self.NAMES, dice.randint(2, 5)):
            if depth < 3 and dice.random() < 0.4:
                (root / name).mkdir()
                self.tree(root / name, dice, depth + 1)
            else:
                (root / name).write_text("")
        if dice.random() < (1 if depth == 0 else 0.2):
            (root / ".gitignore").write_text(self.patterns(dice))

    @unittest.skipUnless(shutil.which("git"), "no git")
    def test_captured_is_what_git_would_not_ignore(self):
        for seed in range(60):
            dice = random.Random(seed)
            source = self.folder / f"s{seed}"
            source.mkdir()
            subprocess.run(["git", "init", "-q", "."], cwd=source, check=True)
            self.tree(source, dice)
            self.config(name=f"s{seed}/hd.yml", command="true", max_total_runs=1, stop_without_primary_metric=False)
            listed = subprocess.run(["git", "ls-files", "-z", "--others", "--exclude-standard"], cwd=source, check=True,
                                    stdout=subprocess.PIPE, env={**os.environ, "GIT_CONFIG_GLOBAL": "/dev/null"}).stdout.decode().split("\0")
            home = self.folder / f"home{seed}"
            self.hdrive("run", source / "hd.yml", "--output-dir", home, code=None)
            [tree] = (home / "snapshots" / "trees").iterdir()
            paths = [line.split()[-1] for line in tree.read_text().splitlines()[1:] if line[0] in "fx"]
            captured = [path.replace("%20", " ") for path in paths]
            self.assertEqual(sorted(filter(None, listed)), sorted(captured), f"seed {seed}")


if __name__ == "__main__":
    unittest.main()
