// SPDX-License-Identifier: Apache-2.0
#include "cli/line_protocol.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "base/json.h"
#include "base/json_words.h"
#include "base/text.h"
#include "cli/model_pick.h"

namespace hdrive::cli {
namespace {

using Json = nlohmann::json;
using base::json_number;
using base::json_string;

// What is wrong with a line.
struct Wrong {
  std::string what;
};

Json parsed(std::string_view line) {
  Json json = base::parse_json(line);
  // Once more for NaN, Infinity and numbers beyond a double's range.
  if (json.is_discarded()) json = base::parse_json(base::quote_bare_words(base::to_utf8(line)));
  if (!json.is_object()) throw Wrong{R"(the line is not a JSON object like {"op":"ask"})"};
  return json;
}

// The keys of one request, read with messages that name the operation and the key.
class Request {
 public:
  explicit Request(std::string_view line) : json_(parsed(line)) {}

  std::string operation() const {
    const auto op = json_.find("op");
    if (op == json_.end() || !op->is_string())
      throw Wrong{R"(the line has no "op" that is text, as in {"op":"ask"})"};
    return op->get<std::string>();
  }

  void allow(const std::string& operation, const std::vector<std::string>& keys) {
    operation_ = operation;
    for (const auto& [key, value] : json_.items())
      if (key != "op" && std::find(keys.begin(), keys.end(), key) == keys.end())
        throw Wrong{fmt::format("{}: unknown key {};{} it takes {}", operation, json_string(key),
                                base::did_you_mean(key, keys),
                                keys.empty() ? "none" : base::join(keys, ", "))};
  }

  std::int64_t whole(const std::string& key) const {
    if (const auto number = whole_if_given(key)) return *number;
    throw Wrong{fmt::format("{}: \"{}\" is missing", operation_, key)};
  }

  std::optional<std::int64_t> whole_if_given(const std::string& key) const {
    const auto at = json_.find(key);
    if (at == json_.end()) return std::nullopt;
    if (at->is_number_integer() &&
        !(at->is_number_unsigned() &&
          at->get<std::uint64_t>() > std::numeric_limits<std::int64_t>::max()))
      return at->get<std::int64_t>();
    constexpr double kExact = 9007199254740992;  // 2^53
    const auto number = as_double(*at);
    if (!number || *number != std::trunc(*number) || std::abs(*number) > kExact)
      throw Wrong{fmt::format("{}: \"{}\" is {}; expected a whole number", operation_, key,
                              at->dump(-1, ' ', false, Json::error_handler_t::replace))};
    return static_cast<std::int64_t>(*number);
  }

  // null is what JavaScript, R and others write for NaN.
  double value() const {
    const auto at = json_.find("value");
    if (at == json_.end()) throw Wrong{fmt::format("{}: \"value\" is missing", operation_)};
    if (at->is_null()) return std::numeric_limits<double>::quiet_NaN();
    if (const auto number = as_double(*at)) return *number;
    throw Wrong{fmt::format("{}: \"value\" is {}; expected a number, \"NaN\" or \"Infinity\"",
                            operation_, at->dump(-1, ' ', false, Json::error_handler_t::replace))};
  }

  std::string text_if_given(const std::string& key) const {
    const auto at = json_.find(key);
    if (at == json_.end()) return "";
    if (!at->is_string()) throw Wrong{fmt::format("{}: \"{}\" is no text", operation_, key)};
    return at->get<std::string>();
  }

 private:
  static std::optional<double> as_double(const Json& json) {
    if (json.is_number()) return json.get<double>();
    if (json.is_string()) return base::parse_number(json.get_ref<const std::string&>());
    return std::nullopt;
  }

  Json json_;
  std::string operation_;
};

template <class T>
T must(Result<T> result) {
  if (!result) throw Wrong{result.error().message()};
  return *std::move(result);
}
void must(const Result<void>& result) {
  if (!result) throw Wrong{result.error().message()};
}

// ---- the operations ------------------------------------------------------------------------------

using Write = LineProtocol::Write;

void ask(AskTell& study, const SweepSpec&, Request& request, const Write& write) {
  request.allow("ask", {"count"});
  const std::int64_t count = request.whole_if_given("count").value_or(1);
  if (count < 1) throw Wrong{fmt::format("ask: \"count\" is {}; expected at least 1", count)};
  for (std::int64_t i = 0; i < count; ++i) {
    const AskTell::Asked asked = must(study.ask());
    if (!asked.run)
      return write(fmt::format("{{\"done\":true,\"reason\":{}}}\n", json_string(asked.reason)));
    write(fmt::format("{{\"run\":{},\"parameters\":{},\"reason\":{}{}}}\n", *asked.run,
                      to_json(asked.parameters), json_string(asked.reason),
                      asked.attempt > 1 ? fmt::format(",\"attempt\":{}", asked.attempt) : ""));
  }
}

void report(AskTell& study, const SweepSpec&, Request& request, const Write& write) {
  request.allow("report", {"run", "value", "step"});
  const auto reported =
      must(study.report(request.whole("run"), request.value(), request.whole_if_given("step")));
  const bool stop = reported.verdict.action == Verdict::Action::stop;
  write(fmt::format("{{\"verdict\":\"{}\",\"reason\":{}}}\n", stop ? "stop" : "keep",
                    json_string(reported.reason)));
}

void tell(AskTell& study, const SweepSpec&, Request& request, const Write& write) {
  request.allow("tell", {"run", "value"});
  must(study.tell(request.whole("run"), request.value()));
  write("{\"ok\":true}\n");
}

void fail(AskTell& study, const SweepSpec&, Request& request, const Write& write) {
  request.allow("fail", {"run", "reason"});
  must(study.fail(request.whole("run"), request.text_if_given("reason")));
  write("{\"ok\":true}\n");
}

// What the model picks instead, where the best run is probably only lucky.
std::string model_member(const SweepSpec& spec, const History& history) {
  const auto pick = pick_worth_telling(spec, history);
  if (!pick) return "";
  return fmt::format(R"(,"model":{{"run":{},"mean":{},"deviation":{},"parameters":{}}})", pick->run,
                     json_number(pick->mean), json_number(pick->deviation),
                     to_json(history.run(pick->run).parameters));
}

void best(AskTell& study, const SweepSpec& spec, Request& request, const Write& write) {
  request.allow("best", {});
  const History& history = study.state().history();
  const auto run = history.incumbent();
  if (!run) return write("{\"run\":null,\"reason\":\"no run has reported a finite value yet\"}\n");
  write(fmt::format("{{\"run\":{},\"value\":{},\"parameters\":{}{}}}\n", *run,
                    json_number(*history.best(*run)), to_json(history.run(*run).parameters),
                    model_member(spec, history)));
}

struct Operation {
  std::string name;
  void (*run)(AskTell&, const SweepSpec&, Request&, const Write&);
};
const std::vector<Operation>& operations() {
  static const std::vector<Operation> kOperations{
      {"ask", ask}, {"report", report}, {"tell", tell}, {"fail", fail}, {"best", best}};
  return kOperations;
}

const Operation& operation(const std::string& name) {
  std::vector<std::string> names;
  for (const Operation& one : operations()) {
    if (one.name == name) return one;
    names.push_back(one.name);
  }
  throw Wrong{fmt::format("unknown op {};{} there is {}", json_string(name),
                          base::did_you_mean(name, names), base::join(names, ", "))};
}

}  // namespace

bool LineProtocol::take(std::string_view line) {
  try {
    Request request(line);
    const Operation& wanted = operation(request.operation());
    wanted.run(study_, spec_, request, write_);
    return wanted.run == ask;
  } catch (const Wrong& wrong) {
    write_(fmt::format("{{\"error\":{}}}\n", json_string(wrong.what)));
    return false;
  }
}

}  // namespace hdrive::cli
