# SPDX-License-Identifier: Apache-2.0
"""`hdrive plot`: valid XML of sweeps with any names, the same bytes twice, errors that say what is allowed."""

import unittest
import xml.etree.ElementTree

from support import HdriveTest, METRIC

SCRIPT = METRIC + 'for i in 1 2 3; do metric loss 0.$((HDRIVE_RUN_NUMBER % 9))$i; done\n'
SVG = "{http://www.w3.org/2000/svg}"


class Plot(HdriveTest):
    def kinds(self):
        offered = self.hdrive("complete", "plot", "last", "--kind", "").out.splitlines()
        return [line.split("\t")[0] for line in offered]

    def picture(self, *arguments):
        return xml.etree.ElementTree.fromstring(self.hdrive("plot", "last", *arguments, "-o", "-").out)

    def sweep(self, runs=12, **keys):
        self.config(SCRIPT, max_total_runs=runs, max_concurrent_runs=3, sampling={"type": "random", "parameter_space": [
            {"name": "--x", "expression": "uniform", "values": [0, 1]},
            {"name": "--<y> & \"z\"", "expression": "choice", "values": ["a<b>", "c\x1b[31m"]}]}, **keys)
        self.hdrive("run", "hdconfig.yml", "--name", "mine")

    def test_draws_every_kind_as_valid_xml_and_the_same_again(self):
        self.sweep(primary_metric_name="loss")
        kinds = self.kinds()
        self.assertEqual(11, len(kinds), kinds)
        self.assertIn("history", kinds)
        for kind in kinds:
            root = self.picture("--kind", kind)
            self.assertEqual(SVG + "svg", root.tag)
            self.assertEqual(f"{kind} of sweep mine", root.find(SVG + "title").text)
            self.assertGreater(len(list(root)), 4, kind)
            again = self.hdrive("plot", "mine", "-k", kind, "--theme", "dark", "-o", f"{kind}.svg")
            self.assertRegex(again.err, rf"^{kind}.svg  [\d.]+ k?B\n$")
            first = (self.folder / f"{kind}.svg").read_bytes()
            self.hdrive("plot", "mine", "-k", kind, "--theme", "dark", "-o", f"{kind}.svg")
            self.assertEqual(first, (self.folder / f"{kind}.svg").read_bytes())
        names = [text.text for text in self.picture("--kind", "parallel").iter(SVG + "text")]
        self.assertIn('<y> & "z"', names)
        self.assertIn("c\ufffd[31m", names)
        self.hdrive("plot")
        [written] = self.folder.glob("HD_*-history.svg")
        self.assertGreater(written.stat().st_size, 1000)

    def test_says_what_is_allowed(self):
        self.sweep()
        self.assertIn('did you mean "history"?', self.hdrive("plot", "--kind", "histroy", code=2).err)
        self.assertIn('--params: unknown parameter "zx"; allowed: x', self.hdrive("plot", "-k", "slice", "--params", "x,zx", code=2).err)
        self.assertIn("--x: is nothing that kind rank heeds", self.hdrive("plot", "-k", "rank", "--x", "x", code=2).err)
        self.assertIn('--metric: unknown metric "los"; allowed: loss; did you mean "loss"?', self.hdrive("plot", "--metric", "los", code=2).err)
        self.assertIn("--width: 10001 is not allowed; from 120 to 10000 pixels", self.hdrive("plot", "--width", "20000", code=2).err)
        self.assertIn("is a directory", self.hdrive("plot", "-o", ".", code=2).err)
        self.assertEqual([], list(self.folder.glob("*.svg")))

    def test_of_a_sweep_without_values_says_so(self):
        self.config("true\n", max_total_runs=1)
        self.hdrive("run", "hdconfig.yml", code=None)
        self.assertIn("no run has a value of loss yet", self.hdrive("plot", code=1).err)


if __name__ == "__main__":
    unittest.main()
