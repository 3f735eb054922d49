// SPDX-License-Identifier: Apache-2.0
//
// Server-sent events to the pages that are open: what changed in the list of sweeps, and in the sweep a page shows. One
// thread looks ten times a second, and only while somebody listens.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "hdrive/clock.h"
#include "server/http.h"
#include "server/portal/catalogue.h"
#include "server/portal/live_sweeps.h"

namespace hdrive::server::portal {

class Watch {
 public:
  Watch(Catalogue& catalogue, LiveSweeps& sweeps, std::shared_ptr<Clock> clock);
  /// Tells all pages how things stand at last, and that the server ends. To be called once; nobody is told more.
  void finish();
  ~Watch();
  Watch(const Watch&) = delete;
  Watch& operator=(const Watch&) = delete;

  /// The page at the other end is told from now on; how things stand first. `sweep`: the one it shows; empty: the list.
  void add(std::shared_ptr<Reply> reply, std::string sweep);

 private:
  struct Listener {
    std::shared_ptr<Reply> reply;
    std::string sweep;
    std::shared_ptr<LiveSweep> live;  // of a sweep that is there
    std::uint64_t seen = 0;
    std::uint64_t events = 0;
    bool first = true;
    bool gone = false;            // the sweep was, when it was last looked for
    bool summary_is_due = false;  // it changed since it was told
    Time summary_from{};          // not told again before
    Time look_from{};
    Time spoke{};
  };

  void work();
  void tell(Listener& listener, Time now);
  void tell_end();
  void tell_list(Listener& listener);
  void tell_sweep(Listener& listener, Time now);
  static void send(Listener& listener, const char* event, const Json& data);

  Catalogue& catalogue_;
  LiveSweeps& sweeps_;
  const std::shared_ptr<Clock> clock_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<Listener> added_;  // under the mutex
  bool closing_ = false, tells_end_ = false;
  std::vector<Listener> listeners_;  // of the thread
  std::thread thread_;
};

}  // namespace hdrive::server::portal
