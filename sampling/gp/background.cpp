// SPDX-License-Identifier: Apache-2.0
#include "sampling/gp/background.h"

#include <chrono>
#include <system_error>
#include <utility>

namespace hdrive::sampling::gp {
namespace {

bool is_of(const PrecomputationInput* input, RunId id, std::uint64_t digest) {
  return input && input->id == id && input->digest == digest;
}

}  // namespace

bool Background::is_busy() const {
  return made_.valid() && made_.wait_for(std::chrono::seconds(0)) != std::future_status::ready;
}

void Background::collect() {
  Made made = made_.get();
  latest_ = std::move(made.work);
  fits_ = std::move(made.fits);
}

void Background::start(std::shared_ptr<const PrecomputationInput> input) {
  if (is_busy()) return;
  if (made_.valid()) collect();
  asked_ = std::move(input);
  try {
    // What was made before is of no use any more, and takes time to give back.
    Precomputation past = std::exchange(latest_, {});
    made_ = std::async(std::launch::async,
                       [this, of = asked_, fits = fits_, past = std::move(past)]() mutable {
                         past = {};
                         Precomputation work = maker_.make(std::move(of), fits);
                         return Made{std::move(work), std::move(fits)};
                       });
  } catch (const std::system_error&) {
    made_ = {};  // no thread can be had: it is done when it is asked for
  }
}

const Precomputation* Background::find(RunId id, std::uint64_t digest) {
  if (is_of(latest_.input.get(), id, digest)) return &latest_;
  if (!made_.valid() || (!is_of(asked_.get(), id, digest) && is_busy())) return nullptr;
  collect();
  return is_of(latest_.input.get(), id, digest) ? &latest_ : nullptr;
}

const Precomputation& Background::make(std::shared_ptr<const PrecomputationInput> input) {
  latest_ = maker_.make(std::move(input), fits_);
  return latest_;
}

}  // namespace hdrive::sampling::gp
