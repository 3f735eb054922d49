// SPDX-License-Identifier: Apache-2.0
//
// The portal: a page of all sweeps below a folder, and the HTTP API behind it (docs/portal-api.md),
// served by a process of its own. It reads what is stored, also while engines run; it makes none of
// them wait. What it changes it does by the command's own verbs.
#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "hdrive/result.h"

namespace hdrive {

/// A verb of the hdrive command that the page wants carried out.
struct PortalCommand {
  std::vector<std::string> arguments;  ///< "stop", "HD_..."
  std::string input;                   ///< for its standard input
  std::filesystem::path directory;     ///< where it is carried out; empty: anywhere
};
struct PortalAnswer {
  int exit_code = 0;
  std::string output, errors;  ///< what it printed
};

struct PortalOptions {
  std::filesystem::path home;  ///< the folder of the sweeps; need not be there yet
  /// Where to listen. Whoever gives anything but a loopback address lets other machines ask; they
  /// need the token.
  std::string host = "127.0.0.1";
  int port = 0;            ///< 0: the usual one, or where that is taken one that is free
  bool read_only = false;  ///< the page changes nothing
  std::string ends_with;   ///< id of the sweep that it is served beside, and ends with; empty: none
  std::string home_hint;   ///< what stands behind a command line that is shown
  std::vector<std::filesystem::path> targets_files;  ///< targets.h: targets_files
  /// Carries out a verb, and gives what it printed when it is done. Called by several threads at
  /// once. Null: the page changes nothing.
  std::function<PortalAnswer(const PortalCommand&)> command;
};

/// The portal at work; destroying it ends it.
class Portal {
 public:
  virtual ~Portal() = default;
  /// The first address of the page, with its token: "http://127.0.0.1:4747/?token=...".
  virtual std::string url() const = 0;
  /// The same, where the page begins with this sweep.
  virtual std::string url_of(std::string_view sweep_id) const = 0;
  /// Whether this build carries the page, and not only the API.
  virtual bool has_page() const = 0;
};

/// A stored sweep as one HTML file with its charts and data inside, which opens without a network.
/// Of runs it has all parameters and figures, curves thinned out, and the details of the best and
/// of those that failed, without their environment. Error::Kind::not_found: this build has no page.
Result<std::string> sweep_report(const std::filesystem::path& directory);

/// Error::Kind::busy: somebody else has the port that was asked for.
Result<std::unique_ptr<Portal>> start_portal(const PortalOptions& options);

}  // namespace hdrive
