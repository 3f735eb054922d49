// SPDX-License-Identifier: Apache-2.0
#include "store/sweep_file.h"

#include <nlohmann/json.hpp>

#include "base/file.h"
#include "base/json.h"
#include "base/text.h"
#include "store/database.h"
#include "store/exact.h"
#include "store/words.h"

namespace hdrive::store {
namespace {

constexpr int kVersion = 1;

struct Field {
  const char* name;
  std::string SweepHeader::*member;
};
constexpr Field kFields[] = {{"id", &SweepHeader::id},
                             {"name", &SweepHeader::name},
                             {"experiment", &SweepHeader::experiment},
                             {"config", &SweepHeader::config},
                             {"metric", &SweepHeader::metric},
                             {"hdrive", &SweepHeader::version},
                             {"snapshot", &SweepHeader::snapshot}};

}  // namespace

std::filesystem::path sweep_file(const std::filesystem::path& sweep_directory) {
  return sweep_directory / "sweep.json";
}

Result<void> write_sweep_file(const std::filesystem::path& sweep_directory,
                              const SweepHeader& header) {
  std::string text = "{\n  \"version\": " + std::to_string(kVersion);
  for (const Field& field : kFields)
    text += std::string(",\n  \"") + field.name + "\": " + base::json_string(header.*field.member);
  text += ",\n  \"goal\": " + base::json_string(word(kGoals, header.goal)) +
          ",\n  \"created\": " + base::json_number(seconds_of(header.created.time_since_epoch())) +
          ",\n  \"properties\": " + properties_to_json(header.properties) + "\n}\n";
  return base::write_file_atomically(sweep_file(sweep_directory), text, /*durable=*/true);
}

Result<SweepHeader> read_sweep_file(const std::filesystem::path& sweep_directory) {
  const std::filesystem::path path = sweep_file(sweep_directory);
  const auto text = base::read_file(path);
  if (!text) return text.error();
  const auto json = base::parse_json(*text);
  if (!json.is_object() || json.value("version", nlohmann::json()) != kVersion)
    return Error{path.string(), "is damaged, or of another version of hdrive"};
  const auto string = [&](const char* key) {
    const auto found = json.find(key);
    return found != json.end() && found->is_string() ? found->get<std::string>() : std::string();
  };
  SweepHeader header;
  for (const Field& field : kFields) header.*field.member = string(field.name);
  header.goal = meaning(kGoals, string("goal")).value_or(Goal::maximize);
  const auto created = json.find("created");
  if (created != json.end() && created->is_number())
    header.created = Time(duration_of(created->get<double>()));
  if (const auto properties = json.find("properties"); properties != json.end())
    header.properties = properties_from_json(base::json_text(*properties));
  if (header.id.empty()) return Error{path.string(), "is damaged: it names no sweep"};
  return header;
}

}  // namespace hdrive::store
