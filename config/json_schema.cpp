// SPDX-License-Identifier: Apache-2.0
//
// The tables of the configuration as a JSON Schema, by which editors complete keys and explain
// them. It is more lenient than the loader where words are taken in any case; what is wrong with a
// file `hdrive validate` tells.
#include <algorithm>
#include <set>
#include <string>

#include "base/text.h"
#include "config/job_schema.h"
#include "config/schema.h"
#include "hdrive/config.h"
#include "hdrive/policy.h"
#include "hdrive/sampler.h"

namespace hdrive {
namespace {

using config::KeyInfo;
using config::KeyKind;
using config::Section;

/// A JSON object, member by member.
class Object {
 public:
  Object& add(std::string_view name, const std::string& json) {
    members_.push_back(base::json_string(name) + ": " + json);
    return *this;
  }
  Object& text(std::string_view name, std::string_view value) {
    return add(name, base::json_string(value));
  }
  std::string json() const { return "{" + base::join(members_, ", ") + "}"; }

 private:
  std::vector<std::string> members_;
};

std::string list_of(const std::vector<std::string_view>& words) {
  std::vector<std::string> quoted;
  for (const std::string_view word : words) quoted.push_back(base::json_string(word));
  return "[" + base::join(quoted, ", ") + "]";
}

// Known words are offered, and others taken, since case and dashes do not count.
std::string offered(const std::vector<std::string_view>& words) {
  return "[{\"enum\": " + list_of(words) + "}, {\"type\": \"string\"}]";
}

std::string reference_to(std::string_view definition) {
  return Object().text("$ref", "#/definitions/" + std::string(definition)).json();
}

std::string_view type_name(KeyKind kind) {
  switch (kind) {
    case KeyKind::text:
      return "string";
    case KeyKind::integer:
      return "integer";
    case KeyKind::number:
      return "number";
    case KeyKind::boolean:
      return "boolean";
    case KeyKind::mapping:
      return "object";
    case KeyKind::list:
      return "array";
    case KeyKind::any:
      return "";
  }
  return "";
}

std::vector<std::string_view> names_of(const std::vector<AlgorithmInfo>& table) {
  std::vector<std::string_view> names;
  for (const AlgorithmInfo& algorithm : table) {
    names.push_back(algorithm.name);
    names.insert(names.end(), algorithm.aliases.begin(), algorithm.aliases.end());
  }
  return names;
}

std::vector<std::string_view> expression_names() {
  std::vector<std::string_view> names;
  for (const ExpressionInfo& info : expressions()) names.push_back(info.name);
  for (const ExpressionInfo& info : expressions())
    names.insert(names.end(), info.aliases.begin(), info.aliases.end());
  return names;
}

std::vector<std::string_view> distributions() { return {"pytorch", "mpi", "tensorflow", "none"}; }

std::string property(const KeyInfo& row) {
  Object object;
  object.text("description", row.summary);
  const std::string_view name = row.name;
  if (name == "max_concurrent_runs")
    return object
        .add("anyOf",
             R"([{"type": "integer", "minimum": 1, "maximum": 1000000}, {"enum": ["auto"]}])")
        .json();
  if (row.section == Section::top &&
      (name == "sampling" || name == "policy" || name == "resources"))
    return object.add("allOf", "[" + reference_to(name) + "]").json();
  if (row.section == Section::top && name == "distribution") {
    std::string kinds = offered(distributions());
    kinds.insert(kinds.size() - 1, ", " + reference_to(name));
    return object.add("anyOf", kinds).json();
  }
  if (row.section == Section::distribution && name == "type")
    return object.add("anyOf", offered(distributions())).json();
  if (name == "parameter_space" || name == "parameters")
    return object.text("type", "array").add("items", reference_to("parameter")).json();
  if (row.section != Section::top && name == "type")
    return object
        .add("anyOf", offered(names_of(row.section == Section::sampling ? sampler_algorithms()
                                                                        : policy_algorithms())))
        .json();
  if (name == "expression") return object.add("anyOf", offered(expression_names())).json();
  if (name == "primary_metric_goal")
    return object.add("anyOf", offered({"Maximize", "Minimize"})).json();
  if (const std::string_view type = type_name(row.kind); !type.empty()) object.text("type", type);
  if (row.minimum)
    object.add(row.exclusive_minimum ? "exclusiveMinimum" : "minimum",
               base::shortest(*row.minimum));
  if (row.maximum) object.add("maximum", base::shortest(*row.maximum));
  return object.json();
}

std::string mapping(const std::vector<KeyInfo>& rows) {
  Object properties;
  std::vector<std::string_view> required;
  for (const KeyInfo& row : rows) {
    properties.add(row.name, property(row));
    if (row.required && row.default_text.empty()) required.push_back(row.name);
  }
  Object object;
  object.text("type", "object").add("properties", properties.json());
  if (!required.empty()) object.add("required", list_of(required));
  return object.add("additionalProperties", "false").json();
}

// A section's own keys, and the options of all its algorithms.
std::vector<KeyInfo> with_options(Section section, const std::vector<AlgorithmInfo>& table) {
  std::vector<KeyInfo> rows = config::rows_of(section);
  for (const AlgorithmInfo& algorithm : table)
    for (const OptionInfo& option : algorithm.options) {
      const bool known = std::any_of(rows.begin(), rows.end(),
                                     [&](const KeyInfo& row) { return row.name == option.name; });
      if (known) continue;
      rows.push_back(config::row_of(section, option));
      rows.back().required = false;
    }
  return rows;
}

// ---- v2 jobs -------------------------------------------------------------------------------------

std::string job_reference_to(std::string_view mapping) {
  std::string name(mapping);
  std::replace(name.begin(), name.end(), ' ', '_');
  return reference_to(name);
}

std::string any_of(const std::vector<std::string>& schemas) {
  return Object().add("anyOf", "[" + base::join(schemas, ", ") + "]").json();
}

std::string named(const std::string& schema) {
  return Object().text("type", "object").add("additionalProperties", schema).json();
}

std::string of_type(std::string_view types) { return "{\"type\": " + std::string(types) + "}"; }

// What is inside of a key, where that is more than its kind.
std::string inside_of(const config::JobKey& key) {
  const std::string_view mapping = key.mapping, name = key.row.name;
  const bool declared = mapping == "trial";
  const std::string text = of_type("\"string\"");
  if (name == "search_space") return named(job_reference_to("distribution of search_space"));
  if (name == "inputs")
    return named(declared ? job_reference_to("input")
                          : any_of({of_type("[\"string\", \"number\", \"boolean\"]"),
                                    job_reference_to("input")}));
  if (name == "outputs")
    return named(any_of({of_type("[\"null\", \"string\"]"), job_reference_to("output")}));
  if (name == "trial" || name == "component") return any_of({text, job_reference_to("trial")});
  if (name == "environment") return any_of({text, job_reference_to("environment")});
  if (name == "sampling_algorithm")
    return any_of({"{\"enum\": " + list_of(names_of(sampler_algorithms())) + "}", text,
                   job_reference_to(name)});
  if (name == "early_termination") return any_of({text, job_reference_to(name)});
  if (name == "limits")
    return job_reference_to(mapping == "command job" ? "limits of a command job" : "limits");
  if (name == "objective" || name == "resources" || name == "distribution")
    return job_reference_to(name);
  if (name == "settings") return job_reference_to("settings of a pipeline");
  if (name == "jobs")
    return named(any_of({job_reference_to("job"), job_reference_to("command job")}));
  return "";
}

std::string job_property(const config::JobKey& key) {
  const std::string inside = inside_of(key);
  if (!inside.empty())
    return Object().text("description", key.row.summary).add("allOf", "[" + inside + "]").json();
  if (key.mapping == "distribution of search_space" && key.row.name == "type")
    return Object()
        .text("description", key.row.summary)
        .add("anyOf", offered(expression_names()))
        .json();
  if (key.mapping == "early_termination" && key.row.name == "type")
    return Object()
        .text("description", key.row.summary)
        .add("anyOf", offered(names_of(policy_algorithms())))
        .json();
  if (key.row.name == "goal")
    return Object()
        .text("description", key.row.summary)
        .add("anyOf", offered({"maximize", "minimize"}))
        .json();
  KeyInfo row = key.row;
  row.section = Section::top;
  return property(row);
}

// One mapping of a job, earlier names included; of a whole job hdrive's own keys, too.
std::string job_mapping(std::string_view mapping) {
  Object properties;
  std::vector<std::string_view> required, known;
  for (const config::JobKey& key : config::job_schema()) {
    if (key.mapping != mapping) continue;
    properties.add(key.row.name, job_property(key));
    known.push_back(key.row.name);
    for (const std::string_view name : key.earlier) properties.add(name, job_property(key));
    known.insert(known.end(), key.earlier.begin(), key.earlier.end());
    if (key.row.required && key.earlier.empty()) required.push_back(key.row.name);
  }
  if (mapping == "job" || mapping == "command job")
    for (const KeyInfo& row : config::rows_of(Section::top))
      if (row.own && std::find(known.begin(), known.end(), row.name) == known.end())
        properties.add(row.name, property(row));
  Object object;
  object.text("type", "object").add("properties", properties.json());
  if (!required.empty()) object.add("required", list_of(required));
  // An input may be a component's, a policy hdrive's own: what they hold is checked by the loader.
  if (mapping != "early_termination") object.add("additionalProperties", "false");
  return object.json();
}

}  // namespace

std::string job_json_schema() {
  Object definitions;
  std::set<std::string> seen;
  for (const config::JobKey& key : config::job_schema()) {
    std::string name(key.mapping);
    std::replace(name.begin(), name.end(), ' ', '_');
    if (seen.insert(name).second) definitions.add(name, job_mapping(key.mapping));
  }
  const auto is = [](std::string_view type, std::string_view key) {
    return "{\"anyOf\": [{\"properties\": {\"type\": {\"const\": " + base::json_string(type) +
           "}}, \"required\": [\"type\"]}, {\"required\": [" + base::json_string(key) + "]}]}";
  };
  const auto when = [](const std::string& condition, std::string_view mapping,
                       const std::string& other) {
    return Object()
        .add("if", condition)
        .add("then", job_reference_to(mapping))
        .add("else", other)
        .json();
  };
  const std::string any =
      when(is("pipeline", "jobs"), "pipeline",
           when(is("command", "command"), "command job", job_reference_to("job")));
  return Object()
             .text("$schema", "http://json-schema.org/draft-07/schema#")
             .text("title", "A v2 sweep job of Azure ML")
             .add("definitions", definitions.json())
             .add("allOf", "[" + any + "]")
             .json() +
         "\n";
}

std::string config_json_schema() {
  Object definitions;
  definitions.add("sampling", mapping(with_options(Section::sampling, sampler_algorithms())))
      .add("policy", mapping(with_options(Section::policy, policy_algorithms())))
      .add("parameter", mapping(config::rows_of(Section::parameter)))
      .add("resources", mapping(config::rows_of(Section::resources)))
      .add("distribution", mapping(config::rows_of(Section::distribution)));
  const std::string top = mapping(config::rows_of(Section::top));
  Object schema;
  schema.text("$schema", "http://json-schema.org/draft-07/schema#")
      .text("title", "hdconfig.yml")
      .add("definitions", definitions.json());
  const std::string head = schema.json();
  return head.substr(0, head.size() - 1) + ", " + top.substr(1) + "\n";
}

}  // namespace hdrive
