// SPDX-License-Identifier: Apache-2.0
#include <set>

#include "base/file.h"
#include "config/schema.h"
#include "hdrive/targets.h"
#include "tests/unit/config/support.h"

namespace hdrive {
namespace {

using namespace test;

void check_page(const std::string& name, const std::string& text, const std::string& printed_by) {
  const auto page = base::read_file(HDRIVE_SOURCE_DIR "/docs/" + name);
  const bool same = page && *page == text;
  const auto wanted = std::filesystem::temp_directory_path() / name;
  if (!same) REQUIRE(base::write_file_atomically(wanted, text));
  INFO("as the page should be, it is in " << wanted << " (" << printed_by << " prints it)");
  CHECK(same);
}

TEST_CASE("docs/hdconfig.md is what the tables say") {
  check_page("hdconfig.md", config_reference(), "hdrive config-reference");
}

TEST_CASE("docs/targets-file.md is what the tables say") {
  check_page("targets-file.md", targets_reference(), "hdrive config-reference --targets");
}

TEST_CASE("The example of the page is a sound file") {
  const std::string page = config_reference();
  const std::size_t from = page.find("```yaml\n") + 8;
  const LoadedConfig loaded = parse(page.substr(from, page.find("```", from) - from));
  CHECK(loaded.ok());
  CHECK(messages(loaded.problems) ==
        "hdconfig.yml:20:10: warning: there is no script \"train.py\" in \"/nowhere\"\n");
}

TEST_CASE("The defaults the page shows are those of SweepSpec") {
  const SweepSpec plain = parse(around("")).spec;
  for (const config::KeyInfo& row : config::rows_of(config::Section::top)) {
    if (row.required || row.default_in_words) continue;
    INFO(row.name);
    REQUIRE_FALSE(row.default_text.empty());
    const LoadedConfig loaded =
        parse(around(std::string(row.name) + ": " + std::string(row.default_text)));
    CHECK(messages(loaded.problems) == "");
    CHECK(loaded.spec == plain);
  }
}

TEST_CASE("Every key and option has a sentence, and no key two rows") {
  std::set<std::pair<config::Section, std::string_view>> seen;
  for (const config::KeyInfo& row : config::schema()) {
    INFO(row.name);
    CHECK_FALSE(row.summary.empty());
    CHECK(seen.emplace(row.section, row.name).second);
    CHECK((row.section != config::Section::top || (row.read && row.write)));
  }
}

}  // namespace
}  // namespace hdrive
