// SPDX-License-Identifier: Apache-2.0
//
// frame_repeater MODE FILE COMMAND...: runs the command, which speaks as an ssh session with hdrive's agent does, and
// passes on what it prints, distorted:
//
//   twice  each message is said again at once
//   late   between the messages come those of the connection before, which FILE keeps
//   swap   the first connection says its fourth message behind its fifth
//
// The greeting, up to the line with which the agent begins to speak, stays as it is.
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

namespace {

constexpr std::size_t kHead = 20;  // length, connection, number (compute/remote/wire.h)

void say(const std::string& text) {
  for (std::size_t at = 0; at < text.size();) {
    const ssize_t count = ::write(STDOUT_FILENO, text.data() + at, text.size() - at);
    if (count <= 0) ::_exit(1);
    at += static_cast<std::size_t>(count);
  }
}

// Takes the first message out of the bytes; nothing: it is not all there.
std::string take_frame(std::string& bytes) {
  if (bytes.size() < kHead) return "";
  std::size_t length = 0;
  for (std::size_t i = 0; i < 4; ++i)
    length |= std::size_t{static_cast<unsigned char>(bytes[i])} << (8 * i);
  if (bytes.size() < kHead + length) return "";
  const std::string frame = bytes.substr(0, kHead + length);
  bytes.erase(0, kHead + length);
  return frame;
}

std::vector<std::string> frames_in(const std::filesystem::path& file) {
  std::ifstream in(file, std::ios::binary);
  std::string bytes{std::istreambuf_iterator<char>(in), {}};
  std::vector<std::string> frames;
  for (std::string frame = take_frame(bytes); !frame.empty(); frame = take_frame(bytes))
    frames.push_back(frame);
  return frames;
}

class Distorter {
 public:
  Distorter(std::string mode, const std::filesystem::path& file)
      : mode_(std::move(mode)),
        is_first_(!std::filesystem::exists(file)),
        before_(frames_in(file)) {
    kept_.open(file, std::ios::binary | std::ios::trunc);
  }
  void pass(const std::string& frame) {
    ++count_;
    kept_ << frame << std::flush;
    if (mode_ == "swap" && is_first_ && count_ == 4) {
      held_ = frame;
      return;
    }
    say(frame);
    if (mode_ == "twice") say(frame);
    if (mode_ == "late" && next_ < before_.size()) say(before_[next_++]);
    say(held_);
    held_.clear();
  }

 private:
  std::string mode_;
  bool is_first_;
  std::vector<std::string> before_;
  std::size_t next_ = 0;
  std::ofstream kept_;
  std::string held_;
  int count_ = 0;
};

}  // namespace

int main(int count, char** arguments) {
  int ends[2];
  if (count < 4 || ::pipe(ends) != 0) return 2;
  const pid_t child = ::fork();
  if (child == 0) {
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    ::dup2(ends[1], STDOUT_FILENO);
    ::close(ends[0]);
    ::close(ends[1]);
    ::execvp(arguments[3], arguments + 3);
    ::_exit(127);
  }
  ::close(ends[1]);
  Distorter distorter(arguments[1], arguments[2]);
  std::string bytes, buffer(1 << 16, '\0');
  bool begun = false;
  for (ssize_t size = 0; (size = ::read(ends[0], buffer.data(), buffer.size())) > 0;) {
    bytes.append(buffer, 0, static_cast<std::size_t>(size));
    for (auto end = bytes.find('\n'); !begun && end != bytes.npos; end = bytes.find('\n')) {
      const std::string line = bytes.substr(0, end + 1);
      bytes.erase(0, end + 1);
      begun = line.find("@hdrive begin") != line.npos;
      say(line);
    }
    if (!begun) continue;
    for (std::string frame = take_frame(bytes); !frame.empty(); frame = take_frame(bytes))
      distorter.pass(frame);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : 255;
}
