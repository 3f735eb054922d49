// SPDX-License-Identifier: Apache-2.0
//
// The schemas are written as people read them and turned into JSON Schema: a name, and the members below it, each with
// its type. "?" behind a member's name: it may be missing; behind a type: it may be null. [T] is a list of T, {T} an
// object whose members are all T. "Name : Other" has the members of the other, too.
#include "server/portal/schemas.h"

#include <string_view>

#include "base/text.h"

namespace hdrive::server::portal {
namespace {

constexpr std::string_view kAnswers = R"(
Error
  error Fault
Fault
  status integer
  message text

About
  version text
  api integer
  home text
  home_hint text
  host text
  read_only boolean
  ends_with text?
  now time

Sweeps
  sweeps [Sweep]
  problems [Unreadable]
Unreadable
  directory text
  message text
Sweep
  id text
  short_id text
  name text
  experiment text
  directory text
  status text
  state text
  reason text
  engine integer?
  created time
  changed time?
  latest time?
  active_seconds number
  runs integer
  live integer
  completed integer
  failed integer
  canceled integer
  stopped integer
  max_total_runs integer?
  max_concurrent_runs integer?
  metric text
  goal text
  best Best?
  improvements [[number]]
  sampler text?
  policy text
  tags {text}
  targets [text]
  description text
  expected_end time?
  damaged text?
  size_bytes? integer?
  size_is_complete? boolean
Best
  run integer
  value number
SweepDetails : Sweep
  config text
  edits [Edit]
  notes [Note]
  space [Parameter]
  policy_settings {any}?
  command text
  sampler_text text
  policy_text text
  problem? text
  compute_seconds number
  saved_seconds number?
  metrics [MetricTotals]
  parameters [text]
  properties {text}
Edit
  time time
  what text
Note
  time time
  level text
  run integer?
  text text
Parameter
  name text
  as_written text
  kind text
  expression text
  low number?
  high number?
  log boolean
  integer boolean
  q number?
  mu number?
  sigma number?
  options [any]?
  condition text?
  depends_on Dependence?
Dependence
  parameter text
  option any
MetricTotals
  name text
  runs integer
  count integer
  least number?
  greatest number?

Runs
  matching integer
  runs [RunRow]
RunFacts
  run_id text
  hyperparameters {any}
  best_primary_metric number?
  status text
  number integer
  attempt integer
  ended_by text
  last_primary_metric number?
  reports integer
  exit_code integer?
  signal integer?
  proposal text
  reason text
  created time?
  started time?
  ended time?
  duration_seconds number?
  slot integer?
  cpu_seconds number?
  peak_memory_bytes integer?
RunRow : RunFacts
  metrics {Figures}
Figures
  count integer
  not_finite integer
  last number
  last_step integer?
  least number?
  greatest number?
RunDetails : RunFacts
  parameters {any}
  metrics [NamedFigures]
  start_point boolean
  pid integer?
  handle text
  reported time?
  stderr_tail text
  canceling Canceling?
  lost_contact LostContact?
  verdict Verdict?
  policy_sentence text
  attempts [Attempt]
  directory text
  outputs_directory text
  command_line text
  target text?
  environment {any}
  working_directory text?
  gpus any
  cpus any
NamedFigures : Figures
  name text
Canceling
  cause text
  reason text
LostContact
  since time
  why text
Verdict
  what text
  time time
  reason text
  interval integer
  peers integer
  value number
  threshold number?
  leader integer?
Attempt
  attempt integer
  cause text
  reason text
  time time?

SeriesList
  metric text
  series [Series]
Series
  run integer
  attempt integer
  count integer
  place [integer]
  step [integer?]
  value [number]
  time [number]
Thresholds
  metric text
  policy text
  places [integer]
  own [number?]
  threshold [number?]
  verdict [text?]
Decisions
  decisions [Decision]
  more boolean
Decision
  index integer
  time time?
  run integer
  attempt integer
  what text
  cause text
  reason text
  value number?
  threshold number?
  interval integer?
  best number?
EngineLog
  text text
  next integer
  end boolean
Importance
  parameters [Share]
Share
  name text
  share number
Model
  metric text
  results integer
  noise number?
  why text?
  parameters [ModelSlice]
ModelSlice
  name text
  label text
  run integer?
  values [any]
  mean [number]
  low [number]
  high [number]

RunLog
  text text
  from integer
  next integer
  size integer
  end boolean
Files
  files [File]
  more boolean
File
  path text
  size integer
  modified time
  kind text
  step integer?

Targets
  targets [Target]
  types [TargetType]
  problems [text]
Target
  name text
  type text
  description text
  options {text}
  slots integer?
  in_use integer?
  file text?
  line integer?
  problem text?
TargetType
  type text
  description text
  options [TargetOption]
TargetOption
  name text
  kind text
  required boolean
  description text
  default text?
  choices [text]?

CommandResult
  command_line text
  exit_code integer
  output text
  errors text
Validation
  problems [Problem]
  ok boolean
  summary text?
  has_command? boolean
Problem
  line integer
  column integer
  severity text
  message text
Preview
  runs [PreviewedRun]
  problems [Problem]
  errors text
PreviewedRun
  parameters {any}
  proposal text
  command_line text
)";

Json schema_of(std::string_view type);

Json plain_schema(std::string_view type) {
  if (type == "any") return Json::object();
  if (type == "text") return {{"type", "string"}};
  if (type == "time") return {{"type", "string"}, {"format", "date-time"}};
  if (type == "integer" || type == "boolean") return {{"type", type}};
  // JSON has no others.
  if (type == "number")
    return {{"anyOf", {{{"type", "number"}}, {{"enum", {"NaN", "Infinity", "-Infinity"}}}}}};
  const std::string_view inner = type.substr(1, type.size() - 2);
  if (type.starts_with('[')) return {{"type", "array"}, {"items", schema_of(inner)}};
  if (type.starts_with('{'))
    return {{"type", "object"}, {"additionalProperties", schema_of(inner)}};
  return {{"$ref", "#/components/schemas/" + std::string(type)}};
}

Json schema_of(std::string_view type) {
  if (!type.ends_with('?')) return plain_schema(type);
  type.remove_suffix(1);
  return {{"anyOf", {plain_schema(type), {{"type", "null"}}}}};
}

}  // namespace

Json answer_schemas() {
  Json all = Json::object();
  Json* current = nullptr;
  for (const std::string_view line : base::split(kAnswers, '\n')) {
    if (base::trim(line).empty()) continue;
    const auto words = base::split(base::trim(line), ' ');
    if (line.front() != ' ') {
      Json begun = {
          {"type", "object"}, {"required", Json::array()}, {"properties", Json::object()}};
      if (words.size() == 3) begun = all.at(std::string(words[2]));
      current = &(all[std::string(words[0])] = std::move(begun));
      continue;
    }
    std::string_view name = words[0];
    const bool required = !name.ends_with('?');
    if (!required) name.remove_suffix(1);
    (*current)["properties"][std::string(name)] = schema_of(words[1]);
    if (required) (*current)["required"].push_back(name);
  }
  return all;
}

}  // namespace hdrive::server::portal
