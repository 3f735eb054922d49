// SPDX-License-Identifier: Apache-2.0
#include "hdrive/clock.h"

#include <fmt/format.h>

#include <chrono>

namespace hdrive {
namespace {

class SteadyClock final : public Clock {
 public:
  Time now() override {
    const auto passed = std::chrono::steady_clock::now() - steady_start_;
    return start_ + std::chrono::duration_cast<Duration>(passed);
  }

 private:
  const std::chrono::steady_clock::time_point steady_start_ = std::chrono::steady_clock::now();
  const Time start_ = std::chrono::time_point_cast<Duration>(std::chrono::system_clock::now());
};

}  // namespace

std::string iso_time(Time time) {
  const auto day = std::chrono::floor<std::chrono::days>(time);
  const std::chrono::year_month_day date(day);
  const std::chrono::hh_mm_ss clock(time - day);
  std::string text =
      fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}", static_cast<int>(date.year()),
                  static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
                  clock.hours().count(), clock.minutes().count(), clock.seconds().count());
  if (clock.subseconds().count() != 0) text += fmt::format(".{:06}", clock.subseconds().count());
  return text + 'Z';
}

std::shared_ptr<Clock> make_steady_clock() { return std::make_shared<SteadyClock>(); }

}  // namespace hdrive
