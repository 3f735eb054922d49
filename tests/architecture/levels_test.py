#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""levels_test.py OBJECT...: what is compiled for one level of the processor's architecture has no symbol in common
with what is compiled for another, or for all.

The linker keeps one of several functions of the same name: were it that of the newest level, an older processor
would meet instructions that it does not know, in code that never asked for them.
"""

import pathlib
import re
import subprocess
import sys
import unittest

LEVELS = {"numerics_baseline": "x86_64", "numerics_v3": "x86_64_v3"}
# Data by which exceptions find their handlers: the same for all.
SHARED = re.compile(r"DW\.ref\.")


def symbols(path):
    """What the object defines and others can see, by their C++ names."""
    told = subprocess.run(["nm", "--demangle", "--defined-only", "--extern-only", path],
                          capture_output=True, text=True, check=True).stdout
    return [line.split(maxsplit=2)[2] for line in told.splitlines() if len(line.split(maxsplit=2)) == 3]


class Levels(unittest.TestCase):
    OBJECTS = []

    def test_define_nothing_but_what_has_their_name(self):
        seen = 0
        for path in self.OBJECTS:
            level = LEVELS.get(pathlib.Path(path).name.split(".")[0])
            if level is None:
                continue
            seen += 1
            names = symbols(path)
            self.assertIn(f"hdrive::sampling::gp::{level}::table()", names)
            own = re.compile(rf"\b(Eigen_)?{level}\b")
            strangers = [name for name in names if not own.search(name) and not SHARED.match(name)]
            self.assertEqual([], strangers, path)
        self.assertGreater(seen, 0, "no object of a level among those given")


if __name__ == "__main__":
    Levels.OBJECTS = sys.argv[1:]
    unittest.main(argv=sys.argv[:1])
