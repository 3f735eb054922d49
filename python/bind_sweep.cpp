// SPDX-License-Identifier: Apache-2.0
//
// Mirrors hdrive/sweep.h: an engine on a thread of its own, which needs the interpreter only while it
// calls what is written in Python.
#include <nanobind/nanobind.h>
#include <nanobind/stl/optional.h>
#include <nanobind/stl/pair.h>
#include <nanobind/stl/shared_ptr.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/unique_ptr.h>
#include <nanobind/stl/vector.h>
#include <unistd.h>

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <thread>
#include <utility>

#include "hdrive/begin.h"
#include "hdrive/server.h"
#include "hdrive/sweep.h"
#include "python/bind.h"
#include "python/convert.h"
#include "python/errors.h"
#include "python/gil.h"
#include "python/kept_sweep.h"
#include "python/parts.h"

namespace nb = nanobind;

namespace hdrive::python {
namespace {

// Hears what a display would show: a full disk, a program that is gone.
class Trouble final : public Listener {
 public:
  void on_change(const Change&, const SweepState&) override {}
  void on_trouble(const std::string& trouble) override {
    const std::lock_guard lock(mutex_);
    text_ = trouble;
  }
  std::string text() const {
    const std::lock_guard lock(mutex_);
    return text_;
  }

 private:
  mutable std::mutex mutex_;
  std::string text_;
};

class Engine {
 public:
  Engine(std::shared_ptr<KeptSweep> sweep, SweepSpec spec, SweepParts parts,
         std::shared_ptr<Fault> fault, StartedServer server)
      : sweep_(std::move(sweep)),
        fault_(std::move(fault)),
        server_note_(std::move(server.note)),
        process_(::getpid()) {
    parts.listeners.push_back(trouble_);
    thread_ = std::thread([this, spec = std::move(spec), parts = std::move(parts),
                           serving = std::move(server.server)]() mutable {
      std::optional<Result<SweepSummary>> result = run_sweep(spec, parts, stop_);
      parts = {};  // the target waits for its runs, the store lets the sweep go
      serving.reset();
      sweep_->release();
      const std::lock_guard lock(mutex_);
      result_ = std::move(result);
      done_.notify_all();
    });
  }

  // The interpreter lock is held: what ends now may need it.
  ~Engine() {
    if (process_ != ::getpid()) {  // after a fork there is no such thread here
      thread_.detach();
      return;
    }
    Unlocked release;
    stop_.request();
    stop_.request();
    if (thread_.joinable()) thread_.join();
  }
  Engine(const Engine&) = delete;
  Engine& operator=(const Engine&) = delete;

  bool wait(double seconds) {
    check_process();
    Unlocked release;
    std::unique_lock lock(mutex_);
    return done_.wait_for(lock, std::chrono::duration<double>(seconds),
                          [&] { return result_.has_value(); });
  }

  /// Waits for nothing, so that a policy or a listener may call it, too.
  void stop() {
    if (process_ == ::getpid()) stop_.request();
  }

  nb::dict result() {
    check_process();
    const SweepSummary summary = value_or_raise([&] {
      const std::lock_guard lock(mutex_);
      if (!result_) raise("HdriveError", "the sweep is still running");
      return *result_;
    }());
    nb::dict told;
    told["status"] = std::string(to_string(summary.status));
    told["end"] = std::string(to_string(summary.end));
    told["reason"] = to_text_object(summary.reason);
    told["warnings"] = summary.warnings;
    return told;
  }

  nb::object exception() const { return fault_->exception(); }
  /// What keeps the sweep from storing or starting; empty: nothing.
  std::string trouble() const { return trouble_->text(); }
  /// What there is to tell of the server for MLflow; empty: nothing.
  const std::string& server_note() const { return server_note_; }

 private:
  void check_process() const {
    if (fault_->is_calling())
      raise("HdriveError",
            "a sampler, policy or listener cannot wait for its own sweep, which waits for it; it "
            "returns what it has to say");
    if (process_ != ::getpid())
      raise("HdriveError", "this sweep is run by process " + std::to_string(process_) +
                               ", of which this one is a fork; hdrive.load reads it here");
  }

  std::shared_ptr<KeptSweep> sweep_;
  std::shared_ptr<Fault> fault_;
  std::shared_ptr<Trouble> trouble_ = std::make_shared<Trouble>();
  std::string server_note_;
  pid_t process_;
  StopSignal stop_;
  std::mutex mutex_;
  std::condition_variable done_;
  std::optional<Result<SweepSummary>> result_;
  std::thread thread_;
};

std::shared_ptr<ComputeTarget> target_of(const SweepSpec& spec, const SweepParts& parts,
                                         nb::object objective, const std::string& command_path,
                                         const std::optional<std::string>& visible_gpus,
                                         const std::vector<std::filesystem::path>& files,
                                         const std::shared_ptr<SweepServer>& server) {
  if (!objective.is_none()) {
    if (!spec.targets.empty())
      raise(Error{"target",
                  "a Python function runs in its own process on this machine; run_command sends a "
                  "command to " +
                      spec.targets.front(),
                  Error::Kind::invalid});
    if (spec.distribution.type != DistributionType::none || spec.processes_per_node > 1 ||
        spec.nodes_per_run > 1)
      raise(Error{"distribution",
                  "a Python function is one process's; run_command starts several of a command",
                  Error::Kind::invalid});
    return make_in_process_target(make_python_objective(std::move(objective)), parts.clock);
  }
  LocalTargetOptions options;
  options.metric_patterns = spec.metric_patterns;
  options.tensorboard_metrics = spec.tensorboard_metrics;
  options.primary_metric = spec.primary_metric;
  options.command_path = command_path;
  if (server)
    options.environment = [server](const RunRequest& request) {
      return server->environment(request);
    };
  if (server && !(spec.server_advertise.empty() && spec.server_address.empty()))
    options.elsewhere = [server](const RunRequest& request) { return server->elsewhere(request); };
  return value_or_raise(
      target_for(spec, options, parts.directory, visible_gpus, files, parts.clock));
}

std::unique_ptr<Engine> start(std::shared_ptr<KeptSweep> sweep, nb::object objective,
                              nb::object sampler, nb::object policy, nb::list listeners,
                              const std::string& command_path,
                              std::optional<std::string> visible_gpus,
                              const std::optional<std::string>& tracking_uri,
                              const std::vector<std::string>& targets) {
  const auto fault = std::make_shared<Fault>();
  const CustomParts custom{std::move(sampler), std::move(policy), std::move(listeners)};
  return going_on(*sweep, custom, fault, [&](const SweepSpec& spec, SweepParts& parts) {
    parts.clock = make_steady_clock();
    StartedServer server;
    if (objective.is_none())
      server = value_or_raise(
          start_server_for(spec, parts.store->header().id, parts.directory, tracking_uri));
    parts.target = target_of(spec, parts, std::move(objective), command_path, visible_gpus,
                             {targets.begin(), targets.end()}, server.server);
    return std::make_unique<Engine>(sweep, spec, std::move(parts), fault, std::move(server));
  });
}

}  // namespace

void bind_sweep(nb::module_& module) {
  nb::class_<Engine>(module, "Engine", "An engine at work on a sweep.")
      .def("wait", &Engine::wait, "Whether it is done, after so many seconds at most.")
      .def("stop", &Engine::stop)
      .def("result", &Engine::result)
      .def_prop_ro("server_note", [](const Engine& it) { return to_text_object(it.server_note()); })
      .def_prop_ro("trouble", [](const Engine& it) { return to_text_object(it.trouble()); })
      .def_prop_ro("exception", &Engine::exception);
  using Handle = RunHandle;
  nb::class_<Handle>(module, "RunHandle", "What an objective sees of its run.")
      .def_prop_ro("number", &Handle::run)
      .def_prop_ro("attempt", &Handle::attempt)
      .def_prop_ro("slot", &Handle::slot)
      .def_prop_ro("directory", &Handle::directory)
      .def_prop_ro("resume_from", &Handle::resume_from)
      .def_prop_ro("params", [](const Handle& it) { return to_python(it.parameters()); })
      .def(
          "report",
          [](Handle& it, const std::string& name, nb::object value, nb::object step) {
            const double number = to_number(value);
            const auto at = step.is_none() ? std::optional<std::int64_t>() : to_integer(step);
            Unlocked release;
            return it.report(name, number, at);
          },
          nb::arg("name"), nb::arg("value").none(), nb::arg("step").none())
      .def(
          "await_verdict", [](Handle& it) { return it.await_verdict(); },
          nb::call_guard<Unlocked>())
      .def_prop_ro("stop_requested", [](Handle& it) {
        Unlocked release;
        return it.stop_requested();
      });
  module.def("start", start, nb::arg("sweep"), nb::arg("objective").none(),
             nb::arg("sampler").none(), nb::arg("policy").none(), nb::arg("listeners"),
             nb::arg("command_path"), nb::arg("visible_gpus").none(),
             nb::arg("tracking_uri").none(), nb::arg("targets_files"));
  module.def("own_tracking_uri", own_tracking_uri, nb::arg("exported_uri").none(),
             nb::arg("run_id").none());
}

}  // namespace hdrive::python
