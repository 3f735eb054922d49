// SPDX-License-Identifier: Apache-2.0
//
// Commands as they stand in a file: splitting, and what is told of them.
#include "config/load.h"
#include "tests/unit/config/support.h"

namespace hdrive {
namespace {

using namespace test;
using Words = std::vector<std::string>;

TEST_CASE("A command's text is split as a shell would, without expansions") {
  const auto split = [](std::string_view text) {
    const auto words = config::split_words(text);
    REQUIRE(words);
    return *words;
  };
  CHECK(split("python  train.py\t--epochs 20\n") == Words{"python", "train.py", "--epochs", "20"});
  CHECK(split(R"(a 'b c' "d e" f\ g)") == Words{"a", "b c", "d e", "f g"});
  CHECK(split(R"('' "" a''b)") == Words{"", "", "ab"});
  CHECK(split(R"("a\"b\\c\$d\`e\n" 'x\y')") == Words{"a\"b\\c$d`e\\n", "x\\y"});
  CHECK(split("a \\\n b \"c\\\nd\"") == Words{"a", "b", "cd"});
  CHECK(split("$HOME ~ * # x") == Words{"$HOME", "~", "*", "#", "x"});
  CHECK(split("--lr ${{ search_space.lr }} --x=${{search_space.x}}") ==
        Words{"--lr", "${{ search_space.lr }}", "--x=${{search_space.x}}"});
  CHECK(split("${{ a") == Words{"${{ a"});
  CHECK(split("") == Words{});
}

TEST_CASE("A quote that is never closed is an error") {
  CHECK(config::split_words("a 'b").error().what == "a ' is never closed; add the closing quote");
  CHECK(config::split_words("a \"b\\\"").error().what ==
        "a \" is never closed; add the closing quote");
  CHECK(config::split_words("a\\").error().what == "the text ends in a backslash; remove it");
}

std::string told_of(std::string_view command) { return told(around(command)); }

TEST_CASE("An unknown placeholder is an error with the nearest name") {
  CHECK(told_of("command: [t, '${{search_space.xx}}', '${{inputs.x}}']\n") ==
        "hdconfig.yml:9:14: the command places \"xx\", which is no parameter; allowed: x; did you "
        "mean \"x\"?\n"
        "hdconfig.yml:9:38: unknown placeholder \"${{inputs.x}}\"; allowed: ${{search_space.NAME}} "
        "with the name of a parameter\n");
}

TEST_CASE("The older spelling of placeholders is taken with a warning") {
  CHECK(
      told_of("command: [t, '{search_space.x}']\n") ==
      "hdconfig.yml:9:14: warning: \"{search_space.x}\" is an older spelling, taken all the same; "
      "write ${{search_space.x}}\n");
}

TEST_CASE("A drawn value the command would ignore gets a warning at its parameter") {
  CHECK(told_of("command: t\nappend_parameters: false\n") ==
        "hdconfig.yml:4:12: warning: the command ignores the values drawn for \"x\"; place them "
        "with ${{search_space.x}}, or set append_parameters to true; a script that reads "
        "AZUREML_SWEEP_x itself is fine\n");
  CHECK(told_of("command: t\n") == "");
  CHECK(told_of("command: sh -c 't --x $AZUREML_SWEEP_x'\nappend_parameters: false\n") == "");
}

TEST_CASE("A word only a shell would understand gets a warning") {
  CHECK(
      told_of("command: t --x $AZUREML_SWEEP_x | tee log\n") ==
      "hdconfig.yml:9:10: warning: the word \"$AZUREML_SWEEP_x\" is passed on as it is, since no "
      "shell reads the command; write ${{search_space.x}}\n"
      "hdconfig.yml:9:10: warning: the word \"|\" is passed on as it is, since no shell reads the "
      "command; write sh -c \"...\" for a shell's meaning\n"
      "hdconfig.yml:9:10: warning: the command has \"--x\" already, and the drawn value is "
      "appended after it; remove it, or place the value with ${{search_space.x}}\n");
}

TEST_CASE(
    "A value that is placed as other tools place it gets a warning with the spelling of ours") {
  for (const std::string word : {"{x}", "{{x}}", "{{ x }}", "${x}", "$x", "<x>", "-o={x}"}) {
    INFO(word);
    CHECK(told_of("command: [t, '" + word + "']\n") ==
          "hdconfig.yml:9:14: warning: the word \"" + word +
              "\" is passed on as it is; where the value drawn for \"x\" is wanted, write "
              "${{search_space.x}}\n");
  }
  for (const std::string word : {"x", "{y}", "a{x}", "{}", "=", "", "-x={}"}) {
    INFO(word);
    CHECK(told_of("command: [t, '" + word + "']\n") == "");
  }
}

TEST_CASE("An option that the command has already gets a warning") {
  CHECK(told_of("command: [t, --x, 1]\n") ==
        "hdconfig.yml:9:14: warning: the command has \"--x\" already, and the drawn value is "
        "appended after it; remove it, or place the value with ${{search_space.x}}\n");
  CHECK(told_of("command: [t, --x, '${{search_space.x}}']\n") == "");
}

TEST_CASE("A program or script that is not there gets a warning") {
  CHECK(told_of("command: ./t\n") ==
        "hdconfig.yml:9:10: warning: there is no program \"./t\" in \"/nowhere\"\n");
  CHECK(told_of("command: python3 train.py\n") ==
        "hdconfig.yml:9:10: warning: there is no script \"train.py\" in \"/nowhere\"\n");
}

}  // namespace
}  // namespace hdrive
