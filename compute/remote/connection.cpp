// SPDX-License-Identifier: Apache-2.0
#include "compute/remote/connection.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "base/process.h"
#include "compute/remote/agent_image.h"
#include "compute/remote/ssh_client.h"

namespace hdrive::compute::remote {
namespace {

// No more than this is made ahead of what the link takes.
constexpr std::size_t kAhead = 1 << 20;
constexpr std::size_t kMostPrinted = 16 << 10;
// What one look reads, so that one host does not keep the others waiting.
constexpr std::size_t kMostRead = 4 << 20;

}  // namespace

Connection::Connection(Way way, int epoll, std::uint64_t mark)
    : way_(std::move(way)), epoll_(epoll), mark_(mark) {}

// A socket and no pipes, since writing to a pipe that nobody reads would end this process.
Result<void> Connection::open(Time now) {
  close();
  number_ = std::max(number_ + 1, static_cast<std::uint64_t>(now.time_since_epoch().count()));
  frames_ = FrameReader(number_);
  writer_ = FrameWriter(number_);
  int ends[2], pipes[2];
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0)
    return base::system_error("", "make a socket", errno);
  const base::UniqueFd theirs(ends[1]);
  socket_.reset(ends[0]);
  if (::pipe2(pipes, O_CLOEXEC) != 0) return base::system_error("", "make a pipe", errno);
  const base::UniqueFd their_errors(pipes[1]);
  errors_.reset(pipes[0]);
  for (const base::UniqueFd* fd : {&socket_, &errors_})
    ::fcntl(fd->get(), F_SETFL, ::fcntl(fd->get(), F_GETFL) | O_NONBLOCK);
  base::Program program;
  program.words = way_.command(number_);
  if (way_.environment) program.environment = way_.environment();
  program.in = program.out = theirs.get();
  program.err = their_errors.get();
  program.group = way_.own_session ? base::Program::Group::own_session : base::Program::Group::same;
  const int error = base::start_program(program, pid_);
  if (error != 0) {
    pid_ = 0;
    close();
    if (error == ENOENT) return Error{"", way_.missing, Error::Kind::not_found};
    return base::system_error("", "start " + program.words.front(), error);
  }
  epoll_event event{};
  event.events = EPOLLIN;
  event.data.u64 = mark_;
  ::epoll_ctl(epoll_, EPOLL_CTL_ADD, socket_.get(), &event);
  ::epoll_ctl(epoll_, EPOLL_CTL_ADD, errors_.get(), &event);
  return {};
}

void Connection::close() {
  socket_.reset();
  errors_.reset();
  if (pid_ > 0) {
    ::kill(pid_, SIGKILL);
    while (::waitpid(pid_, nullptr, 0) < 0 && errno == EINTR) continue;
  }
  pid_ = 0;
  begun_ = watches_room_ = false;
  lines_.clear();
  printed_.clear();
  out_.clear();
  written_ = 0;
  later_.clear();
}

void Connection::send(const Message& message) {
  send_later([message] { return message; });
}

void Connection::send_first(Message message) {
  later_.emplace_front([message = std::move(message)] { return message; });
  watch_for_room(true);
}

void Connection::send_later(std::function<Message()> make) {
  later_.push_back(std::move(make));
  watch_for_room(true);
}

void Connection::watch_for_room(bool wanted) {
  if (wanted == watches_room_ || !socket_) return;
  watches_room_ = wanted;
  epoll_event event{};
  event.events = EPOLLIN;
  if (wanted) event.events |= EPOLLOUT;
  event.data.u64 = mark_;
  ::epoll_ctl(epoll_, EPOLL_CTL_MOD, socket_.get(), &event);
}

// False: nobody takes it any more.
bool Connection::write_some() {
  while (true) {
    while (begun_ && !later_.empty() && out_.size() - written_ < kAhead) {
      out_ += writer_.frame(later_.front()());
      later_.pop_front();
    }
    if (written_ == out_.size()) break;
    const ssize_t count =
        ::send(socket_.get(), out_.data() + written_, out_.size() - written_, MSG_NOSIGNAL);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0 && errno == EAGAIN) {
      watch_for_room(true);
      return true;
    }
    if (count < 0) return false;
    written_ += static_cast<std::size_t>(count);
    if (written_ < kAhead && written_ < out_.size()) continue;
    out_.erase(0, std::exchange(written_, 0));
  }
  out_.clear();
  written_ = 0;
  watch_for_room(false);
  return true;
}

Result<void> Connection::exchange(std::vector<Message>& arrived) {
  if (!write_some()) return broken();
  std::string buffer(std::size_t{64} << 10, '\0');
  while (true) {
    const ssize_t count = ::read(errors_.get(), buffer.data(), buffer.size());
    if (count <= 0) {
      if (count == 0) ::epoll_ctl(epoll_, EPOLL_CTL_DEL, errors_.get(), nullptr);
      break;
    }
    printed_.append(buffer, 0, static_cast<std::size_t>(count));
    if (printed_.size() > kMostPrinted) printed_.erase(0, printed_.size() - kMostPrinted);
  }
  for (std::size_t bytes = 0; bytes < kMostRead;) {
    const ssize_t count = ::read(socket_.get(), buffer.data(), buffer.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0 && errno == EAGAIN) break;
    if (count <= 0) return broken();
    bytes += static_cast<std::size_t>(count);
    if (auto taken = take({buffer.data(), static_cast<std::size_t>(count)}, arrived); !taken)
      return taken;
  }
  return write_some() ? Result<void>() : broken();
}

Result<void> Connection::take(std::string_view bytes, std::vector<Message>& arrived) {
  if (begun_) {
    frames_.add(bytes);
    return take_messages(arrived);
  }
  lines_ += bytes;
  for (auto end = lines_.find('\n'); end != lines_.npos; end = lines_.find('\n')) {
    const ShellLine line = meaning_of(std::string_view(lines_).substr(0, end));
    lines_.erase(0, end + 1);
    if (line.kind == ShellLine::Kind::refused) return Error{"", line.why, Error::Kind::not_allowed};
    if (line.kind == ShellLine::Kind::wanted) out_ += agent_image();
    if (line.kind != ShellLine::Kind::begins) continue;
    begun_ = true;
    frames_.add(std::exchange(lines_, {}));
    return take_messages(arrived);
  }
  if (lines_.size() > kMostPrinted) lines_.erase(0, lines_.size() - kMostPrinted);
  return {};
}

Result<void> Connection::take_messages(std::vector<Message>& arrived) {
  while (true) {
    auto message = frames_.next();
    if (!message) return message.error();
    if (!*message) return {};
    arrived.push_back(**std::move(message));
  }
}

// What it printed is read to its end, which comes soon: its other end is closed.
Error Connection::broken() {
  std::string buffer(std::size_t{4} << 10, '\0');
  ssize_t count = 0;
  while ((count = ::read(errors_.get(), buffer.data(), buffer.size())) > 0)
    printed_.append(buffer, 0, static_cast<std::size_t>(count));
  int status = 0;
  if (::waitpid(pid_, &status, WNOHANG) == pid_) pid_ = -1;
  const int code = pid_ < 0 && WIFEXITED(status) ? WEXITSTATUS(status) : 255;
  return {"", way_.explain(printed_, code), Error::Kind::not_found};
}

}  // namespace hdrive::compute::remote
