#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The source tree keeps the rules of rules.py, and each rule notices when it is broken."""

import pathlib
import sys
import tempfile
import unittest

sys.dont_write_bytecode = True
import rules

ROOT = pathlib.Path(__file__).resolve().parents[2]
LICENSED = "// SPDX-License-Identifier: Apache-2.0\n"


class TheTree(unittest.TestCase):
    def test_keeps_the_rules(self):
        problems = rules.check(ROOT)
        self.assertEqual([], problems, "\n" + "\n".join(problems))

    def test_has_every_folder_the_rules_speak_of(self):
        for folder in rules.MAY_INCLUDE:
            self.assertTrue((ROOT / folder).is_dir(), f"{folder}/ is gone; update tests/architecture/rules.py")


class TheRules(unittest.TestCase):
    """Each on a small tree of its own."""

    def problems(self, **files):
        with tempfile.TemporaryDirectory() as root:
            for name, text in files.items():
                path = pathlib.Path(root, name.replace("__", "/"))
                path = path.with_name(path.name.replace("_cpp", ".cpp").replace("_h", ".h"))
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(text)
            return rules.check(root)

    def assert_fine(self, **files):
        self.assertEqual([], self.problems(**files))

    def assert_refused(self, fragment, **files):
        problems = self.problems(**files)
        self.assertEqual(1, len(problems), problems)
        self.assertIn(fragment, problems[0])

    def test_a_module_may_include_the_public_headers_base_and_itself(self):
        self.assert_fine(store__a_cpp=LICENSED + '#include "hdrive/store.h"\n#include "base/file.h"\n'
                         '#include "store/schema.h"\n#include <sqlite3.h>\n#include <vector>\n')

    def test_a_public_header_has_a_hundred_columns(self):
        self.assert_fine(include__hdrive__a_h=LICENSED + "// " + "x" * 97 + "\n")
        self.assert_refused("include/hdrive/a.h:2: 101 columns",
                            include__hdrive__a_h=LICENSED + "// " + "x" * 98 + "\n")

    def test_a_module_may_not_include_a_sibling(self):
        self.assert_refused("store/a.cpp:2: store/ may not include policies/bandit.h",
                            store__a_cpp=LICENSED + '#include "policies/bandit.h"\n')

    def test_a_library_is_granted_to_some_folders_only(self):
        self.assert_refused("config/ may not include sqlite3.h",
                            config__a_cpp=LICENSED + "#include <sqlite3.h>\n")
        self.assert_refused("scheduler/ may not include nlohmann/json.hpp",
                            scheduler__a_cpp=LICENSED + "#include <nlohmann/json.hpp>\n")

    def test_a_heavy_header_is_granted_to_one_file_only(self):
        self.assert_refused("cli/run.cpp:2: CLI/CLI.hpp is for cli/argument_parser.cpp alone",
                            cli__run_cpp=LICENSED + "#include <CLI/CLI.hpp>\n")

    def test_public_headers_know_the_standard_library_only(self):
        self.assert_refused("include/ may not include fmt/format.h",
                            include__hdrive__a_h=LICENSED + "#include <fmt/format.h>\n")
        self.assert_refused("include/ may not include unistd.h",
                            include__hdrive__a_h=LICENSED + "#include <unistd.h>\n")

    def test_samples_see_only_public_headers(self):
        self.assert_refused("samples/ may not include base/text.h",
                            samples__a_cpp=LICENSED + '#include "base/text.h"\n')

    def test_clocks_entropy_environment_and_output_are_refused_in_modules(self):
        for code in ["auto t = std::chrono::system_clock::now();", "std::random_device entropy;",
                     'auto* home = getenv("HOME");', "std::cout << 1;", 'fprintf(stderr, "x");',
                     'printf("x");', "std::mt19937 g;", "fork();", "sleep(1);", "std::exit(1);"]:
            self.assert_refused("is not for policies/", policies__a_cpp=LICENSED + code + "\n")

    def test_the_clock_and_the_ids_are_where_time_and_entropy_come_from(self):
        self.assert_fine(scheduler__clock_cpp=LICENSED + "auto t = std::chrono::steady_clock::now();\n",
                         scheduler__ids_cpp=LICENSED + "std::random_device entropy;\n")

    def test_words_in_comments_and_literals_and_longer_names_are_fine(self):
        self.assert_fine(policies__a_cpp=LICENSED + "// never getenv(\"X\") or std::cout\n"
                         '/* #include "store/a.h" */ const char* kText = "printf(";\n'
                         "snprintf(buffer, 3, format); process.exit_code(); vfork();\n")

    def test_the_scheduler_may_not_name_an_algorithm(self):
        self.assert_refused("names the algorithm bandit",
                            scheduler__a_cpp=LICENSED + 'auto policy = make("bandit");\n')
        self.assert_refused("names the algorithm BanditPolicy",
                            scheduler__a_cpp=LICENSED + "BanditPolicy policy;\n")

    def test_each_file_names_its_licence(self):
        self.assert_refused("store/a.cpp:1: the line SPDX", store__a_cpp="int a;\n")
        self.assert_refused("scripts/run:1: the line SPDX", scripts__run="#!/bin/sh\necho\n")


if __name__ == "__main__":
    unittest.main()
