# SPDX-License-Identifier: Apache-2.0
"""Bad files against golden messages: tests/golden/NAME.yml is what is read, NAME.txt what `hdrive validate` says.

HDRIVE_UPDATE_GOLDEN=1 writes the messages anew; read the difference before committing it.
"""

import os
import shutil
import unittest

from support import QUICK, ROOT, HdriveTest

GOLDEN = ROOT / "tests" / "golden"


class BadFiles(HdriveTest):
    def names(self):
        """What messages list, by what stands for it in a golden file: no file but the list of rows knows them."""
        names = {}
        for family, key in (("samplers", "sampling"), ("policies", "policy")):
            of = self.algorithms(key)
            options = [option["name"] for row in of for option in row["options"]]
            names[f"<{family}>"] = ", ".join(row["name"] for row in of)
            names[f"<options of {family}>"] = ", ".join(dict.fromkeys(options))
        return names

    def check(self, source):
        shutil.copy(source, self.folder / source.name)
        self.write("train.sh", QUICK)
        expected = source.with_suffix(".txt")
        done = self.hdrive("validate", source.name, code=2)
        self.assertEqual("", done.out)
        told, names = done.err, self.names()
        if os.environ.get("HDRIVE_UPDATE_GOLDEN"):
            for place, words in names.items():
                told = told.replace(f": {words}", f": {place}").replace(f", {words}", f", {place}")
            expected.write_text(told)
        text = expected.read_text()
        for place, words in names.items():
            text = text.replace(place, words)
        self.assertEqual(text, done.err)

        # `run` says the same, may miss a command besides, and starts nothing.
        run = self.hdrive("run", source.name, code=2)
        *problems, _ = done.err.splitlines()
        self.assertEqual([], [problem for problem in problems if problem not in run.err.splitlines()])
        self.assertEqual([], list(self.folder.glob(".hdrive/*")), "something was started")

    def test_say_what_is_wrong_where_and_what_is_allowed(self):
        sources = sorted(GOLDEN.glob("*.yml"))
        self.assertGreater(len(sources), 5)
        for source in sources:
            with self.subTest(source.stem):
                self.check(source)


class GoodFiles(HdriveTest):
    def test_validate_quietly_agrees(self):
        self.config(QUICK)
        self.hdrive("validate", "hdconfig.yml")

    def test_every_sample_is_valid(self):
        for sample in sorted((ROOT / "samples").glob("*/hdconfig.yml")):
            done = self.hdrive("validate", sample)
            self.assertNotIn("warning", done.all)

    def test_azure_would_refuse_more(self):
        self.config(QUICK, max_total_runs=2000)
        self.hdrive("validate", "hdconfig.yml")
        self.assertIn("1000", self.hdrive("validate", "--azure", "hdconfig.yml", code=None).all)

    def test_set_replaces_a_key(self):
        self.config(QUICK)
        self.hdrive("run", "hdconfig.yml", "--set", "max_total_runs=2")
        self.assertEqual(2, len(self.runs()))
        self.hdrive("run", "hdconfig.yml", "--set", "max_total_rusn=2", code=2)

    def test_a_missing_file_is_named(self):
        self.assertIn("nowhere.yml", self.hdrive("run", "nowhere.yml", code=2).err)

    def test_hyperdrives_own_command_line_is_understood(self):
        self.write("train.sh", QUICK + 'echo "$*" >> "$RECORD"\n')
        self.config(command=None, max_total_runs=1)
        self.write(".azureml/here.runconfig", "script: train.sh\narguments: [--epochs, 3]\n"
                   "environment:\n  python:\n    interpreterPath: sh\n    userManagedDependencies: true\n"
                   "  environmentVariables: {GREETING: hello}\n")
        self.hdrive("run", "-e", "digits", "-c", "here", "--hyperdrive-configuration-name", "hdconfig.yml")
        self.assertRegex(self.record()[0], r"^--epochs 3 --x 0\.\d+$")


if __name__ == "__main__":
    unittest.main()
