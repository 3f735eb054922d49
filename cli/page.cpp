// SPDX-License-Identifier: Apache-2.0
#include "cli/page.h"

#include <fmt/format.h>

#include <utility>

#include "cli/command.h"
#include "cli/lookup.h"
#include "cli/own_program.h"
#include "cli/targets.h"
#include "cli/terminal.h"

namespace hdrive::cli {

PortalOptions page_options(const std::filesystem::path& home, const std::string& output_dir) {
  PortalOptions options;
  options.home = std::filesystem::absolute(home);
  options.home_hint = home_hint(output_dir);
  options.targets_files = targets_files_here();
  options.command = [home = options.home](const PortalCommand& command) {
    return run_verb(command, {{"HDRIVE_HOME", home.string()}});
  };
  return options;
}

std::unique_ptr<Portal> serve_page_beside(const std::filesystem::path& sweep_directory,
                                          const std::string& sweep_id,
                                          const std::string& output_dir) {
  PortalOptions options = page_options(sweep_directory.parent_path(), output_dir);
  options.ends_with = sweep_id;
  auto page = start_portal(options);
  if (!page) {
    complain("warning: there is no page: " + page.error().message());
    return nullptr;
  }
  tell(fmt::format("page: {}\n", (*page)->url_of(sweep_id)));
  return *std::move(page);
}

void no_page_when_detached(bool ui, bool detach) {
  if (ui && detach)
    fail(kWrong,
         "--ui is served as long as a sweep runs in the foreground; of a detached one hdrive ui "
         "shows the page");
}

}  // namespace hdrive::cli
