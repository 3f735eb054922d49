// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <map>
#include <memory>
#include <optional>

#include "base/text.h"
#include "cli/argument_parser.h"
#include "cli/json.h"
#include "cli/lookup.h"
#include "cli/run_rows.h"
#include "cli/source_text.h"
#include "cli/stored_spec.h"
#include "cli/sweep_text.h"
#include "cli/terminal.h"
#include "cli/text.h"
#include "cli/verbs/verbs.h"

namespace hdrive::cli {
namespace {

struct Options {
  std::vector<std::string> both;
  std::string output_dir;
  std::string format = "table";
};

// One value of each side; empty: it has none.
struct Pair {
  std::string name, one, other;
};

struct Differences {
  std::vector<Pair> parameters, properties;
  std::vector<std::string> configuration;
  std::vector<FileDifference> files;
  std::string no_files;           // why files cannot be compared
  bool files_unreadable = false;  // and that is a fault
};

using Texts = std::map<std::string, std::string>;

std::vector<Pair> pairs(const Texts& one, const Texts& other) {
  std::map<std::string, Pair> both;
  for (const auto& [name, value] : one) both[name].one = value;
  for (const auto& [name, value] : other) both[name].other = value;
  std::vector<Pair> result;
  for (auto& [name, pair] : both)
    if (pair.one != pair.other) result.push_back({name, pair.one, pair.other});
  return result;
}

Texts parameters_of(const Target& target) {
  Texts texts;
  if (!target.run) return texts;
  const StoredRun run = value_or_fail(reader_or_fail(target.sweep)->run(*target.run));
  for (const Binding& binding : run.run.parameters) texts[binding.name] = to_text(binding.value);
  return texts;
}

void compare_files(const SweepEntry& one, const SweepEntry& other, Differences& differences) {
  const std::string &before = one.header.snapshot, &after = other.header.snapshot;
  if (before.empty() || after.empty()) {
    if (one.header.id == other.header.id) return;
    differences.no_files =
        fmt::format("{} has no snapshot", short_id((before.empty() ? one : other).header.id));
    return;
  }
  if (before == after) return;
  auto files = compare_snapshots(snapshot_store(one.directory.parent_path()), before,
                                 snapshot_store(other.directory.parent_path()), after);
  if (files) {
    differences.files = *std::move(files);
    return;
  }
  differences.no_files = files.error().message();
  differences.files_unreadable = true;
}

Differences compare(const Target& one, const Target& other) {
  Differences differences;
  differences.parameters = pairs(parameters_of(one), parameters_of(other));
  differences.properties = pairs(one.sweep.header.properties, other.sweep.header.properties);
  const auto before = stored_spec(one.sweep.header, one.sweep.directory);
  const auto after = stored_spec(other.sweep.header, other.sweep.directory);
  if (before && after)
    differences.configuration = hdrive::differences(*after, *before);
  else if (one.sweep.header.config != other.sweep.header.config)
    differences.configuration = {"it differs, and one of them cannot be read any more"};
  compare_files(one.sweep, other.sweep, differences);
  return differences;
}

// ---- for people -----------------------------------------------------------------------------------

std::string section(std::string_view title, const std::vector<std::string>& lines) {
  std::string text = fmt::format("{}\n", title);
  if (lines.empty()) return text + "  the same\n";
  for (const std::string& line : lines) text += "  " + line + "\n";
  return text;
}

std::vector<std::string> pair_lines(const std::vector<Pair>& both) {
  std::vector<std::string> lines;
  const auto shown = [](const std::string& text) {
    return text.empty() ? std::string("-") : printable(text);
  };
  for (const auto& [name, one, other] : both)
    lines.push_back(fmt::format("{}: {} -> {}", printable(name), shown(one), shown(other)));
  return lines;
}

std::vector<std::string> file_lines(const Differences& differences) {
  std::vector<std::string> lines;
  for (const FileDifference& file : differences.files) {
    const char mark = file.kind == FileDifference::Kind::added     ? '+'
                      : file.kind == FileDifference::Kind::removed ? '-'
                                                                   : '~';
    std::string line = fmt::format("{} {}", mark, printable(file.path));
    if (file.text) line += fmt::format("  (+{} -{} lines)", file.lines_added, file.lines_removed);
    lines.push_back(std::move(line));
  }
  if (!differences.no_files.empty())
    lines.push_back("cannot be compared: " + printable(differences.no_files));
  return lines;
}

std::string as_text(const Target& one, const Differences& differences) {
  std::vector<std::string> configuration;
  for (const std::string& line : differences.configuration)
    configuration.push_back(printable(line));
  return (one.run ? section("parameters", pair_lines(differences.parameters)) : "") +
         section("configuration", configuration) +
         section("git", pair_lines(differences.properties)) +
         section("files", file_lines(differences));
}

// ---- for programs ---------------------------------------------------------------------------------

OrderedJson pairs_json(const std::vector<Pair>& both) {
  OrderedJson json = OrderedJson::object();
  for (const auto& [name, one, other] : both) json[name] = {one, other};
  return json;
}

std::string as_json(const Differences& differences) {
  OrderedJson json;
  json["parameters"] = pairs_json(differences.parameters);
  json["configuration"] = differences.configuration;
  json["properties"] = pairs_json(differences.properties);
  json["files"] = OrderedJson::array();
  for (const FileDifference& file : differences.files) {
    constexpr const char* kKinds[] = {"added", "removed", "changed"};
    OrderedJson one = {{"path", file.path}, {"kind", kKinds[static_cast<int>(file.kind)]}};
    if (file.text) {
      one["lines_added"] = file.lines_added;
      one["lines_removed"] = file.lines_removed;
    }
    json["files"].push_back(std::move(one));
  }
  if (!differences.no_files.empty()) json["files_unknown"] = differences.no_files;
  return pretty(json);
}

int diff(const Options& options) {
  if (options.both.size() != 2)
    fail(kWrong, "two of them are compared, as in: hdrive diff last/3 last/7");
  const Target one = target_or_fail(options.output_dir, options.both[0]);
  const Target other = target_or_fail(options.output_dir, options.both[1]);
  if (one.run.has_value() != other.run.has_value())
    fail(kWrong, "a sweep and a run cannot be compared; name two sweeps, or two runs");
  const Differences differences = compare(one, other);
  print(options.format == "json" ? as_json(differences) : as_text(one, differences));
  return differences.files_unreadable ? kCannot : kDone;
}

}  // namespace

Action setup_diff(ArgumentParser& parser, std::vector<std::string>& /*arguments*/) {
  auto options = std::make_shared<Options>();
  parser
      .texts("sweep", options->both, "A B",
             "Two sweeps, or two runs (SWEEP/RUN, of one sweep or two)")
      .completion = Completion::runs;
  parser.choice("-f,--format", options->format, {"table", "json"}, "FORMAT",
                "table or json (default: table)");
  add_home_option(parser, options->output_dir);
  return [options] { return diff(*options); };
}

}  // namespace hdrive::cli
