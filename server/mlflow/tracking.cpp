// SPDX-License-Identifier: Apache-2.0
#include "server/mlflow/tracking.h"

#include <dirent.h>
#include <sys/stat.h>

#include <algorithm>
#include <charconv>
#include <nlohmann/json.hpp>

#include "base/file.h"
#include "hdrive/ids.h"
#include "server/mlflow/fault.h"

namespace hdrive::server::mlflow {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kMostHeld = 2048;
// The runs of a sweep need most descriptors.
constexpr std::size_t kMostOpen = 256;
constexpr std::size_t kIdDigits = 32;
constexpr char kModelPrefix[] = "m-";
constexpr char kJournalEnd[] = ".jsonl";

std::vector<std::string> names_in(const fs::path& folder) {
  std::vector<std::string> names;
  const std::unique_ptr<DIR, int (*)(DIR*)> open(::opendir(folder.c_str()), ::closedir);
  if (!open) return names;
  while (const dirent* entry = ::readdir(open.get()))
    if (entry->d_name[0] != '.') names.emplace_back(entry->d_name);
  return names;
}

bool is_hexadecimal(std::string_view text) {
  return text.size() == kIdDigits && text.find_first_not_of("0123456789abcdef") == text.npos;
}

std::string new_id() { return new_token().substr(0, kIdDigits); }

std::optional<RunId> parse_number(std::string_view text) {
  RunId number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  const bool plain = !text.empty() && (text == "0" || text.front() != '0');
  if (!plain || error != std::errc{} || end != text.data() + text.size() || number < 0)
    return std::nullopt;
  return number;
}

}  // namespace

Tracking::Tracking(fs::path sweep_directory, std::string sweep_id, const std::string& experiment)
    : directory_(std::move(sweep_directory)),
      sweep_id_(std::move(sweep_id)),
      experiments_(directory_, experiment, now()),
      registry_(directory_),
      files_(kMostOpen) {}

std::int64_t Tracking::now() {
  return std::chrono::floor<std::chrono::milliseconds>(clock_->now()).time_since_epoch().count();
}

std::string Tracking::run_id_of(RunId run) const { return hdrive::run_id(sweep_id_, run); }

std::optional<RunId> Tracking::number_of(const std::string& run_id) const {
  if (!run_id.starts_with(sweep_id_ + "_")) return std::nullopt;
  return parse_number(std::string_view(run_id).substr(sweep_id_.size() + 1));
}

Owner Tracking::owner_of(std::optional<RunId> scope) const {
  if (!scope) return {std::nullopt, directory_};
  return {scope, directory_ / "runs" / std::to_string(*scope)};
}

std::vector<RunId> Tracking::numbers() const {
  std::vector<RunId> numbers;
  for (const std::string& name : names_in(directory_ / "runs"))
    if (const auto number = parse_number(name)) numbers.push_back(*number);
  return numbers;
}

// ---- runs ---------------------------------------------------------------------------------------

std::unique_ptr<RunRecord> Tracking::make_run(const std::string& run_id) {
  if (const auto number = number_of(run_id)) {
    Owner owner = owner_of(number);
    // The run.json of a run on another machine comes later than the first that it logs.
    if (!is_there(owner.directory / "run.json") &&
        !is_there(owner.directory / "mlflow-metrics.jsonl"))
      return nullptr;
    return std::make_unique<RunRecord>(
        RunRecord::of_sweep(files_, run_id, *number, std::move(owner.directory)));
  }
  look_for_created();
  const auto found = created_runs_.find(run_id);
  if (found == created_runs_.end()) return nullptr;
  const fs::path folder = found->second.directory / "mlflow" / run_id;
  // With the attempt that created it, it was moved aside.
  if (!is_there(folder)) {
    created_runs_.erase(found);
    return nullptr;
  }
  return std::make_unique<RunRecord>(RunRecord::created(files_, run_id, found->second, folder));
}

RunRecord* Tracking::find_run(const std::string& run_id) {
  if (const auto found = held_.find(run_id); found != held_.end()) {
    RunRecord* run = found->second.run.get();
    if (run->is_of_sweep() || is_there(run->directory())) {
      uses_.splice(uses_.begin(), uses_, found->second.use);
      return run;
    }
    uses_.erase(found->second.use);
    held_.erase(found);
  }
  auto run = make_run(run_id);
  if (!run) return nullptr;
  if (held_.size() >= kMostHeld) {
    held_.erase(uses_.back());
    uses_.pop_back();
  }
  uses_.push_front(run_id);
  const auto [held, added] = held_.emplace(run_id, Held{std::move(run), uses_.begin()});
  return held->second.run.get();
}

RunRecord& Tracking::run(const std::string& run_id) {
  RunRecord* run = find_run(run_id);
  if (!run) refuse_missing("Run with id=" + run_id + " not found");
  return *run;
}

RunRecord* Tracking::run_of_sweep(RunId run) { return find_run(run_id_of(run)); }

RunRecord& Tracking::create_run(std::optional<RunId> scope, std::vector<nlohmann::json> facts) {
  look_for_created();
  const std::string id = new_id();
  const Owner owner = owner_of(scope);
  ok_or_fail(base::make_directories(owner.directory / "mlflow" / id, 2));
  created_runs_[id] = owner;
  RunRecord& created = run(id);
  created.log(facts);
  return created;
}

void Tracking::each_run(const std::function<void(RunRecord&)>& call) {
  for (const RunId number : numbers())
    if (RunRecord* run = run_of_sweep(number)) call(*run);
  look_for_created();
  std::vector<std::string> ids;
  for (const auto& [id, owner] : created_runs_) ids.push_back(id);
  for (const std::string& id : ids)
    if (RunRecord* run = find_run(id)) call(*run);
}

// ---- what scripts have created ------------------------------------------------------------------

void Tracking::look_in(const Owner& owner) {
  for (const std::string& name : names_in(owner.directory / "mlflow"))
    if (is_hexadecimal(name)) created_runs_.emplace(name, owner);
  for (const std::string& name : names_in(models_folder(owner)))
    if (name.starts_with(kModelPrefix) && name.ends_with(kJournalEnd))
      models_.emplace(name.substr(0, name.size() - (sizeof kJournalEnd - 1)), owner);
}

void Tracking::look_for_created() {
  if (std::exchange(looked_, true)) return;
  look_in(owner_of(std::nullopt));
  for (const RunId number : numbers()) look_in(owner_of(number));
}

ModelRecord& Tracking::model(const std::string& model_id) {
  if (model_ && model_->id() == model_id) return *model_;
  look_for_created();
  const auto found = models_.find(model_id);
  if (found == models_.end() || !is_there(model_journal(found->second, model_id)))
    refuse_missing("Logged model with ID '" + model_id + "' not found.");
  const Owner& owner = found->second;
  model_ = std::make_unique<ModelRecord>(
      model_id, owner,
      (owner.run ? owner.directory : owner.directory / "mlflow") / "outputs" / "models" / model_id);
  return *model_;
}

ModelRecord& Tracking::create_model(std::optional<RunId> scope, const std::string& source_run,
                                    std::vector<nlohmann::json> facts) {
  look_for_created();
  const Owner owner = source_run.empty() ? owner_of(scope) : run(source_run).owner();
  const std::string id = kModelPrefix + new_id();
  ok_or_fail(base::make_directories(models_folder(owner), 2));
  // What `model` finds has a journal.
  ok_or_fail(Journal(model_journal(owner, id)).append({{{"time", now()}}}));
  models_[id] = owner;
  ModelRecord& created = model(id);
  created.log(std::move(facts), now());
  return created;
}

void Tracking::each_model(const std::function<void(ModelRecord&)>& call) {
  look_for_created();
  std::vector<std::string> ids;
  for (const auto& [id, owner] : models_)
    if (is_there(model_journal(owner, id))) ids.push_back(id);
  for (const std::string& id : ids) call(model(id));
}

}  // namespace hdrive::server::mlflow
