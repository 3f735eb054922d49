// SPDX-License-Identifier: Apache-2.0
#include <fcntl.h>

#include "cli/command.h"

int main(int argc, char** argv) {
  // Else a file of ours would become what the standard streams read and write. Writing to a stream
  // that was closed still fails.
  for (const int stream : {0, 1, 2})
    if (fcntl(stream, F_GETFD) < 0 && open("/dev/null", O_RDONLY) != stream) return 1;
  return hdrive::cli::run_command(argc, argv);
}
