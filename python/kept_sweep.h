// SPDX-License-Identifier: Apache-2.0
//
// KeptSweep: one sweep that this process made or opened, on disk or in memory, and who may go on with
// it: an engine or ask and tell, one at a time.
#pragma once

#include <filesystem>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "hdrive/requests.h"
#include "hdrive/spec.h"
#include "hdrive/state.h"
#include "hdrive/store.h"
#include "hdrive/sweep.h"
#include "python/view.h"

namespace hdrive::python {

/// A store in memory that other threads of this process can leave requests with, as other processes
/// can with a database.
class RequestableStore final : public Store {
 public:
  explicit RequestableStore(SweepHeader header) : store_(make_memory_store(std::move(header))) {}

  const SweepHeader& header() const override { return store_->header(); }
  Result<void> append(std::span<const Change> changes) override;
  Result<void> replay(const std::string& only_metric,
                      const std::function<void(const Change&)>& tell) override {
    return store_->replay(only_metric, tell);
  }
  Result<std::vector<Request>> take_requests() override;
  bool takes_requests() const override { return true; }

  std::int64_t leave(Request request);
  std::optional<Answer> answer(std::int64_t request) const;

 private:
  std::shared_ptr<Store> store_;
  mutable std::mutex mutex_;
  std::vector<Request> requests_;
  std::map<std::int64_t, Answer> answers_;
  std::int64_t latest_ = 0;
};

class KeptSweep {
 public:
  /// In memory where `home` is empty. Of a sweep with a command the source folder is captured, as
  /// `hdrive run` does; what there is to say about that becomes notes of the sweep.
  static Result<std::shared_ptr<KeptSweep>> make(SweepSpec spec, const std::filesystem::path& home);
  static Result<std::shared_ptr<KeptSweep>> open(const std::filesystem::path& directory);

  const SweepHeader& header() const { return header_; }
  const std::filesystem::path& directory() const { return directory_; }
  const std::shared_ptr<View>& view() const { return view_; }
  /// As it holds now, edits included.
  Result<SweepSpec> spec() const;

  /// What whoever goes on with the sweep needs: its store and its state, and the mirror among the
  /// listeners. Error::Kind::busy where somebody does already; `release` afterwards.
  Result<SweepParts> acquire();
  void release();

  /// Changes its specification; through whoever goes on with it, or at rest. What was changed.
  Result<std::string> edit(const std::vector<std::pair<std::string, std::string>>& settings);
  Result<std::int64_t> leave(const Request& request);
  Result<std::optional<Answer>> answer(std::int64_t request) const;

 private:
  KeptSweep() = default;

  SweepHeader header_;
  std::filesystem::path directory_;  // empty: in memory
  std::shared_ptr<View> view_;
  std::shared_ptr<Mirror> mirror_;            // in memory
  std::shared_ptr<RequestableStore> memory_;  // in memory
  std::shared_ptr<Store> fresh_;              // on disk, just made: nobody went on with it yet
  std::mutex mutex_;
  bool taken_ = false;
};

}  // namespace hdrive::python
