// SPDX-License-Identifier: Apache-2.0
//
// A History as Python sees it: its own, or one that is lent to a sampler or policy for one call.
// What is kept of a lent one beyond that call raises instead of reading what is gone.
#pragma once

#include <memory>

#include "hdrive/history.h"

namespace hdrive::python {

class HistoryView {
 public:
  explicit HistoryView(Goal goal) : own_(std::make_unique<History>(goal)), history_(own_.get()) {}
  explicit HistoryView(const History* lent) : history_(lent) {}

  /// Raises where the call it was lent for is over.
  const History& get() const;
  /// Raises where it is lent.
  History& own();
  void end() { history_ = own_.get(); }

 private:
  std::unique_ptr<History> own_;
  const History* history_;
};

/// Lends a history for as long as this lives.
class Lent {
 public:
  explicit Lent(const History& history) : view_(std::make_shared<HistoryView>(&history)) {}
  ~Lent() { view_->end(); }
  Lent(const Lent&) = delete;
  Lent& operator=(const Lent&) = delete;
  const std::shared_ptr<HistoryView>& view() const { return view_; }

 private:
  std::shared_ptr<HistoryView> view_;
};

}  // namespace hdrive::python
