// SPDX-License-Identifier: Apache-2.0
//
// What the page does. Each action is a verb of the command, carried out by the command: the page can do nothing that the
// command cannot, and does it in the same way.
#include <algorithm>
#include <array>
#include <filesystem>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "base/json.h"
#include "base/text.h"
#include "hdrive/config.h"
#include "hdrive/spec.h"
#include "server/portal/api.h"
#include "server/portal/gate.h"

namespace hdrive::server::portal {
namespace {

constexpr std::int64_t kMostPreviews = 100;
const std::set<std::string_view> kVerbs = {"stop",    "pause",  "resume", "update",
                                           "enqueue", "retry",  "delete", "validate",
                                           "sample",  "target", "run"};

Error wrong(std::string what) { return {"", std::move(what), Error::Kind::invalid}; }

// The body as an object whose members are these and no others, each a text, a number, or a list of texts.
Result<Json> body_of(const Question& question, const std::set<std::string_view>& members) {
  const Json body = base::parse_ordered_json(question.request().body);
  if (!body.is_object()) return wrong("the body of the request is no JSON object");
  for (const auto& [name, value] : body.items())
    if (!members.count(name)) return wrong("the request has no member " + base::json_string(name));
  return body;
}

std::string text_member(const Json& body, const char* name) {
  const auto found = body.find(name);
  return found != body.end() && found->is_string() ? found->get<std::string>() : std::string();
}

Result<std::vector<std::string>> words_member(const Json& body, const char* name) {
  std::vector<std::string> words;
  const auto found = body.find(name);
  if (found == body.end()) return words;
  if (!found->is_array()) return wrong(std::string(name) + " is a list of words");
  for (const Json& word : *found) {
    if (!word.is_string() || word.get<std::string>().find('\0') != std::string::npos)
      return wrong(std::string(name) + " is a list of words");
    words.push_back(word.get<std::string>());
  }
  return words;
}

Result<std::filesystem::path> folder_member(const Json& body) {
  const std::filesystem::path folder = text_member(body, "folder");
  std::error_code ignored;
  if (!folder.is_absolute() || !std::filesystem::is_directory(folder, ignored))
    return wrong("folder: " + base::json_string(folder.string()) +
                 " is no folder of this machine; give its whole path");
  return folder;
}

std::string shown(const World& world, const std::vector<std::string>& arguments) {
  return "hdrive " + shell_quote(arguments) + world.options.home_hint;
}

Result<Response> carry_out(const World& world, PortalCommand command) {
  if (!world.options.command) return Error{"", "this server only shows", Error::Kind::not_allowed};
  const PortalAnswer answer = world.options.command(command);
  return json_response({{"command_line", text(shown(world, command.arguments))},
                        {"exit_code", answer.exit_code},
                        {"output", text(answer.output)},
                        {"errors", text(answer.errors)}});
}

Result<Response> commands(const World& world, const Question& question) {
  const auto body = body_of(question, {"arguments", "input", "folder"});
  if (!body) return body.error();
  auto arguments = words_member(*body, "arguments");
  if (!arguments) return arguments.error();
  if (arguments->empty() || !kVerbs.count(arguments->front()))
    return wrong("arguments begin with one of: " +
                 base::join({kVerbs.begin(), kVerbs.end()}, ", "));
  // A sweep ends with the page's server otherwise.
  const std::string& verb = arguments->front();
  if ((verb == "run" || verb == "resume") &&
      std::find(arguments->begin(), arguments->end(), "--detach") == arguments->end())
    arguments->insert(arguments->begin() + 1, "--detach");
  PortalCommand command{*std::move(arguments), text_member(*body, "input"), {}};
  if (body->contains("folder")) {
    auto folder = folder_member(*body);
    if (!folder) return folder.error();
    command.directory = *std::move(folder);
  }
  return carry_out(world, std::move(command));
}

Json problems_json(const std::vector<Problem>& problems) {
  Json list = Json::array();
  for (const Problem& problem : problems)
    list.push_back(
        {{"line", problem.line},
         {"column", problem.column},
         {"severity", problem.severity == Problem::Severity::error ? "error" : "warning"},
         {"message", text(problem.text)}});
  return list;
}

LoadedConfig read_config(const std::string& text, const std::filesystem::path& folder) {
  ConfigOverrides overrides;
  overrides.needs_command = false;
  return parse_config(text, "hdconfig.yml", folder, overrides);
}

Result<Response> validate(const World&, const Question& question) {
  const auto body = body_of(question, {"config", "folder"});
  if (!body) return body.error();
  const auto folder = folder_member(*body);
  if (!folder) return folder.error();
  const LoadedConfig loaded = read_config(text_member(*body, "config"), *folder);
  Json json = {
      {"problems", problems_json(loaded.problems)}, {"ok", loaded.ok()}, {"summary", nullptr}};
  if (loaded.ok()) {
    const auto size = cardinality(loaded.spec.space);
    const auto count = [](auto number, std::string_view noun) {
      return base::plural(static_cast<long long>(number), noun);
    };
    json["summary"] = count(loaded.spec.space.parameters.size(), "parameter") +
                      (size ? ", " + count(*size, "combination") : std::string()) + ", " +
                      count(loaded.spec.max_total_runs, "run");
    json["has_command"] = !loaded.spec.command.empty();
  }
  return json_response(json);
}

Result<Response> preview(const World& world, const Question& question) {
  const auto body = body_of(question, {"config", "folder", "count"});
  if (!body) return body.error();
  auto folder = folder_member(*body);
  if (!folder) return folder.error();
  if (!world.options.command) return Error{"", "this server only shows", Error::Kind::not_allowed};
  std::int64_t count = 5;
  if (const auto given = body->find("count"); given != body->end() && given->is_number_integer())
    count = std::clamp<std::int64_t>(given->get<std::int64_t>(), 1, kMostPreviews);
  const std::string config = text_member(*body, "config");
  const LoadedConfig loaded = read_config(config, *folder);
  Json json = {
      {"runs", Json::array()}, {"problems", problems_json(loaded.problems)}, {"errors", ""}};
  if (!loaded.ok()) return json_response(json);
  const PortalAnswer answer = world.options.command(
      {{"sample", "-", "-n", std::to_string(count), "-f", "json"}, config, *std::move(folder)});
  if (answer.exit_code != 0) json["errors"] = text(answer.errors);
  const Json drawn = base::parse_ordered_json(answer.output);
  if (answer.exit_code == 0 && drawn.is_array())
    for (const Json& run : drawn) {
      Json parameters = Json::object();
      for (const auto& [name, value] : run.at("hyperparameters").items())
        parameters[std::string(bare_name(name))] = value;
      json["runs"].push_back({{"parameters", std::move(parameters)},
                              {"proposal", run.at("reason")},
                              {"command_line", run.at("command")}});
    }
  return json_response(json);
}

}  // namespace

std::span<const Route> doing_routes() {
  static constexpr Route kRoutes[] = {
      {"POST", "commands", "Carries out a verb of the command: {arguments, input, folder}.",
       "CommandResult", "", commands, Route::Takes::command},
      {"POST", "validate", "What is wrong with a configuration, line by line: {config, folder}.",
       "Validation", "", validate},
      {"POST", "preview",
       "Parameter sets that a configuration draws, and their command lines: {config, folder, "
       "count}.",
       "Preview", "", preview, Route::Takes::command},
  };
  return kRoutes;
}

}  // namespace hdrive::server::portal
