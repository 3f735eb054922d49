// SPDX-License-Identifier: Apache-2.0
#include "server/portal/space_json.h"

#include <cmath>
#include <variant>

#include "base/text.h"

namespace hdrive::server::portal {
namespace {

struct Describe {
  Json& json;

  void bounds(double low, double high, bool log, bool integer) const {
    json["low"] = number(low);
    json["high"] = number(high);
    json["log"] = log;
    json["integer"] = integer;
  }

  void operator()(const Choice& choice) const {
    json["options"] = Json::array();
    for (const Value& option : choice.options) json["options"].push_back(value_json(option));
  }
  void operator()(const RandInt& it) const {
    bounds(0, static_cast<double>(it.upper - 1), false, true);
  }
  void operator()(const Uniform& it) const { bounds(it.min, it.max, false, false); }
  void operator()(const QUniform& it) const {
    bounds(it.min, it.max, false, false);
    json["q"] = it.q;
  }
  void operator()(const LogUniform& it) const {
    bounds(std::exp(it.min), std::exp(it.max), true, false);
  }
  void operator()(const QLogUniform& it) const {
    bounds(std::exp(it.min), std::exp(it.max), true, false);
    json["q"] = it.q;
  }
  void operator()(const Normal& it) const { spread(it.mu, it.sigma, false); }
  void operator()(const QNormal& it) const {
    spread(it.mu, it.sigma, false);
    json["q"] = it.q;
  }
  void operator()(const LogNormal& it) const { spread(it.mu, it.sigma, true); }
  void operator()(const QLogNormal& it) const {
    spread(it.mu, it.sigma, true);
    json["q"] = it.q;
  }
  void operator()(const LogUniformValues& it) const { bounds(it.min, it.max, true, false); }
  void operator()(const QLogUniformValues& it) const {
    bounds(it.min, it.max, true, false);
    json["q"] = it.q;
  }
  void operator()(const IntUniform& it) const {
    bounds(static_cast<double>(it.min), static_cast<double>(it.max), false, true);
  }
  void operator()(const IntLogUniform& it) const {
    bounds(static_cast<double>(it.min), static_cast<double>(it.max), true, true);
  }

  // Without bounds.
  void spread(double mu, double sigma, bool log) const {
    json["mu"] = mu;
    json["sigma"] = sigma;
    json["log"] = log;
  }
};

}  // namespace

Json space_json(const SearchSpace& space) {
  Json list = Json::array();
  for (const Parameter& parameter : space.parameters) {
    Json json = {{"name", text(bare_name(parameter.name))},
                 {"as_written", text(parameter.name)},
                 {"kind", std::string(expression_name(parameter.expression))},
                 {"expression", text(to_text(parameter.expression))},
                 {"low", nullptr},
                 {"high", nullptr},
                 {"log", false},
                 {"integer", false},
                 {"q", nullptr},
                 {"mu", nullptr},
                 {"sigma", nullptr},
                 {"options", nullptr},
                 {"condition", nullptr},
                 {"depends_on", nullptr}};
    std::visit(Describe{json}, parameter.expression);
    if (const auto& condition = parameter.condition) {
      const std::string on(bare_name(condition->parameter));
      json["condition"] = text("only where " + on + " is " + to_text(condition->option));
      json["depends_on"] = {{"parameter", text(on)}, {"option", value_json(condition->option)}};
    }
    list.push_back(std::move(json));
  }
  return list;
}

}  // namespace hdrive::server::portal
