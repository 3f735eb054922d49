// SPDX-License-Identifier: Apache-2.0
#include "python/kept_sweep.h"

#include <utility>

#include "hdrive/begin.h"
#include "hdrive/catalog.h"
#include "hdrive/edit.h"
#include "hdrive/ids.h"
#include "hdrive/warm_start.h"

namespace hdrive::python {

// ---- requests in memory -------------------------------------------------------------------------

Result<void> RequestableStore::append(std::span<const Change> changes) {
  if (auto stored = store_->append(changes); !stored) return stored;
  const std::lock_guard lock(mutex_);
  for (const Change& change : changes)
    if (const auto* answered = std::get_if<RequestAnswered>(&change))
      answers_[answered->request] = {answered->accepted, answered->text};
  return {};
}

Result<std::vector<Request>> RequestableStore::take_requests() {
  const std::lock_guard lock(mutex_);
  return std::exchange(requests_, {});
}

std::int64_t RequestableStore::leave(Request request) {
  const std::lock_guard lock(mutex_);
  request.id = ++latest_;
  requests_.push_back(std::move(request));
  return latest_;
}

std::optional<Answer> RequestableStore::answer(std::int64_t request) const {
  const std::lock_guard lock(mutex_);
  const auto found = answers_.find(request);
  return found == answers_.end() ? std::nullopt : std::optional(found->second);
}

// ---- making and opening -------------------------------------------------------------------------

namespace {

Error name_is_taken(const SweepEntry& other) {
  return Error{"name",
               "there is a sweep \"" + other.header.name + "\" already (" + other.header.id +
                   "); hdrive.load(\"" + other.header.name +
                   "\") goes on with it, another name begins another one",
               Error::Kind::invalid};
}

}  // namespace

Result<std::shared_ptr<KeptSweep>> KeptSweep::make(SweepSpec spec,
                                                   const std::filesystem::path& home) {
  if (auto sound = check(spec); !sound) {
    Error error = sound.error();
    if (error.kind == Error::Kind::other) error.kind = Error::Kind::invalid;
    return error;
  }
  auto warm_start = read_warm_start(spec, home);
  if (!warm_start) return warm_start.error();
  const Time now = make_steady_clock()->now();
  std::shared_ptr<KeptSweep> sweep(new KeptSweep);
  sweep->header_ = new_sweep_header(spec, now);
  if (home.empty()) {
    sweep->memory_ = std::make_shared<RequestableStore>(sweep->header_);
    sweep->mirror_ = std::make_shared<Mirror>(spec.primary_metric, spec.goal);
    sweep->view_ = make_memory_view(sweep->header_, sweep->mirror_);
    const std::vector<Change> taken = changes_of(*warm_start, now);
    if (auto stored = sweep->memory_->append(taken); !stored) return stored.error();
    for (const Change& change : taken)
      sweep->mirror_->on_change(change, SweepState(spec.primary_metric, spec.goal));
    return sweep;
  }
  // Held until the sweep is made: of several that begin at once with one name the others find it.
  std::shared_ptr<void> claim;
  if (!spec.name.empty()) {
    auto claimed = claim_names(home);
    if (!claimed) return claimed.error();
    claim = *std::move(claimed);
    auto named = sweeps_named(home, spec.name);
    if (!named) return named.error();
    if (!named->empty()) return name_is_taken(named->front());
  }
  auto source = capture_code(spec, home, now);
  if (!source) return source.error();
  sweep->header_.snapshot = source->id;
  sweep->header_.properties = source->properties;
  sweep->directory_ = home / sweep->header_.id;
  auto store = create_sqlite_store(sweep->directory_, sweep->header_);
  if (!store) return store.error();
  if (auto brought = bring_outputs(*warm_start, sweep->directory_); !brought)
    return brought.error();
  if (auto taken = (*store)->append(changes_of(*warm_start, now)); !taken) return taken.error();
  if (auto noted = (*store)->append(notes_of(*source, now)); !noted) return noted.error();
  sweep->fresh_ = *std::move(store);
  auto view = open_view(sweep->directory_);
  if (!view) return view.error();
  sweep->view_ = *std::move(view);
  return sweep;
}

Result<std::shared_ptr<KeptSweep>> KeptSweep::open(const std::filesystem::path& directory) {
  auto view = open_view(directory);
  if (!view) return view.error();
  auto entry = (*view)->entry();
  if (!entry) return entry.error();
  std::shared_ptr<KeptSweep> sweep(new KeptSweep);
  sweep->header_ = entry->header;
  sweep->directory_ = directory;
  sweep->view_ = *std::move(view);
  return sweep;
}

Result<SweepSpec> KeptSweep::spec() const {
  auto entry = view_->entry();
  if (!entry) return entry.error();
  return spec_of(entry->header, directory_);
}

// ---- going on with it ---------------------------------------------------------------------------

Result<SweepParts> KeptSweep::acquire() {
  const std::lock_guard lock(mutex_);
  if (taken_)
    return Error{header_.id,
                 "this process is running it already, or has runs open that it asked for",
                 Error::Kind::busy};
  SweepParts parts;
  parts.directory = directory_;
  if (memory_) {
    parts.store = memory_;
    parts.listeners.push_back(mirror_);
  } else if (fresh_) {
    parts.store = std::exchange(fresh_, nullptr);
  } else {
    parts.state = std::make_shared<SweepState>(header_.metric, header_.goal,
                                               SweepState::Verdicts::of_live_runs);
    auto store =
        open_sqlite_store(directory_, [&](const Change& change) { parts.state->apply(change); });
    if (!store) return store.error();
    parts.store = *std::move(store);
  }
  taken_ = true;
  return parts;
}

void KeptSweep::release() {
  const std::lock_guard lock(mutex_);
  taken_ = false;
}

Result<std::string> KeptSweep::edit(
    const std::vector<std::pair<std::string, std::string>>& settings) {
  const auto now = spec();
  if (!now) return now.error();
  auto entry = view_->entry();
  if (!entry) return entry.error();
  auto edited = edit_spec(*now, settings, entry->runs);
  if (!edited) {
    Error error = edited.error();
    error.kind = Error::Kind::invalid;
    return error;
  }
  if (edited->what.empty()) return std::string();
  auto parts = acquire();
  if (!parts) return parts.error();
  const Change change = SweepEdited{edited->config, edited->what, make_steady_clock()->now()};
  const auto stored = parts->store->append({&change, 1});
  if (stored && mirror_) mirror_->on_change(change, SweepState(header_.metric, header_.goal));
  release();
  if (!stored) return stored.error();
  return edited->what;
}

Result<std::int64_t> KeptSweep::leave(const Request& request) {
  if (memory_) return memory_->leave(request);
  return leave_request(directory_, request);
}

Result<std::optional<Answer>> KeptSweep::answer(std::int64_t request) const {
  if (memory_) return memory_->answer(request);
  return read_answer(directory_, request);
}

}  // namespace hdrive::python
