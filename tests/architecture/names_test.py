#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The names of the samplers, and those of the policies, are listed in one place: a new one is a file and a line.

Texts for people (*.md) may tell which there are; what is compiled, run or tested asks the table of rows.
"""

import pathlib
import re
import subprocess
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
LISTS = {"sampling/samplers.inc": "sampling", "policies/policies.inc": "policies"}
# Azure has these policies, whichever there are here.
NOT_OURS = {"config/azure.cpp"}
ROW = re.compile(r"^[A-Z]+\((\w+)\)$", re.MULTILINE)
FEW_LINES = 4


def tracked():
    names = subprocess.run(["git", "-C", ROOT, "ls-files", "-z"], capture_output=True, text=True, check=False).stdout
    return [ROOT / name for name in names.split("\0") if name] or [p for p in ROOT.rglob("*") if p.is_file()]


def lists_names(text, names):
    """Where all of the names, of many all but one, stand within a few lines."""
    lines = text.splitlines()
    where = {name: [i for i, line in enumerate(lines) if re.search(rf"\b{name}\b", line)] for name in names}
    for first in sorted({i for found in where.values() for i in found}):
        near = [name for name in names if any(first <= i < first + FEW_LINES for i in where[name])]
        if len(near) >= (len(names) if len(names) < 6 else len(names) - 1):
            return first + 1
    return None


class Names(unittest.TestCase):
    def test_are_listed_once(self):
        for source, folder in LISTS.items():
            names = ROW.findall((ROOT / source).read_text())
            self.assertGreater(len(names), 3)
            for name in names:
                self.assertTrue((ROOT / folder / f"{name}.cpp").exists(), name)
            for path in tracked():
                relative = str(path.relative_to(ROOT))
                if relative == source or relative in NOT_OURS or path.suffix == ".md" or not path.is_file():
                    continue
                try:
                    line = lists_names(path.read_text(), names)
                except UnicodeDecodeError:
                    continue
                self.assertIsNone(line, f"{relative}:{line} lists what {source} lists")

    def test_a_list_is_noticed(self):
        self.assertEqual(2, lists_names("x\na = [one, two,\n     three]\n", ["one", "two", "three"]))
        self.assertIsNone(lists_names("one\n" + "\n" * FEW_LINES + "two three", ["one", "two", "three"]))
        self.assertEqual(1, lists_names("a b c d e", ["a", "b", "c", "d", "e", "f"]))


if __name__ == "__main__":
    unittest.main()
