// SPDX-License-Identifier: Apache-2.0
//
// A few threads that answer what takes a while, so that the server's own thread waits for nothing.
#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

namespace hdrive::server::portal {

class Workers {
 public:
  explicit Workers(int threads);
  /// What is being done is finished; what waits is dropped.
  ~Workers();
  Workers(const Workers&) = delete;
  Workers& operator=(const Workers&) = delete;

  /// The same, before the end; what comes later is dropped, too.
  void finish();

  /// From any thread. The first come is the first served; a job must not throw.
  void run(std::function<void()> job);

 private:
  void work();

  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<std::function<void()>> jobs_;
  bool closing_ = false;
  std::vector<std::thread> threads_;
};

}  // namespace hdrive::server::portal
