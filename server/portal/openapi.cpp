// SPDX-License-Identifier: Apache-2.0
#include <string>

#include "base/json.h"
#include "base/text.h"
#include "hdrive/version.h"
#include "server/portal/api.h"
#include "server/portal/arrow.h"
#include "server/portal/schemas.h"

namespace hdrive::server::portal {
namespace {

// "metric: text: which one; points: integer: at most" as OpenAPI's list.
void add_query_parameters(Json& list, std::string_view described) {
  for (const std::string_view each : base::split(described, ';')) {
    const auto parts = base::split(each, ':');
    if (parts.size() < 3) continue;
    const std::string_view name = base::trim(parts[0]), type = base::trim(parts[1]);
    const auto begin = static_cast<std::size_t>(parts[2].data() - each.data());
    list.push_back({{"name", name},
                    {"in", "query"},
                    {"required", false},
                    {"description", base::trim(each.substr(begin))},
                    {"schema", {{"type", type == "integer" ? "integer" : "string"}}}});
  }
}

void add_path_parameters(Json& list, std::string_view path) {
  for (const std::string_view part : base::split(path, '/')) {
    if (!part.starts_with('{')) continue;
    const std::string_view name = part.substr(1, part.size() - 2);
    list.push_back(
        {{"name", name},
         {"in", "path"},
         {"required", true},
         {"description", name == "sweep" ? "The sweep's whole id." : "The run's number."},
         {"schema", {{"type", name == "sweep" ? "string" : "integer"}}}});
  }
}

// "Runs, csv, arrow" by media type.
Json content_of(std::string_view answers) {
  const Json binary = {{"schema", {{"type", "string"}, {"format", "binary"}}}};
  Json content = Json::object();
  for (const std::string_view part : base::split(answers, ',')) {
    const std::string form(base::trim(part));
    if (form == "bytes")
      content["application/octet-stream"] = binary;
    else if (form == "file")
      content["*/*"] = binary;  // as what it is
    else if (form == "csv")
      content["text/csv"] = {{"schema", {{"type", "string"}}}};
    else if (form == "arrow")
      content[std::string(kArrowType)] = binary;
    else if (form == "any")
      content["application/json"] = {{"schema", {{"type", "object"}}}};
    else
      content["application/json"] = {{"schema", {{"$ref", "#/components/schemas/" + form}}}};
  }
  return content;
}

Json operation(const Route& route) {
  Json parameters = Json::array();
  add_path_parameters(parameters, route.path);
  add_query_parameters(parameters, route.parameters);
  Json json = {{"summary", route.summary}, {"parameters", std::move(parameters)}};
  if (route.method == "POST") {
    json["parameters"].push_back({{"name", "X-Hdrive"},
                                  {"in", "header"},
                                  {"required", true},
                                  {"description", "1: a page from elsewhere cannot send it."},
                                  {"schema", {{"type", "string"}, {"enum", {"1"}}}}});
    json["requestBody"] = {{"required", true},
                           {"content", {{"application/json", {{"schema", {{"type", "object"}}}}}}}};
  }
  json["responses"] = {
      {"200", {{"description", "What was asked for."}, {"content", content_of(route.answers)}}},
      {"default",
       {{"description", "What went wrong."},
        {"content",
         {{"application/json", {{"schema", {{"$ref", "#/components/schemas/Error"}}}}}}}}}};
  return json;
}

}  // namespace

std::string openapi() {
  Json paths = Json::object();
  for (const auto routes : {reading_routes(), doing_routes()})
    for (const Route& route : routes)
      paths["/api/v1/" + std::string(route.path)][base::lower(route.method)] = operation(route);
  paths["/api/v1/events"]["get"] = {
      {"summary", "What changes, as server-sent events: of the list of sweeps, or of one sweep."},
      {"parameters",
       {{{"name", "sweep"},
         {"in", "query"},
         {"required", false},
         {"description", "The sweep's whole id."},
         {"schema", {{"type", "string"}}}}}},
      {"responses",
       {{"200",
         {{"description", "Events: sweep, gone, runs, note, end."},
          {"content", {{"text/event-stream", {{"schema", {{"type", "string"}}}}}}}}}}}};
  const Json document = {
      {"openapi", "3.1.0"},
      {"info",
       {{"title", "hdrive"},
        {"version", std::string(version())},
        {"description",
         "The API behind the page of hdrive ui. Version 1; what is added does not change it."}}},
      {"paths", std::move(paths)},
      {"components",
       {{"securitySchemes", {{"token", {{"type", "http"}, {"scheme", "bearer"}}}}},
        {"schemas", answer_schemas()}}},
      {"security", {{{"token", Json::array()}}}}};
  return base::json_text(document, 1);
}

namespace {

std::string label(std::string_view text) {
  std::string quoted = "\"";
  for (const char c : text) {
    if (c == '\\' || c == '"') quoted += '\\';
    quoted += c == '\n' ? std::string("\\n") : std::string(1, c);
  }
  return quoted + "\"";
}

}  // namespace

std::string prometheus(const Json& list) {
  std::string runs =
      "# HELP hdrive_runs Runs of a sweep by how they stand.\n# TYPE hdrive_runs gauge\n";
  std::string best =
      "# HELP hdrive_best The best value of the primary metric.\n# TYPE hdrive_best gauge\n";
  std::string live =
      "# HELP hdrive_sweep_live Whether an engine runs the sweep.\n# TYPE hdrive_sweep_live "
      "gauge\n";
  std::string active =
      "# HELP hdrive_active_seconds How long the sweep was at work.\n# TYPE hdrive_active_seconds "
      "counter\n";
  for (const Json& sweep : list.at("sweeps")) {
    const std::string who = "sweep=" + label(sweep.at("id").get<std::string>()) +
                            ",name=" + label(sweep.at("name").get<std::string>());
    for (const char* status : {"completed", "failed", "stopped", "canceled", "live"})
      runs += "hdrive_runs{" + who + ",status=\"" + status + "\"} " +
              base::json_text(sweep.at(status)) + "\n";
    if (const Json& value = sweep.at("best"); !value.is_null() && value.at("value").is_number())
      best += "hdrive_best{" + who + ",metric=" + label(sweep.at("metric").get<std::string>()) +
              "} " + base::json_text(value.at("value")) + "\n";
    live += "hdrive_sweep_live{" + who + "} " + (sweep.at("state") == "live" ? "1" : "0") + "\n";
    active +=
        "hdrive_active_seconds{" + who + "} " + base::json_text(sweep.at("active_seconds")) + "\n";
  }
  return runs + best + live + active;
}

}  // namespace hdrive::server::portal
