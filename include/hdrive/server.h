// SPDX-License-Identifier: Apache-2.0
//
// The server of a sweep: an HTTP server inside the engine's process, by which scripts that log with
// MLflow log into the sweep (docs/mlflow.md). Used by whoever runs a sweep of programs; any thread.
#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "hdrive/result.h"
#include "hdrive/spec.h"
#include "hdrive/target.h"

namespace hdrive {

/// A server at work; destroying it ends it. Metrics that arrive are lines of the run's
/// metrics.jsonl, from which the engine takes them as it takes all others.
class SweepServer {
 public:
  virtual ~SweepServer() = default;

  /// By which this machine reaches it: "http://127.0.0.1:23456".
  virtual const std::string& url() const = 0;
  /// What its clients have to show: "Authorization: Bearer TOKEN". Others get status 401.
  virtual const std::string& token() const = 0;
  /// What a run finds in its environment: MLFLOW_TRACKING_URI, MLFLOW_RUN_ID, ...; for
  /// LocalTargetOptions::environment. Nothing where MLflow is not to log here.
  virtual std::vector<std::pair<std::string, std::string>> environment(
      const RunRequest& request) const = 0;
  /// The same for one on another machine; for LocalTargetOptions::elsewhere. Nothing: it is not
  /// reached from there.
  virtual std::optional<ServerAccess> elsewhere(const RunRequest& request) const = 0;
};

struct ServerOptions {
  std::filesystem::path directory;  ///< the sweep's; holds server.json, by which address and token
                                    ///< are the same for the next engine
  std::string sweep_id;
  std::string experiment;  ///< the name of the sweep's experiment for MLflow's clients
  /// "host", "host:port" or ":port". Empty: the loopback address, and a port that is free. A port
  /// that is given has to be free; without one, what was kept is taken again where it is free.
  std::string address;
  std::string advertise;                   ///< as SweepSpec::server_advertise
  std::filesystem::path certificate, key;  ///< as in SweepSpec
  bool mlflow = true;                      ///< whether runs are told of it for MLflow
};

/// A server and what there is to tell of it: that the address of an earlier engine is taken, so
/// that runs which are alive since then reach nobody. Empty: nothing.
struct StartedServer {
  std::shared_ptr<SweepServer> server;
  std::string note;
};
Result<StartedServer> start_server(const ServerOptions& options);

/// The server that a specification asks for (SweepSpec::mlflow, server_advertise), or none: where
/// the runs are no programs, and where their environment names a server of the user's own, which
/// the note says then. `exported_uri` is the caller's own MLFLOW_TRACKING_URI. With `automatic`, a
/// server that cannot be started is a note, too; an address that is given and cannot be had is an
/// Error.
Result<StartedServer> start_server_for(const SweepSpec& spec, const std::string& sweep_id,
                                       const std::filesystem::path& directory,
                                       const std::optional<std::string>& exported_uri);

/// Whether a server could be started as the specification says: an Error where an address is none,
/// or names a port that somebody has, where certificate and key cannot be used, or where what runs
/// on other machines send would go through the network unprotected and nothing says that it may.
/// For a front end, before it makes the sweep.
Result<void> check_server_address(const SweepSpec& spec);

/// The caller's own MLFLOW_TRACKING_URI, unless a run of hdrive is what calls, and it is that run's
/// (`run_id` is the caller's HDRIVE_RUN_ID).
std::optional<std::string> own_tracking_uri(const std::optional<std::string>& exported_uri,
                                            const std::optional<std::string>& run_id);

}  // namespace hdrive
