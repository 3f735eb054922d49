// SPDX-License-Identifier: Apache-2.0
#include "tests/conformance/local_kinds.h"

#include <stdlib.h>

#include <map>

namespace hdrive::conformance {

std::vector<std::string> program(Behaviour behaviour) {
  static const std::map<Behaviour, std::string> scripts = {
      {Behaviour::succeed, "for i in 1 2 3; do log $i; done"},
      {Behaviour::fail, "log 1; echo broken >&2; exit 1"},
      {Behaviour::linger, "log 1; exec sleep 1000"},
      {Behaviour::silent, "exit 0"}};
  if (behaviour == Behaviour::not_there) return {"./no_such_program"};
  return {"/bin/sh", "-c",
          "log() { echo '{\"name\": \"accuracy\", \"value\": '$1', \"step\": '$1'}' "
          ">> \"$HDRIVE_METRICS_FILE\"; }; " +
              scripts.at(behaviour)};
}

LocalFixture::LocalFixture() {
  std::string name = (std::filesystem::temp_directory_path() / "hdrive_target_XXXXXX").string();
  directory_ = ::mkdtemp(name.data());
  target_ = *make_local_target({}, clock_);
}

LocalFixture::~LocalFixture() {
  target_.reset();
  // A run that was left alone may be at work there.
  std::error_code error;
  do std::filesystem::remove_all(directory_, error);
  while (error == std::errc::no_such_file_or_directory || error == std::errc::directory_not_empty);
}

std::vector<Kind> local_kinds() { return {kind<LocalFixture>("local")}; }

}  // namespace hdrive::conformance
