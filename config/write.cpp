// SPDX-License-Identifier: Apache-2.0
//
// A specification as hdconfig.yml, row by row of the schema.
#include "config/write.h"

#include <algorithm>
#include <cmath>

#include "base/text.h"
#include "config/schema.h"
#include "hdrive/config.h"

namespace hdrive {
namespace config {
namespace {

std::string number(double value) {
  if (std::isnan(value)) return ".nan";
  if (std::isinf(value)) return value > 0 ? ".inf" : "-.inf";
  return base::json_number(value);  // "3.0": a 3 would read back as an integer
}

std::string number(std::int64_t value) { return std::to_string(value); }

// Words that YAML 1.2 or an older reader takes for something else than text.
bool is_reserved_word(std::string_view text) {
  static constexpr std::string_view kWords[] = {"null", "true", "false", "yes", "no",
                                                "on",   "off",  "y",     "n"};
  const std::string lower = base::lower(text);
  return std::find(std::begin(kWords), std::end(kWords), lower) != std::end(kWords);
}

bool is_plain(std::string_view text) {
  constexpr std::string_view kLetters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_";
  if (text.empty() || text.size() > 100 || is_reserved_word(text)) return false;
  if (kLetters.find(text[0]) == std::string_view::npos) return false;
  return text.find_first_not_of(
             "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-.") ==
         std::string_view::npos;
}

// An object with a key "parameters" would be read as an option that has some.
std::string yaml_option(const Value& option) {
  const auto* json = std::get_if<Json>(&option);
  const bool confusing =
      json && json->text.starts_with('{') && json->text.find("\"parameters\"") != std::string::npos;
  return confusing ? "{\"value\": " + json->text + ", \"parameters\": []}" : yaml_value(option);
}

template <class T>
std::string arguments_of(const T& expression) {
  if constexpr (std::is_same_v<T, Choice>) {
    std::string text;
    for (const Value& option : expression.options)
      text += (text.empty() ? "" : ", ") + yaml_option(option);
    // One list as the only value would be read as the list of options.
    const bool lone_list =
        expression.options.size() == 1 && std::holds_alternative<Json>(expression.options[0]);
    return lone_list ? "[" + text + "]" : text;
  } else if constexpr (requires { expression.upper; }) {
    return number(expression.upper);
  } else if constexpr (requires { expression.mu; }) {
    std::string text = number(expression.mu) + ", " + number(expression.sigma);
    if constexpr (requires { expression.q; }) text += ", " + number(expression.q);
    return text;
  } else {
    std::string text = number(expression.min) + ", " + number(expression.max);
    if constexpr (requires { expression.q; }) text += ", " + number(expression.q);
    return text;
  }
}

// A space as a list of parameters, under each option those that exist with it.
class SpaceWriter {
 public:
  explicit SpaceWriter(const SearchSpace& space) : space_(space), parents_(parents(space)) {}

  std::string text() const {
    std::string text;
    for (std::size_t i = 0; i < parents_.size(); ++i)
      if (!parents_[i]) text += parameter(i, "\n  ");
    return text;
  }

 private:
  std::string parameter(std::size_t index, const std::string& line) const {
    const auto& [name, expression, condition] = space_.parameters[index];
    std::string text = line + "- name: " + yaml_text(name) + line +
                       "  expression: " + std::string(expression_name(expression)) + line +
                       "  values:";
    if (std::find(parents_.begin(), parents_.end(), index) == parents_.end())
      return text + " [" +
             std::visit([](const auto& each) { return arguments_of(each); }, expression) + "]";
    const auto& options = std::get<Choice>(expression).options;
    for (auto option = options.begin(); option != options.end(); ++option) {
      // An option that is listed twice has its parameters where it stands first.
      const bool first = std::none_of(options.begin(), option, [&](const Value& earlier) {
        return same_value(earlier, *option);
      });
      const std::string inner = first ? children(index, *option, line + "    ") : "";
      text += line + "  - " +
              (inner.empty() ? yaml_option(*option)
                             : "value: " + yaml_value(*option) + line + "    parameters:" + inner);
    }
    return text;
  }

  std::string children(std::size_t of, const Value& option, const std::string& line) const {
    std::string text;
    for (std::size_t i = 0; i < parents_.size(); ++i)
      if (parents_[i] == of && same_value(space_.parameters[i].condition->option, option))
        text += parameter(i, line);
    return text;
  }

  const SearchSpace& space_;
  std::vector<std::optional<std::size_t>> parents_;
};

std::string write_type(const std::vector<AlgorithmInfo>& table, const AlgorithmSpec& spec) {
  const AlgorithmInfo* algorithm = find_algorithm(table, spec.name);
  std::string text = "\n  type: " + (algorithm ? written_name(*algorithm) : yaml_text(spec.name));
  for (const auto& [name, value] : spec.options)
    text += "\n  " + yaml_text(name) + ": " + yaml_value(value);
  return text;
}

}  // namespace

std::string yaml_text(std::string_view text) {
  return is_plain(text) ? std::string(text) : base::json_string(text);
}

std::string yaml_value(const Value& value) {
  struct Visitor {
    std::string operator()(std::monostate) const { return "null"; }
    std::string operator()(bool flag) const { return flag ? "true" : "false"; }
    std::string operator()(std::int64_t integer) const { return std::to_string(integer); }
    std::string operator()(double real) const { return number(real); }
    std::string operator()(const std::string& text) const { return yaml_text(text); }
    std::string operator()(const Json& json) const { return json.text; }
  };
  return std::visit(Visitor{}, value);
}

std::string written_name(const AlgorithmInfo& algorithm) {
  for (const std::string_view alias : algorithm.aliases)
    if (alias.ends_with("Policy")) return std::string(alias);
  return std::string(algorithm.name);
}

std::string write_sampling(const SweepSpec& spec) {
  return write_type(sampler_algorithms(), spec.sampling) +
         "\n  parameter_space:" + SpaceWriter(spec.space).text();
}

std::string write_policy(const SweepSpec& spec) {
  return write_type(policy_algorithms(), spec.policy);
}

std::string write_words(const std::vector<std::string>& words) {
  std::string text;
  for (const std::string& word : words) text += "\n- " + yaml_text(word);
  return text;
}

std::string write_command(const SweepSpec& spec) { return write_words(spec.command); }

std::string write_stop_at(const SweepSpec& spec) {
  return spec.stop_at ? number(*spec.stop_at) : std::string();
}

std::string write_texts(const std::map<std::string, std::string>& texts) {
  std::string text;
  for (const auto& [name, value] : texts)
    text += "\n  " + yaml_text(name) + ": " + yaml_text(value);
  return text;
}

std::string write_environment(const SweepSpec& spec) {
  return write_texts(spec.environment_variables);
}

std::string yaml_bytes(std::uint64_t bytes) {
  constexpr std::pair<std::uint64_t, const char*> kUnits[] = {
      {1'000'000'000, " GB"}, {1'000'000, " MB"}, {1'000, " kB"}};
  for (const auto& [unit, name] : kUnits)
    if (bytes % unit == 0 && bytes > 0) return std::to_string(bytes / unit) + name;
  return std::to_string(bytes);
}

std::string write_snapshot_max_file(const SweepSpec& spec) {
  if (spec.snapshot_max_file == SweepSpec().snapshot_max_file) return "";
  return yaml_bytes(spec.snapshot_max_file);
}

std::string yaml_point(const Assignment& point) {
  std::string text = "{";
  for (const Binding& binding : point)
    text += (text.ends_with('{') ? "" : ", ") + base::json_string(binding.name) + ": " +
            yaml_value(binding.value);
  return text + "}";
}

std::string write_start_points(const SweepSpec& spec) {
  std::string text;
  for (const Assignment& point : spec.start_points) text += "\n- " + yaml_point(point);
  return text;
}

std::string write_gpus(const SweepSpec& spec) {
  if (spec.gpus == std::vector<std::string>{"auto"}) return "auto";
  std::string text;
  for (const std::string& gpu : spec.gpus) text += "\n- " + yaml_text(gpu);
  return text;
}

std::string write_metric_patterns(const SweepSpec& spec) {
  std::string text;
  for (const std::string& pattern : spec.metric_patterns)
    text += "\n- " + base::json_string(pattern);
  return text;
}

}  // namespace config

std::string to_hdconfig(const SweepSpec& spec) {
  std::string text;
  for (const config::KeyInfo& row : config::schema()) {
    if (!row.write) continue;
    const std::string value = row.write(spec);
    if (value.empty()) continue;
    text += std::string(row.name) + (value.front() == '\n' ? ":" : ": ") + value + "\n";
  }
  return text;
}

}  // namespace hdrive
