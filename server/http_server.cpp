// SPDX-License-Identifier: Apache-2.0
//
// On Boost.Beast and Boost.Asio, which this file alone includes: Beast reads requests (heads, chunked bodies, limits)
// and Asio waits; answers are three lines and are written by hand. Boost is a dependency already, both are well kept
// and asynchronous, and asio::ssl can stand in the stream's place. Sockets are made here and not by Asio, which lets
// programs inherit them: a run would hold the address after its engine died.
#include "server/http_server.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/http/buffer_body.hpp>
#include <boost/beast/http/empty_body.hpp>
#include <boost/beast/http/error.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/status.hpp>
#include <boost/beast/http/string_body.hpp>
#include <cerrno>
#include <deque>
#include <exception>
#include <functional>
#include <limits>
#include <mutex>
#include <optional>
#include <set>
#include <thread>
#include <utility>

namespace hdrive::server {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;
using asio::ip::tcp;
using beast::error_code;

constexpr std::size_t kPiece = 256 << 10;
// Of a body nobody wants so much is read, so that the answer is heard: a connection closed with unread bytes is reset.
constexpr std::size_t kDrained = 64 << 20;
constexpr std::chrono::seconds kDrainTime{10};
constexpr std::chrono::milliseconds kAcceptPause{100};

// `length`: nothing for an answer that ends with its connection.
std::string head_of(const Response& response, std::optional<std::uint64_t> length,
                    bool keep_alive) {
  const auto status = static_cast<http::status>(response.status);
  const beast::string_view reason = http::obsolete_reason(status);
  std::string head = "HTTP/1.1 " + std::to_string(response.status) + " ";
  head.append(reason.data(), reason.size());
  head += "\r\nServer: hdrive\r\nContent-Type: " + response.type + "\r\n";
  if (length) head += "Content-Length: " + std::to_string(*length) + "\r\n";
  head += response.headers;
  head += keep_alive ? "Connection: keep-alive\r\n\r\n" : "Connection: close\r\n\r\n";
  return head;
}

template <class Fields, class Name>
std::string header_of(const Fields& fields, Name name) {
  const auto found = fields.find(name);
  return found == fields.end() ? std::string() : std::string(found->value());
}

template <class Fields>
Request request_of(const http::request_header<Fields>& head) {
  Request request;
  const auto method = head.method_string();
  request.method = std::string(head.method() == http::verb::head ? "GET" : method);
  const auto target = head.target();
  const std::size_t mark = std::min(target.find('?'), target.size());
  request.path = std::string(target.substr(0, mark));
  if (mark < target.size()) request.query = std::string(target.substr(mark + 1));
  request.authorization = header_of(head, http::field::authorization);
  request.host = header_of(head, http::field::host);
  request.origin = header_of(head, http::field::origin);
  request.cookie = header_of(head, http::field::cookie);
  request.accept_encoding = header_of(head, http::field::accept_encoding);
  request.if_none_match = header_of(head, http::field::if_none_match);
  request.content_type = header_of(head, http::field::content_type);
  request.last_event_id = header_of(head, "Last-Event-ID");
  request.intent = header_of(head, "X-Hdrive");
  return request;
}

}  // namespace

// ---- one connection -----------------------------------------------------------------------------

namespace {

class Session;

// What the threads that answer later share with the server's own: the context, as long as there is one, and the sessions
// that wait for such an answer, which nothing else keeps alive.
struct Exchange {
  std::mutex mutex;
  asio::io_context* context = nullptr;         // under the mutex; null: the server is at its end
  std::set<std::shared_ptr<Session>> waiting;  // of the server's thread

  template <class Function>
  void post(Function function) {
    const std::lock_guard lock(mutex);
    if (context) asio::post(*context, std::move(function));
  }
};

class Session final : public std::enable_shared_from_this<Session> {
 public:
  Session(tcp::socket socket, std::shared_ptr<Handler> handler, const HttpLimits& limits,
          std::shared_ptr<Exchange> exchange, std::function<void()> closed)
      : stream_(std::move(socket)),
        buffer_(limits.head + kPiece),
        handler_(std::move(handler)),
        limits_(limits),
        exchange_(std::move(exchange)),
        closed_(std::move(closed)) {}
  ~Session() { closed_(); }
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  void read_head() {
    head_.emplace();
    head_->header_limit(static_cast<std::uint32_t>(limits_.head));
    // What becomes of the body decides how long it may be; boost::none would refuse every one (1.74).
    head_->body_limit(std::numeric_limits<std::uint64_t>::max());
    upload_.reset();
    // A head that has begun has less time than one that is waited for.
    if (buffer_.size() > 0) return read_rest_of_head();
    stream_.expires_after(limits_.idle);
    stream_.async_read_some(buffer_.prepare(4096),
                            [self = shared_from_this()](error_code error, std::size_t size) {
                              if (error) return;
                              self->buffer_.commit(size);
                              self->read_rest_of_head();
                            });
  }

 private:
  // What has come is mostly all of it: then nothing needs to be waited for.
  void read_rest_of_head() {
    error_code error;
    buffer_.consume(head_->put(buffer_.data(), error));
    if (error != http::error::need_more) return take_head(error);
    stream_.expires_after(limits_.request);
    http::async_read_header(
        stream_, buffer_, *head_,
        [self = shared_from_this()](error_code result, std::size_t) { self->take_head(result); });
  }

  void take_head(error_code error) {
    if (error == beast::error::timeout) return refuse(408, "the request took too long to arrive");
    if (error == http::error::header_limit || error == http::error::buffer_overflow)
      return refuse(431, "the head of the request is too large");
    if (error == http::error::end_of_stream || (error && error.category() != http_category()))
      return;
    if (error) return refuse(400, "this is no HTTP request: " + error.message());
    begin();
  }

  // Errors of reading HTTP, as opposed to those of the connection.
  static const boost::system::error_category& http_category() {
    static const error_code one = http::error::bad_method;
    return one.category();
  }

  void begin() {
    const auto& head = head_->get();
    is_head_ = head.method() == http::verb::head;
    keep_alive_ = head.keep_alive();
    request_ = request_of(head);
    const bool waits = beast::iequals(header_of(head, http::field::expect), "100-continue");
    Intake intake = guarded([&] { return handler_->begin(request_); });
    if (auto* response = std::get_if<Response>(&intake)) {
      // Without a body, or with one that is there already, the connection can go on.
      if (!has_body()) return answer(std::move(*response));
      return answer_and_close(std::move(*response));
    }
    if (auto* upload = std::get_if<std::unique_ptr<Upload>>(&intake)) upload_ = std::move(*upload);
    const auto length = head_->content_length();
    if (!upload_ && length && *length > limits_.body)
      return refuse(413, "the body of the request is larger than " +
                             std::to_string(limits_.body >> 20) + " MB");
    if (waits && has_body()) return tell_to_continue();
    read_body();
  }

  bool has_body() {
    const auto length = head_->content_length();
    return head_->chunked() || (length && *length > 0);
  }

  Intake guarded(const std::function<Intake()>& call) {
    try {
      return call();
    } catch (const std::exception& exception) {
      return handler_->refuse(500, exception.what());
    }
  }

  void tell_to_continue() {
    static constexpr std::string_view kContinue = "HTTP/1.1 100 Continue\r\n\r\n";
    stream_.expires_after(limits_.request);
    asio::async_write(stream_, asio::buffer(kContinue.data(), kContinue.size()),
                      [self = shared_from_this()](error_code error, std::size_t) {
                        if (!error) self->read_body();
                      });
  }

  void read_body() {
    if (upload_) {
      pieces_.emplace(std::move(*head_));
      piece_.resize(kPiece);
      return read_piece();
    }
    whole_.emplace(std::move(*head_));
    whole_->body_limit(limits_.body);
    whole_->eager(true);
    if (whole_->is_done()) return take_body({});
    error_code already;
    buffer_.consume(whole_->put(buffer_.data(), already));
    if (whole_->is_done() || (already && already != http::error::need_more))
      return take_body(already);
    stream_.expires_after(limits_.request);
    http::async_read(
        stream_, buffer_, *whole_,
        [self = shared_from_this()](error_code error, std::size_t) { self->take_body(error); });
  }

  void take_body(error_code error) {
    if (error == beast::error::timeout) return refuse(408, "the body took too long to arrive");
    if (error == http::error::body_limit)
      return refuse(413, "the body of the request is too large");
    if (error && error.category() != http_category()) return;
    if (error == http::error::partial_message) return;
    if (error) return refuse(400, "this is no HTTP request: " + error.message());
    request_.body = std::move(whole_->get().body());
    try {
      answer(handler_->handle(request_));
    } catch (const std::exception& exception) {
      answer(handler_->refuse(500, exception.what()));
    }
  }

  void read_piece() {
    auto& body = pieces_->get().body();
    body.data = piece_.data();
    body.size = piece_.size();
    stream_.expires_after(limits_.request);
    http::async_read(
        stream_, buffer_, *pieces_,
        [self = shared_from_this()](error_code error, std::size_t) { self->take_piece(error); });
  }

  void take_piece(error_code error) {
    if (error == http::error::need_buffer) error = {};
    if (error == beast::error::timeout) return refuse(408, "the upload stopped arriving");
    if (error && (error.category() != http_category() || error == http::error::partial_message))
      return;
    if (error) return refuse(400, "this is no HTTP request: " + error.message());
    const std::size_t size = piece_.size() - pieces_->get().body().size;
    if (auto taken = upload_->write({piece_.data(), size}); !taken)
      return answer_and_close(upload_->failed(taken.error()));
    if (!pieces_->is_done()) return read_piece();
    Response response = upload_->finish();
    upload_.reset();
    answer(std::move(response));
  }

  // ---- answering --------------------------------------------------------------------------------

  void refuse(int status, std::string why) { answer_and_close(handler_->refuse(status, why)); }

  void answer_and_close(Response response) {
    keep_alive_ = false;
    drain_ = true;
    upload_.reset();
    answer(std::move(response));
  }

  void answer(Response response) {
    if (response.later) return answer_later(response.later);
    response_ = std::move(response);
    left_ = response_.file.file ? response_.file.size : 0;
    out_ = head_of(response_, response_.file.file ? left_ : response_.body.size(), keep_alive_);
    if (is_head_) {
      response_.body.clear();
      left_ = 0;
    }
    const std::array<asio::const_buffer, 2> both = {asio::buffer(out_),
                                                    asio::buffer(response_.body)};
    stream_.expires_after(limits_.request);
    asio::async_write(stream_, both, [self = shared_from_this()](error_code error, std::size_t) {
      if (!error) self->send_file();
    });
  }

  // ---- answering later --------------------------------------------------------------------------

  class LaterReply final : public Reply {
   public:
    LaterReply(std::shared_ptr<Exchange> exchange, std::weak_ptr<Session> session)
        : exchange_(std::move(exchange)), session_(std::move(session)) {}
    ~LaterReply() override {
      tell([](Session& session) { session.later_is_dropped(); });
    }
    void answer(Response response) override {
      tell([response = std::make_shared<Response>(std::move(response))](Session& session) {
        session.end_waiting();
        session.answer(std::move(*response));
      });
    }
    void begin(Response head) override {
      tell([head = std::make_shared<Response>(std::move(head))](Session& session) {
        session.begin_stream(std::move(*head));
      });
    }
    void send(std::string piece) override {
      *unsent_ += piece.size();
      tell([piece = std::move(piece), unsent = unsent_](Session& session) mutable {
        session.queue(std::move(piece), unsent);
      });
    }
    std::optional<std::size_t> unsent() const override {
      if (session_.expired()) return std::nullopt;
      return unsent_->load();
    }

   private:
    template <class Function>
    void tell(Function function) {
      exchange_->post([session = session_, function = std::move(function)]() mutable {
        if (const auto alive = session.lock()) function(*alive);
      });
    }

    const std::shared_ptr<Exchange> exchange_;
    const std::weak_ptr<Session> session_;
    const std::shared_ptr<std::atomic<std::size_t>> unsent_ =
        std::make_shared<std::atomic<std::size_t>>(0);
  };

  void answer_later(const std::function<void(std::shared_ptr<Reply>)>& later) {
    stream_.expires_never();
    exchange_->waiting.insert(shared_from_this());
    streams_ = false;
    later(std::make_shared<LaterReply>(exchange_, weak_from_this()));
  }

  void end_waiting() { exchange_->waiting.erase(shared_from_this()); }

  // Nobody can answer any more. After an answer this finds a session that waits for nothing.
  void later_is_dropped() {
    if (exchange_->waiting.count(shared_from_this())) hang_up();
  }

  void hang_up() {
    error_code ignored;
    stream_.socket().close(ignored);
    end_waiting();
  }

  void begin_stream(Response head) {
    streams_ = true;
    queue(head_of(head, std::nullopt, false), nullptr);
    listen_for_end();
  }

  // A client of a stream says nothing; that it is gone is heard by reading alone.
  void listen_for_end() {
    piece_.resize(256);
    stream_.socket().async_read_some(asio::buffer(piece_),
                                     [self = shared_from_this()](error_code error, std::size_t) {
                                       if (error)
                                         self->hang_up();
                                       else
                                         self->listen_for_end();
                                     });
  }

  void queue(std::string piece, std::shared_ptr<std::atomic<std::size_t>> unsent) {
    if (!streams_) return;
    pieces_to_send_.emplace_back(std::move(piece), std::move(unsent));
    if (pieces_to_send_.size() == 1) send_next();
  }

  void send_next() {
    const auto& piece = pieces_to_send_.front().first;
    stream_.expires_after(limits_.request);
    asio::async_write(stream_, asio::buffer(piece),
                      [self = shared_from_this()](error_code error, std::size_t) {
                        const auto sent = std::move(self->pieces_to_send_.front());
                        self->pieces_to_send_.pop_front();
                        if (sent.second) *sent.second -= sent.first.size();
                        if (error) return self->hang_up();
                        if (!self->pieces_to_send_.empty()) return self->send_next();
                        self->stream_.expires_never();
                      });
  }

  void send_file() {
    if (left_ == 0) return done();
    piece_.resize(kPiece);
    const auto wanted = static_cast<std::size_t>(std::min<std::uint64_t>(left_, kPiece));
    const ssize_t count = ::read(response_.file.file.get(), piece_.data(), wanted);
    if (count <= 0) return;  // it got shorter: closing tells the client that something is missing
    left_ -= static_cast<std::uint64_t>(count);
    stream_.expires_after(limits_.request);
    asio::async_write(stream_, asio::buffer(piece_.data(), static_cast<std::size_t>(count)),
                      [self = shared_from_this()](error_code error, std::size_t) {
                        if (!error) self->send_file();
                      });
  }

  void done() {
    response_ = {};
    request_ = {};
    piece_ = {};
    if (keep_alive_) return read_head();
    error_code ignored;
    stream_.socket().shutdown(tcp::socket::shutdown_send, ignored);
    if (!drain_) return;
    piece_.resize(kPiece);
    stream_.expires_after(kDrainTime);
    drain(kDrained);
  }

  void drain(std::size_t most) {
    stream_.async_read_some(asio::buffer(piece_),
                            [self = shared_from_this(), most](error_code error, std::size_t size) {
                              if (!error && size < most) self->drain(most - size);
                            });
  }

  beast::tcp_stream stream_;
  beast::flat_buffer buffer_;
  const std::shared_ptr<Handler> handler_;
  const HttpLimits limits_;
  const std::shared_ptr<Exchange> exchange_;
  const std::function<void()> closed_;
  // The same parser in three forms: until the head is there nobody knows what becomes of the body.
  std::optional<http::request_parser<http::empty_body>> head_;
  std::optional<http::request_parser<http::string_body>> whole_;
  std::optional<http::request_parser<http::buffer_body>> pieces_;
  std::unique_ptr<Upload> upload_;
  Request request_;
  Response response_;
  std::string out_;    // the head of the answer
  std::string piece_;  // of an upload or a file
  std::uint64_t left_ = 0;
  bool is_head_ = false, keep_alive_ = false, drain_ = false;
  // Of an answer without an end: what is yet to be sent, and whose count it belongs to.
  std::deque<std::pair<std::string, std::shared_ptr<std::atomic<std::size_t>>>> pieces_to_send_;
  bool streams_ = false;
};

}  // namespace

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
    full_ = false;  // no session that ends from here on is followed by another
    exchange_->waiting.clear();
  }
  Loop(const Loop&) = delete;
  Loop& operator=(const Loop&) = delete;

  Result<void> start(base::UniqueFd listener) {
    error_code error;
    sockaddr_storage address{};
    socklen_t length = sizeof address;
    ::getsockname(listener.get(), reinterpret_cast<sockaddr*>(&address), &length);
    const tcp protocol = address.ss_family == AF_INET6 ? tcp::v6() : tcp::v4();
    protocol_ = protocol;
    // Asio closes what it is given.
    const int own = ::fcntl(listener.get(), F_DUPFD_CLOEXEC, 0);
    if (own < 0) return base::system_error("", "listen", errno);
    acceptor_.assign(protocol, own, error);
    if (error) return Error{"", "cannot listen: " + error.message()};
    acceptor_.non_blocking(true, error);
    accept_when_ready();
    thread_ = std::thread([this] { context_.run(); });
    return {};
  }

 private:
  void accept_when_ready() {
    if (sessions_ >= limits_.connections) {
      full_ = true;  // a session that ends goes on
      return;
    }
    acceptor_.async_wait(tcp::acceptor::wait_read, [this](error_code error) {
      if (!error) accept();
    });
  }

  void accept() {
    const int fd =
        ::accept4(acceptor_.native_handle(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK);
    // Without descriptors the connection stays ready: asking again at once would ask for ever.
    if (fd < 0 && errno != EAGAIN && errno != EINTR && errno != ECONNABORTED) return pause();
    if (fd >= 0) begin(fd);
    accept_when_ready();
  }

  void pause() {
    timer_.expires_after(kAcceptPause);
    timer_.async_wait([this](error_code error) {
      if (!error) accept_when_ready();
    });
  }

  void begin(int fd) {
    error_code error;
    tcp::socket socket(context_);
    socket.assign(protocol_, fd, error);
    if (error) {
      ::close(fd);
      return;
    }
    socket.set_option(tcp::no_delay(true), error);
    ++sessions_;
    std::make_shared<Session>(std::move(socket), handler_, limits_, exchange_, [this] {
      --sessions_;
      if (std::exchange(full_, false)) asio::post(context_, [this] { accept_when_ready(); });
    })->read_head();
  }

  const std::shared_ptr<Handler> handler_;
  const HttpLimits limits_;
  const std::shared_ptr<Exchange> exchange_ = std::make_shared<Exchange>();
  // Before what belongs to it, and so destroyed after; its sessions end with it and count themselves out.
  std::size_t sessions_ = 0;
  bool full_ = false;
  asio::io_context context_{1};
  tcp::acceptor acceptor_{context_};
  asio::steady_timer timer_{context_};
  tcp protocol_ = tcp::v4();
  std::thread thread_;
};

HttpServer::HttpServer(std::unique_ptr<Loop> loop) : loop_(std::move(loop)) {}
HttpServer::~HttpServer() = default;

Result<std::unique_ptr<HttpServer>> HttpServer::start(base::UniqueFd listener,
                                                      std::shared_ptr<Handler> handler,
                                                      const HttpLimits& limits) {
  auto loop = std::make_unique<Loop>(std::move(handler), limits);
  if (auto started = loop->start(std::move(listener)); !started) return started.error();
  return std::unique_ptr<HttpServer>(new HttpServer(std::move(loop)));
}

}  // namespace hdrive::server
