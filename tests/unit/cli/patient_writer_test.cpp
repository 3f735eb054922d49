// SPDX-License-Identifier: Apache-2.0
#include "cli/patient_writer.h"

#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include <string>
#include <thread>

#include "tests/catch.h"

using hdrive::cli::PatientWriter;

namespace {

struct Pipe {
  Pipe() { REQUIRE(::pipe(ends) == 0); }
  ~Pipe() {
    ::close(ends[0]);
    ::close(ends[1]);
  }
  // What it holds now.
  std::string take() {
    ::fcntl(ends[0], F_SETFL, O_NONBLOCK);
    std::string text, piece(65536, '\0');
    for (ssize_t size = 0; (size = ::read(ends[0], piece.data(), piece.size())) > 0;)
      text.append(piece, 0, static_cast<std::size_t>(size));
    return text;
  }
  int ends[2] = {-1, -1};
};

}  // namespace

TEST_CASE("What a reader takes is written at once, harmless for a terminal") {
  Pipe pipe;
  PatientWriter writer(pipe.ends[1]);
  writer.add("run 0  \x1b[31m\n");
  CHECK(pipe.take() == "run 0  \\x1b[31m\n");
}

TEST_CASE("A reader who takes nothing holds up nobody, and gets all in its order later") {
  Pipe pipe;
  PatientWriter writer(pipe.ends[1]);
  std::string expected;
  for (int i = 0; i < 20'000; ++i) {  // more than a pipe holds
    const std::string line = "line " + std::to_string(i) + "\n";
    writer.add(line);
    expected += line;
  }
  std::string got = pipe.take();
  CHECK(got.size() < expected.size());
  writer.flush();
  got += pipe.take();
  ::fcntl(pipe.ends[0], F_SETFL, 0);
  std::thread reader([&] {
    std::string piece(65536, '\0');
    while (got.size() < expected.size()) {
      const ssize_t size = ::read(pipe.ends[0], piece.data(), piece.size());
      if (size <= 0) return;
      got.append(piece, 0, static_cast<std::size_t>(size));
    }
  });
  writer.finish();
  reader.join();
  CHECK(got == expected);
}

TEST_CASE("What nobody reads for megabytes is left out and counted") {
  Pipe pipe;
  PatientWriter writer(pipe.ends[1]);
  const std::string line = std::string(1 << 20, 'x') + "\n";
  for (int i = 0; i < 9; ++i) writer.add(line);
  std::string got;
  for (int i = 0; i < 200; ++i) {
    got += pipe.take();
    writer.flush();
  }
  writer.add("the next\n");
  got += pipe.take();
  CHECK(got.size() < 6 * line.size());
  CHECK_THAT(got, Catch::EndsWith("(4 lines left out, since nobody read them)\nthe next\n"));
}

TEST_CASE("A reader that went away ends nothing") {
  Pipe pipe;
  ::close(pipe.ends[0]);
  pipe.ends[0] = -1;
  const auto before = ::signal(SIGPIPE, SIG_IGN);
  PatientWriter writer(pipe.ends[1]);
  writer.add("nobody\n");
  writer.finish();
  ::signal(SIGPIPE, before);
  SUCCEED();
}
