// SPDX-License-Identifier: Apache-2.0
#include "config/job_inputs.h"

#include <algorithm>
#include <array>
#include <system_error>

#include "base/text.h"
#include "config/job_schema.h"
#include "config/placeholders.h"
#include "config/written_path.h"

namespace hdrive::config {
namespace {

namespace fs = std::filesystem;

constexpr std::array<std::string_view, 6> kDataTypes{
    "uri_file", "uri_folder", "mltable", "mlflow_model", "custom_model", "triton_model"};
constexpr std::array<std::string_view, 8> kValueTypes{"number", "integer", "boolean", "string",
                                                      "float",  "int",     "bool",    "str"};

bool is_data(std::string_view type) {
  return std::find(kDataTypes.begin(), kDataTypes.end(), base::lower(type)) != kDataTypes.end() ||
         base::lower(type) == "path";
}

bool is_known(std::string_view type) {
  return is_data(type) ||
         std::find(kValueTypes.begin(), kValueTypes.end(), base::lower(type)) != kValueTypes.end();
}

std::string data_variable(std::string_view name) {
  return variable_name("AZUREML_DATAREFERENCE_", name);
}
std::string value_variable(std::string_view name) {
  return variable_name("AZUREML_PARAMETER_", name);
}

}  // namespace

void JobInputs::declare(const Node* inputs, const fs::path& directory) {
  declared_ = true;
  if (!inputs) return;
  for (const Entry& entry : inputs->entries) {
    Input input{entry.place};
    read_input(entry, directory, input);
    inputs_[entry.key] = std::move(input);
  }
}

void JobInputs::read_values(const Node* inputs, const fs::path& directory) {
  if (!inputs) return;
  for (const Entry& entry : inputs->entries) {
    const auto known = inputs_.find(entry.key);
    if (declared_ && known == inputs_.end()) {
      std::vector<std::string> names;
      for (const auto& [name, input] : inputs_) names.push_back(name);
      const std::string hint = base::did_you_mean(entry.key, names);
      loader_.problems.error(entry.place, "the component has no input " + in_quotes(entry.key) +
                                              (names.empty() ? "; it has none" : "; allowed: ") +
                                              listing(names) + (hint.empty() ? "" : ";" + hint));
      continue;
    }
    Input& input = inputs_[entry.key];
    input.place = entry.place;
    if (!entry.value->is(Node::Kind::null)) read_input(entry, directory, input);
  }
}

void JobInputs::read_input(const Entry& entry, const fs::path& directory, Input& input) {
  const Node& node = *entry.value;
  if (node.is(Node::Kind::list))
    return loader_.problems.error(node.place, "the input " + in_quotes(entry.key) + " is a list" +
                                                  "; allowed: a value, or a mapping with type and "
                                                  "path");
  if (!node.is(Node::Kind::map)) {
    if (input.data || (node.is(Node::Kind::text) && node.text.starts_with("azureml:")))
      return take_data(entry, node, directory, input);
    if (auto text = scalar_text(loader_.problems, node, "the input " + in_quotes(entry.key))) {
      input.given = true;
      input.text = *std::move(text);
    }
    return;
  }
  const Node flat = flattened(node, {"data", "dataset", "file", "folder"});
  const Fields fields = read_fields("input", flat, entry.place,
                                    " in the input " + in_quotes(entry.key), loader_.problems);
  if (const Node* type = fields.find("type")) {
    input.type = base::lower(type->text);
    input.data = is_data(input.type);
    if (!is_known(type->text)) {
      std::vector<std::string> names(kDataTypes.begin(), kDataTypes.end());
      names.insert(names.end(), kValueTypes.begin(), kValueTypes.begin() + 4);
      const std::string hint = base::did_you_mean(type->text, names);
      loader_.problems.error(type->place, "unknown type " + in_quotes(type->text) +
                                              " of an input; allowed: " + listing(names) +
                                              (hint.empty() ? "" : ";" + hint));
    }
  }
  if (const Node* optional = fields.find("optional")) input.optional = optional->boolean;
  if (const Node* path = fields.find("path")) return take_data(entry, *path, directory, input);
  const Node* value = fields.find("default");
  if (!value) return;
  if (input.data) return take_data(entry, *value, directory, input);
  if (auto text = scalar_text(loader_.problems, *value, "the input " + in_quotes(entry.key))) {
    input.given = true;
    input.text = *std::move(text);
  }
}

void JobInputs::take_data(const Entry& entry, const Node& path, const fs::path& directory,
                          Input& input) {
  input.given = input.data = true;
  const std::string subject = "the input " + in_quotes(entry.key) + " is ";
  fs::path place;
  if (is_remote(path.text)) {
    const auto mapped = assets_.path("data", path.text);
    if (!mapped)
      return loader_.problems.error(path.place,
                                    subject + in_quotes(path.text) +
                                        ", which is not on this machine; say where it is " +
                                        assets_.advice("data", path.text, "PATH"));
    place = *mapped;
  } else {
    place = written_path(directory, path.text);
  }
  place = place.lexically_normal();
  if (!place.has_filename() && place != place.root_path()) place = place.parent_path();
  input.text = place.string();
  if (unmade_.contains(input.text)) return;
  std::error_code error;
  const fs::file_status status = fs::status(place, error);
  const std::string where = path.text == input.text ? "" : " (" + in_quotes(input.text) + ")";
  if (!fs::exists(status))
    return report_missing(loader_, path.place,
                          subject + in_quotes(path.text) + where +
                              ", which does not exist; allowed: a file or "
                              "folder of this machine");
  if (input.type == "uri_file" && fs::is_directory(status))
    loader_.problems.error(path.place, subject + in_quotes(path.text) + where +
                                           ", which is a folder; allowed for uri_file: a file");
  if (input.type == "uri_folder" && !fs::is_directory(status))
    loader_.problems.error(path.place, subject + in_quotes(path.text) + where +
                                           ", which is a file; allowed for uri_folder: a folder");
}

void JobInputs::read_outputs(const Node* outputs) {
  if (!outputs) return;
  for (const Entry& entry : outputs->entries) {
    const Node& node = *entry.value;
    std::string type;
    const bool sound = !entry.key.empty() && entry.key[0] != '.' &&
                       entry.key.find_first_not_of(
                           "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTU"
                           "VWXYZ0123456789_-.") == std::string::npos;
    if (!sound)
      loader_.problems.error(entry.place, "an output is called " + in_quotes(entry.key) +
                                              "; allowed: letters, digits, \"_\", \"-\" and \".\"");
    if (node.is(Node::Kind::map)) {
      const Fields fields = read_fields("output", node, entry.place,
                                        " in the output " + in_quotes(entry.key), loader_.problems);
      if (const Node* given = fields.find("type")) type = base::lower(given->text);
    } else if (!node.is(Node::Kind::null)) {
      loader_.problems.error(node.place, "the output " + in_quotes(entry.key) + " is " +
                                             describe(node) +
                                             "; allowed: a mapping with type, or "
                                             "nothing");
    }
    if (!sound) continue;
    if (!outputs_.contains(entry.key)) loader_.outputs.push_back(entry.key);
    std::string& kept = outputs_[entry.key];
    if (!type.empty()) kept = type;
  }
}

void JobInputs::finish(Place place) {
  for (const auto& [name, input] : inputs_) {
    if (parameter(name)) continue;  // a drawn value takes its place
    if (input.given)
      loader_.spec.environment_variables.emplace(
          input.data ? data_variable(name) : value_variable(name), input.text);
    else if (declared_ && !input.optional && loader_.space_sound)
      loader_.problems.error(
          place, "the component needs the input " + in_quotes(name) + "; give it under \"inputs\"");
  }
}

std::optional<Reference> JobInputs::parameter(std::string_view name) const {
  const auto find = [&](std::string_view bare) -> std::optional<Reference> {
    const auto found = loader_.named.find(std::string(bare_name(bare)));
    if (found == loader_.named.end()) return std::nullopt;
    const bool conditional =
        std::any_of(found->second.begin(), found->second.end(),
                    [&](std::size_t i) { return !loader_.definitions[i].path.empty(); });
    return Reference{conditional ? Reference::Kind::conditional : Reference::Kind::value,
                     sweep_variable(bare)};
  };
  if (auto whole = find(name)) return whole;
  // A member of an option by its path: model.lr.
  const std::size_t dot = name.rfind('.');
  return dot == std::string_view::npos ? std::nullopt : find(name.substr(dot + 1));
}

std::optional<Reference> JobInputs::resolve(std::string_view group, std::string_view name,
                                            std::string_view text, Place place) {
  if (text.starts_with('{'))
    loader_.problems.warn(place, in_quotes(text) +
                                     " is an older spelling, taken all the same; write $" + "{" +
                                     std::string(text) + "}");
  std::vector<std::string> known;
  if (group == "search_space") {
    if (auto found = parameter(name)) return found;
    if (!loader_.space_sound) return std::nullopt;  // it may be among those that cannot be read
    for (const Definition& each : loader_.definitions) known.emplace_back(bare_name(each.name));
    return missing(group, name, place, known);
  }
  if (group == "inputs") {
    if (auto drawn = parameter(name)) return drawn;
    const auto found = inputs_.find(name);
    if (found != inputs_.end() && found->second.given)
      return Reference{Reference::Kind::value,
                       found->second.data ? data_variable(name) : value_variable(name)};
    if (found != inputs_.end() && found->second.optional)
      return Reference{Reference::Kind::unset, value_variable(name)};
    if (found != inputs_.end()) return std::nullopt;  // told by finish(), or when it was read
    for (const auto& [each, input] : inputs_) known.push_back(each);
    return missing(group, name, place, known);
  }
  if (group == "outputs") {
    const auto found = outputs_.find(name);
    if (found != outputs_.end())
      return Reference{Reference::Kind::value, "HDRIVE_OUTPUTS_DIR", "/" + std::string(name)};
    for (const auto& [each, type] : outputs_) known.push_back(each);
    return missing(group, name, place, known);
  }
  loader_.problems.error(place, "unknown placeholder " + in_quotes(text) +
                                    "; allowed: ${{search_space.NAME}}, ${{inputs.NAME}} and "
                                    "${{outputs.NAME}}");
  return std::nullopt;
}

std::optional<Reference> JobInputs::missing(std::string_view group, std::string_view name,
                                            Place place, const std::vector<std::string>& known) {
  const std::string hint = base::did_you_mean(name, known);
  loader_.problems.error(place, "the command refers to " + in_quotes(name) +
                                    ", which is not in \"" + std::string(group) + "\"; " +
                                    (known.empty() ? "nothing is" : "allowed: " + listing(known)) +
                                    (hint.empty() ? "" : ";" + hint));
  return std::nullopt;
}

std::vector<fs::path> JobInputs::data() const {
  std::vector<fs::path> paths;
  for (const auto& [name, input] : inputs_)
    if (input.data && input.given && !input.text.empty()) paths.emplace_back(input.text);
  return paths;
}

std::string JobInputs::preparation() const {
  std::string folders;
  for (const auto& [name, type] : outputs_)
    if (type != "uri_file") folders += " \"$HDRIVE_OUTPUTS_DIR/" + name + "\"";
  return folders.empty() ? "" : "mkdir -p" + folders + "\n";
}

}  // namespace hdrive::config
