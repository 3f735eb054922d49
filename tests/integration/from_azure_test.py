# SPDX-License-Identifier: Apache-2.0
"""docs/from-azure.md as its reader would follow it: its files are written, its commands are typed."""

import pathlib
import re
import shlex
import unittest

import support

PAGE = (support.ROOT / "docs" / "from-azure.md").read_text()


def blocks(kind):
    """(the name behind it, the text) of each block with `kind=NAME` on its first line."""
    return re.findall(rf"^```\w+ {kind}=(\S+)\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)


class Page(support.HdriveTest):
    def setUp(self):
        super().setUp()
        for name, text in blocks("file"):
            file = self.folder / name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text)

    def type_lines(self, folder):
        """What each command line of the page for this folder said."""
        lines = [line for name, text in blocks("in") if name == folder for line in text.splitlines()]
        self.assertTrue(lines)
        done = {}
        for line in lines:
            words = shlex.split(line)
            self.assertEqual("hdrive", words[0])
            done[words[1]] = self.hdrive(*words[1:], cwd=self.folder / folder)
        return done

    def test_a_folder_of_v1_files_is_swept(self):
        done = self.type_lines("digits")
        self.assertIn("penalty = 0.5", done["best"].out)
        self.assertIn("experiment", done["show"].out)
        self.assertEqual("0.5", next(pathlib.Path(self.folder, "digits/best").rglob("model.txt")).read_text())

    def test_the_old_command_line_says_the_short_way(self):
        done = self.hdrive("run", "submit-hyperdrive", "-e", "digits", "-c", "local", "--hyperdrive-configuration-name",
                           "hdconfig.yml", "--resource-group", "mine", "train.py", cwd=self.folder / "digits")
        self.assertIn("hdrive run", done.err)

    def test_a_v2_job_is_swept(self):
        done = self.type_lines("iris")
        self.assertIn("AzureML-sklearn-1.0-ubuntu20.04-py38-cpu", done["run"].err)
        self.assertIn("\"compute\" has no effect", done["run"].err)
        self.assertIn("Completed", done["show"].out)
        self.assertIn("expression: loguniform", done["convert"].out)


if __name__ == "__main__":
    unittest.main()
