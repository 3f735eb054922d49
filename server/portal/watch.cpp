// SPDX-License-Identifier: Apache-2.0
#include "server/portal/watch.h"

#include <algorithm>
#include <chrono>
#include <iterator>
#include <utility>

#include "base/json.h"

namespace hdrive::server::portal {
namespace {

constexpr std::chrono::milliseconds kTurn{100};
constexpr std::chrono::seconds kHeartbeat{15};
constexpr std::chrono::seconds kLookAgain{1};
// A page that takes nothing is not told more: what it missed it asks for when it goes on.
constexpr std::size_t kMostUnsent = 1 << 20;
// The sum over a large sweep takes a while; it is made so rarely that this is a twentieth of the time at most.
constexpr int kSummaryRest = 20;
constexpr std::chrono::milliseconds kBetweenSummaries{250};

}  // namespace

Watch::Watch(Catalogue& catalogue, LiveSweeps& sweeps, std::shared_ptr<Clock> clock)
    : catalogue_(catalogue),
      sweeps_(sweeps),
      clock_(std::move(clock)),
      thread_([this] { work(); }) {}

Watch::~Watch() {
  {
    const std::lock_guard lock(mutex_);
    closing_ = true;
  }
  changed_.notify_all();
  if (thread_.joinable()) thread_.join();
}

void Watch::finish() {
  {
    const std::lock_guard lock(mutex_);
    closing_ = tells_end_ = true;
  }
  changed_.notify_all();
  thread_.join();
}

void Watch::tell_end() {
  const Time now = clock_->now();
  for (Listener& listener : listeners_) {
    listener.summary_from = listener.look_from = {};
    tell(listener, now);
    send(listener, "end", Json::object());
  }
  listeners_.clear();
}

void Watch::add(std::shared_ptr<Reply> reply, std::string sweep) {
  Listener listener;
  listener.reply = std::move(reply);
  listener.sweep = std::move(sweep);
  {
    const std::lock_guard lock(mutex_);
    added_.push_back(std::move(listener));
  }
  changed_.notify_all();
}

void Watch::work() {
  std::unique_lock lock(mutex_);
  while (true) {
    if (listeners_.empty())
      changed_.wait(lock, [this] { return closing_ || !added_.empty(); });
    else if (added_.empty())
      changed_.wait_for(lock, kTurn, [this] { return closing_ || !added_.empty(); });
    if (closing_) {
      if (tells_end_) tell_end();
      return;
    }
    std::move(added_.begin(), added_.end(), std::back_inserter(listeners_));
    added_.clear();
    lock.unlock();
    std::erase_if(listeners_, [](const Listener& listener) { return !listener.reply->unsent(); });
    for (Listener& listener : listeners_) tell(listener, clock_->now());
    lock.lock();
  }
}

void Watch::tell(Listener& listener, Time now) {
  if (listener.reply->unsent().value_or(0) > kMostUnsent) return;
  const std::uint64_t before = listener.events;
  if (listener.sweep.empty())
    tell_list(listener);
  else
    tell_sweep(listener, now);
  if (listener.events != before || listener.spoke == Time{}) {
    listener.spoke = now;
  } else if (now - listener.spoke >= kHeartbeat) {
    listener.spoke = now;
    listener.reply->send(": still here\n\n");
  }
}

void Watch::tell_list(Listener& listener) {
  const auto news = catalogue_.news(listener.seen);
  for (const Json& sweep : news.sweeps) send(listener, "sweep", sweep);
  for (const std::string& id : news.gone) send(listener, "gone", {{"id", id}});
}

void Watch::tell_sweep(Listener& listener, Time now) {
  if (now < listener.look_from) return;
  const auto lose = [&](const Error& error) {
    listener.live.reset();
    listener.look_from = now + kLookAgain;
    listener.seen = 0;
    if (!std::exchange(listener.gone, true))
      send(listener, "gone", {{"id", listener.sweep}, {"message", text(error.message())}});
  };
  if (!listener.live) {
    auto found = sweeps_.get(listener.sweep);
    if (!found) return lose(found.error());
    listener.live = *std::move(found);
  }
  auto news = listener.live->news(listener.seen);
  if (!news) return lose(news.error());
  // Somebody looks at it right now: the next turn tells.
  if (news->version.empty()) return;
  listener.gone = false;
  if (news->anything || listener.first) {
    Json runs = nullptr;
    if (!news->all && !listener.first) runs = news->runs;
    listener.first = false;
    send(listener, "runs", {{"sweep", listener.sweep}, {"version", news->version}, {"runs", runs}});
    for (const Noted& note : news->notes)
      send(listener, "note",
           {{"time", moment(note.at)},
            {"level", note.level == Noted::Level::info      ? "info"
                      : note.level == Noted::Level::warning ? "warning"
                                                            : "error"},
            {"run", or_null(note.run)},
            {"text", text(note.text)}});
    listener.summary_is_due = true;
    if (news->status) listener.summary_from = {};
  }
  if (!listener.summary_is_due || now < listener.summary_from) return;
  const auto summary = listener.live->summary(now);
  if (!summary) return lose(summary.error());
  listener.summary_is_due = false;
  const Time done = clock_->now();
  listener.summary_from = done + std::max<Duration>(kBetweenSummaries, kSummaryRest * (done - now));
  send(listener, "sweep", *summary);
}

void Watch::send(Listener& listener, const char* event, const Json& data) {
  ++listener.events;
  listener.reply->send("id: " + std::to_string(listener.events) + "\nevent: " + event +
                       "\ndata: " + base::json_text(data) + "\n\n");
}

}  // namespace hdrive::server::portal
