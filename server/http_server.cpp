// SPDX-License-Identifier: Apache-2.0
//
// On Boost.Beast and Boost.Asio, which this file, http_session.h and http_wire.h alone include: Beast reads requests (heads, chunked
// bodies, limits) and Asio waits; answers are three lines and are written by hand. Boost is a dependency already, both
// are well kept and asynchronous, and TLS is OpenSSL's behind the same streams (asio::ssl). Sockets are made here and
// not by Asio, which lets programs inherit them: a run would hold the address after its engine died.
#include "server/http_server.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <cerrno>
#include <list>
#include <thread>
#include <utility>

#include "base/file.h"
#include "server/certificate.h"
#include "server/http_session.h"

namespace hdrive::server {
namespace {

constexpr std::chrono::milliseconds kAcceptPause{100};

// In the system's words, which OpenSSL's errors do not have.
std::optional<std::string> why_unreadable(const std::filesystem::path& file) {
  std::error_code error;
  const auto real = std::filesystem::canonical(file, error);  // links are usual among certificates
  if (error) return error.message();
  const auto text = base::read_file(real);
  return text ? std::nullopt : std::optional(text.error().what);
}

}  // namespace

struct TlsContext {
  asio::ssl::context context{asio::ssl::context::tls_server};
};

Result<std::shared_ptr<TlsContext>> make_tls(const std::filesystem::path& certificate,
                                             const std::filesystem::path& key,
                                             const std::string& host) {
  auto tls = std::make_shared<TlsContext>();
  error_code error;
  tls->context.set_options(asio::ssl::context::default_workarounds | asio::ssl::context::no_tlsv1 |
                               asio::ssl::context::no_tlsv1_1,
                           error);
  // OpenSSL would ask for one at the terminal, which an engine may not have.
  if (!error)
    tls->context.set_password_callback(
        [](std::size_t, asio::ssl::context::password_purpose) { return std::string(); }, error);
  const std::string certificate_name = certificate.string(), key_name = key.string();
  if (const auto why = why_unreadable(certificate))
    return Error{"server_certificate", certificate_name + " is no certificate in PEM form: " + *why,
                 Error::Kind::invalid};
  if (!error) tls->context.use_certificate_chain_file(certificate_name, error);
  if (error)
    return Error{"server_certificate",
                 certificate_name + " is no certificate in PEM form: " + error.message(),
                 Error::Kind::invalid};
  const std::string no_key = key_name + " is not the private key of " + certificate_name +
                             " in PEM form, without a passphrase: ";
  if (const auto why = why_unreadable(key))
    return Error{"server_key", no_key + *why, Error::Kind::invalid};
  tls->context.use_private_key_file(key_name, asio::ssl::context::pem, error);
  if (error) return Error{"server_key", no_key + error.message(), Error::Kind::invalid};
  if (const auto wrong =
          certificate_fault(SSL_CTX_get0_certificate(tls->context.native_handle()), host))
    return Error{"server_certificate", certificate_name + " " + *wrong, Error::Kind::invalid};
  return tls;
}

// ---- all of them --------------------------------------------------------------------------------

class HttpServer::Loop {
 public:
  Loop(std::shared_ptr<Handler> handler, const HttpLimits& limits)
      : handler_(std::move(handler)), limits_(limits) {
    exchange_->context = &context_;
  }
  ~Loop() {
    {
      const std::lock_guard lock(exchange_->mutex);
      exchange_->context = nullptr;
    }
    context_.stop();
    if (thread_.joinable()) thread_.join();
    ending_ = true;  // no session that ends from here on is followed by another
    exchange_->waiting.clear();
  }
  void finish(std::chrono::seconds most) {
    asio::post(context_, [this, most] {
      error_code ignored;
      for (Door& door : doors_) door.acceptor.close(ignored);
      if (exchange_->answering == 0) return context_.stop();
      exchange_->idle = [this] { context_.stop(); };
      end_.expires_after(most);
      end_.async_wait([this](error_code error) {
        if (!error) context_.stop();
      });
    });
    thread_.join();
    exchange_->idle = nullptr;
  }
  Loop(const Loop&) = delete;
  Loop& operator=(const Loop&) = delete;

  Result<void> start(std::vector<HttpListener> listeners) {
    for (HttpListener& listener : listeners)
      if (auto added = add(listener); !added) return added;
    for (Door& door : doors_) accept_when_ready(door);
    thread_ = std::thread([this] { context_.run(); });
    return {};
  }

 private:
  struct Door {
    explicit Door(asio::io_context& context) : acceptor(context), timer(context) {}
    tcp::acceptor acceptor;
    asio::steady_timer timer;
    tcp protocol = tcp::v4();
    std::shared_ptr<TlsContext> tls;  // null: without
    bool waits = false;               // for a session to end
  };

  Result<void> add(const HttpListener& listener) {
    error_code error;
    sockaddr_storage address{};
    socklen_t length = sizeof address;
    ::getsockname(listener.socket.get(), reinterpret_cast<sockaddr*>(&address), &length);
    Door& door = doors_.emplace_back(context_);
    door.protocol = address.ss_family == AF_INET6 ? tcp::v6() : tcp::v4();
    door.tls = listener.tls;
    // Asio closes what it is given.
    const int own = ::fcntl(listener.socket.get(), F_DUPFD_CLOEXEC, 0);
    if (own < 0) return base::system_error("", "listen", errno);
    door.acceptor.assign(door.protocol, own, error);
    if (error) return Error{"", "cannot listen: " + error.message()};
    door.acceptor.non_blocking(true, error);
    return {};
  }

  void accept_when_ready(Door& door) {
    if (sessions_ >= limits_.connections) {
      door.waits = true;  // a session that ends goes on
      return;
    }
    door.acceptor.async_wait(tcp::acceptor::wait_read, [this, &door](error_code error) {
      if (!error) accept(door);
    });
  }

  void accept(Door& door) {
    const int fd =
        ::accept4(door.acceptor.native_handle(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK);
    // Without descriptors the connection stays ready: asking again at once would ask for ever.
    if (fd < 0 && errno != EAGAIN && errno != EINTR && errno != ECONNABORTED) return pause(door);
    if (fd >= 0) begin(door, fd);
    accept_when_ready(door);
  }

  void pause(Door& door) {
    door.timer.expires_after(kAcceptPause);
    door.timer.async_wait([this, &door](error_code error) {
      if (!error) accept_when_ready(door);
    });
  }

  void begin(const Door& door, int fd) {
    error_code error;
    tcp::socket socket(context_);
    socket.assign(door.protocol, fd, error);
    if (error) {
      ::close(fd);
      return;
    }
    socket.set_option(tcp::no_delay(true), error);
    if (door.tls)
      begin(TlsStream(std::move(socket), door.tls->context));
    else
      begin(PlainStream(std::move(socket)));
  }

  template <class Stream>
  void begin(Stream stream) {
    ++sessions_;
    std::make_shared<Session<Stream>>(std::move(stream), handler_, limits_, exchange_, [this] {
      --sessions_;
      if (ending_) return;
      for (Door& door : doors_)
        if (std::exchange(door.waits, false))
          asio::post(context_, [this, &door] { accept_when_ready(door); });
    })->begin_session();
  }

  const std::shared_ptr<Handler> handler_;
  const HttpLimits limits_;
  const std::shared_ptr<Exchange> exchange_ = std::make_shared<Exchange>();
  // Before what belongs to it, and so destroyed after; its sessions end with it and count themselves out.
  std::size_t sessions_ = 0;
  bool ending_ = false;
  asio::io_context context_{1};
  asio::steady_timer end_{context_};
  std::list<Door> doors_;
  std::thread thread_;
};

HttpServer::HttpServer(std::unique_ptr<Loop> loop) : loop_(std::move(loop)) {}
HttpServer::~HttpServer() = default;
void HttpServer::finish(std::chrono::seconds most) { loop_->finish(most); }

Result<std::unique_ptr<HttpServer>> HttpServer::start(std::vector<HttpListener> listeners,
                                                      std::shared_ptr<Handler> handler,
                                                      const HttpLimits& limits) {
  auto loop = std::make_unique<Loop>(std::move(handler), limits);
  if (auto started = loop->start(std::move(listeners)); !started) return started.error();
  return std::unique_ptr<HttpServer>(new HttpServer(std::move(loop)));
}

Result<std::unique_ptr<HttpServer>> HttpServer::start(base::UniqueFd listener,
                                                      std::shared_ptr<Handler> handler,
                                                      const HttpLimits& limits) {
  std::vector<HttpListener> listeners(1);
  listeners[0].socket = std::move(listener);
  return start(std::move(listeners), std::move(handler), limits);
}

}  // namespace hdrive::server
