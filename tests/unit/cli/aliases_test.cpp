// SPDX-License-Identifier: Apache-2.0
#include "cli/aliases.h"

#include <set>

#include "base/file.h"
#include "base/text.h"
#include "tests/catch.h"

namespace hdrive::cli {
namespace {

using Words = std::vector<std::string>;

std::string ours(const std::string& line) {
  Words words;
  for (const std::string_view word : base::split(line, ' ')) words.emplace_back(word);
  const auto rewritten = rewrite_alias(words);
  return rewritten ? base::join(rewritten->arguments, " ") : "no alias";
}

TEST_CASE("Command lines of az ml job become ours") {
  CHECK(ours("job create -f sweep.yml") == "run sweep.yml --detach");
  CHECK(ours("job create --file sweep.yml --stream -n mine -g rg -w ws") ==
        "run sweep.yml --name mine");
  CHECK(ours("job create --file=a.yml --set limits.max_total_trials=4 x=1 --web -a out.yml") ==
        "run a.yml --detach --set limits.max_total_trials=4 --set x=1");
  CHECK(ours("job create -f a.yml --output-metadata-file m.json") ==
        "run a.yml --detach -t m.json");
  CHECK(ours("job show -n HD_1 -o json") == "show HD_1 -f json");
  CHECK(ours("job show --name HD_1 --output table") == "show HD_1 -f table");
  CHECK(ours("job stream -n HD_1") == "attach HD_1");
  CHECK(ours("job cancel --name HD_1") == "stop HD_1");
  CHECK(ours("job download -n HD_1 --all --download-path d") == "download HD_1 --all-files -d d");
  CHECK(ours("job download -n HD_1 --output-name model") == "download HD_1 --output model");
  CHECK(ours("job list --max-results 5") == "list --last 5");
  CHECK(ours("job list --parent-job-name HD_1") == "status HD_1");
  CHECK(ours("job list --max-results 5 -p HD_1") == "status HD_1 --last 5");
  CHECK(ours("job validate -f a.yml") == "validate a.yml");
}

TEST_CASE("What az selects from its answers becomes ours, or is refused with what to do") {
  CHECK(ours("job create -f a.yml --query name -o tsv") == "run a.yml --detach");
  CHECK(ours("job show -n HD_1 --query status -o tsv") == "show HD_1 --get status -f table");
  CHECK(ours("job show -n HD_1 --query properties.best_child_run_id") ==
        "show HD_1 --get best_run_id");
  CHECK(ours("run show -r HD_1_3 --query name") == "show HD_1_3 --get id");
  const auto refused = [](const std::string& line) {
    Words words;
    for (const std::string_view word : base::split(line, ' ')) words.emplace_back(word);
    return rewrite_alias(words)->refused;
  };
  CHECK(refused("job show -n HD_1 --query status").empty());
  CHECK(refused("job create -f a.yml --query id") ==
        "--query: what is printed is the name alone; hdrive show SWEEP --get KEY prints something "
        "else of it");
  CHECK_THAT(refused("job list --query [].name"),
             Catch::StartsWith("--query: hdrive does not select from what it prints; "));
  CHECK_THAT(refused("run list --compute-target-name c"), Catch::Contains("--tag NAME=VALUE"));
}

TEST_CASE("Tags are looked for, and set") {
  CHECK(ours("run list --tags a=b") == "list --tag a=b");
  CHECK(ours("job list --tag a") == "list --tag a");
  CHECK(ours("run update -r HD_1 --add-tag a=b") == "update HD_1 --set tags.a=b");
  CHECK(ours("run update -r HD_1 --add-tag a") == "update HD_1 --set tags.a=");
}

TEST_CASE("Command lines of az ml run become ours") {
  CHECK(ours("run list --last 5 --experiment-name e") == "list --last 5 --experiment e");
  CHECK(ours("run list --parent-run-id HD_1") == "status HD_1");
  CHECK(ours("run show -r HD_1_3") == "show HD_1_3");
  CHECK(ours("run cancel --run=HD_1_3") == "stop HD_1_3");
  CHECK(ours("run monitor-logs -r HD_1_3") == "logs HD_1_3 -f");
  CHECK(ours("run download-logs -r HD_1_3 -d logs -w ws") == "download HD_1_3 -d logs");
  CHECK(ours("run submit-script -c local -e e train.py -g 1") ==
        "submit-script -c local -e e train.py -g 1");
  CHECK(
      ours("run submit-hyperdrive -c local --hyperdrive-configuration-name h.yml t.py --last 3") ==
      "run -c local --hyperdrive-configuration-name h.yml t.py --last 3");
}

TEST_CASE("Command lines of az ml computetarget become ours") {
  CHECK(ours("computetarget list -w ws") == "target list");
  CHECK(ours("computetarget show -n lab") == "target show -n lab");
  CHECK(ours("computetarget delete --name lab") == "target delete -n lab");
  CHECK(ours("computetarget detach -n lab") == "target delete -n lab");
  CHECK(ours("computetarget attach remote -n lab -a node1 -u ada --ssh-port 2201 "
             "--private-key-file k") ==
        "target attach -n lab --host node1 --user ada --port 2201 --identity-file k");
}

TEST_CASE("The stages that Azure tells apart become the statuses of a sweep, or of a run") {
  CHECK(ours("run list --status Completed") == "list --status completed");
  CHECK(ours("run list --status Finalizing") == "list --status running");
  CHECK(ours("run list --status Queued") == "list --status running");
  CHECK(ours("run list --status Queued --parent-run-id HD_1") == "status HD_1 --status queued");
  CHECK(ours("run list --parent-run-id=HD_1 --status=Starting") == "status HD_1 --status queued");
  CHECK(ours("run list --status nonsense") == "list --status nonsense");
}

TEST_CASE("What is no alias stays as it is, options of the verb's own too") {
  CHECK(ours("run hdconfig.yml") == "no alias");
  CHECK(ours("run") == "no alias");
  CHECK(ours("list list") == "no alias");
  CHECK(ours("job show -n HD_1 --importance") == "show HD_1 --importance");
}

TEST_CASE("What nothing here does says why") {
  const auto services = rewrite_alias({"job", "show-services", "-n", "x"});
  REQUIRE(services);
  CHECK(services->arguments.empty());
  CHECK(services->alias->says == "a run is a process on this machine");
  CHECK(ours("computetarget create amlcompute -n x") == "");
}

TEST_CASE("One line says the short way, and what meant nothing") {
  CHECK(short_way(*rewrite_alias({"job", "cancel", "-n", "a b"})) ==
        "\"job cancel\": the short way is hdrive stop 'a b'");
  CHECK(short_way(*rewrite_alias({"job", "show", "-n", "x", "-g", "rg", "-w", "ws"})) ==
        "\"job show\": the short way is hdrive show x (-g, -w mean nothing here)");
}

TEST_CASE("Each alias is two words, once, with a verb or a reason, and each option is once in it") {
  std::set<std::string_view> seen;
  for (const Alias& alias : aliases()) {
    INFO(alias.words);
    CHECK(seen.insert(alias.words).second);
    const std::size_t words = base::split(alias.words, ' ').size();
    CHECK((words == 2 || words == 3));
    CHECK(alias.verb.empty() != alias.says.empty());
    std::set<std::string_view> names;
    for (const AliasOption& option : alias.options)
      for (const std::string_view name : option.names) CHECK(names.insert(name).second);
  }
  CHECK(aliases_behind("experiment").empty());
  CHECK(aliases_behind("job").size() > 5);
}

TEST_CASE("docs/azure-cli.md is what the table says") {
  const auto page = base::read_file(HDRIVE_SOURCE_DIR "/docs/azure-cli.md");
  INFO("hdrive config-reference --azure-cli > docs/azure-cli.md");
  CHECK((page && *page == alias_reference()));
}

}  // namespace
}  // namespace hdrive::cli
