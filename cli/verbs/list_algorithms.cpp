// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <memory>

#include "base/text.h"
#include "cli/argument_parser.h"
#include "cli/json.h"
#include "cli/listing.h"
#include "cli/verbs/verbs.h"
#include "hdrive/registry.h"

namespace hdrive::cli {
namespace {

constexpr std::string_view kKinds[] = {"integer", "number", "boolean", "text"};

OrderedJson json_of(const OptionInfo& option) {
  OrderedJson json;
  json["name"] = std::string(option.name);
  json["kind"] = std::string(kKinds[static_cast<std::size_t>(option.kind)]);
  json["summary"] = std::string(option.summary);
  json["default"] = option.default_text.empty() ? OrderedJson(nullptr)
                                                : OrderedJson(std::string(option.default_text));
  json["minimum"] = option.minimum ? OrderedJson(*option.minimum) : OrderedJson(nullptr);
  json["maximum"] = option.maximum ? OrderedJson(*option.maximum) : OrderedJson(nullptr);
  json["required"] = option.required;
  return json;
}

void add_rows(Listing& listing, const std::string& family,
              const std::vector<AlgorithmInfo>& algorithms) {
  for (const AlgorithmInfo& algorithm : algorithms) {
    OrderedJson aliases = OrderedJson::array(), options = OrderedJson::array();
    std::vector<std::string> alias_texts, option_texts;
    for (const auto alias : algorithm.aliases) {
      aliases.push_back(std::string(alias));
      alias_texts.emplace_back(alias);
    }
    for (const OptionInfo& option : algorithm.options) {
      options.push_back(json_of(option));
      option_texts.emplace_back(option.name);
    }
    listing.rows.push_back({{family, family},
                            {std::string(algorithm.name), std::string(algorithm.name)},
                            {JsonValue::json(compact(aliases)), base::join(alias_texts, ", ")},
                            {std::string(algorithm.summary), std::string(algorithm.summary)},
                            {JsonValue::json(compact(options)), base::join(option_texts, ", ")}});
  }
}

int list_algorithms(Format format) {
  Listing listing;
  listing.columns = {{"family", "FAMILY"},
                     {"name", "NAME"},
                     {"aliases", "ALSO", Align::left, 16, 3},
                     {"summary", "SUMMARY", Align::left, 12, 1},
                     {"options", "OPTIONS", Align::left, 12, 2}};
  add_rows(listing, "sampling", sampler_algorithms());
  add_rows(listing, "policy", policy_algorithms());
  write(listing, format);
  return kDone;
}

}  // namespace

Action setup_list_algorithms(ArgumentParser& parser, std::vector<std::string>& /*arguments*/) {
  auto format = std::make_shared<Format>(Format::table);
  add_format_option(parser, *format);
  return [format] { return list_algorithms(*format); };
}

}  // namespace hdrive::cli
