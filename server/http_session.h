// SPDX-License-Identifier: Apache-2.0
//
// One connection of the server, with TLS or without: requests are read one after the other and answered. For
// http_server.cpp alone, since Beast takes long to compile.
#pragma once

#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/buffer_body.hpp>
#include <boost/beast/http/empty_body.hpp>
#include <boost/beast/http/error.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/string_body.hpp>
#include <boost/beast/ssl/ssl_stream.hpp>
#include <deque>
#include <exception>
#include <functional>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>
#include <variant>

#include "server/http.h"
#include "server/http_server.h"
#include "server/http_wire.h"

namespace hdrive::server {

constexpr std::size_t kPiece = 256 << 10;
// Of a body nobody wants so much is read, twice what anybody wants, so that the answer is heard: a
// connection closed with unread bytes is reset.
constexpr std::size_t kDrained = 128 << 20;
constexpr std::chrono::seconds kDrainTime{10};

using PlainStream = beast::tcp_stream;
using TlsStream = beast::ssl_stream<beast::tcp_stream>;

/// A Stream is a PlainStream or a TlsStream.
template <class Stream>
class Session final : public std::enable_shared_from_this<Session<Stream>> {
 public:
  Session(Stream stream, std::shared_ptr<Handler> handler, const HttpLimits& limits,
          std::shared_ptr<Exchange> exchange, std::function<void()> closed)
      : stream_(std::move(stream)),
        buffer_(limits.head + kPiece),
        handler_(std::move(handler)),
        limits_(limits),
        exchange_(std::move(exchange)),
        closed_(std::move(closed)) {}
  ~Session() {
    owes(false);
    closed_();
  }
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  void begin_session() {
    if constexpr (kTls) {
      expires_after(limits_.request);
      stream_.async_handshake(asio::ssl::stream_base::server,
                              [self = this->shared_from_this()](error_code error) {
                                if (!error) self->read_head();
                              });
    } else {
      read_head();
    }
  }

 private:
  static constexpr bool kTls = std::is_same_v<Stream, TlsStream>;

  // Whether a client waits for bytes that are on their way, or for whoever makes them.
  void owes(bool something) {
    if (something == owes_) return;
    owes_ = something;
    if (something)
      ++exchange_->answering;
    else if (--exchange_->answering == 0 && exchange_->idle)
      exchange_->idle();
  }

  beast::tcp_stream& lowest() { return beast::get_lowest_layer(stream_); }
  void expires_after(std::chrono::seconds time) { lowest().expires_after(time); }

  void read_head() {
    head_.emplace();
    head_->header_limit(static_cast<std::uint32_t>(limits_.head));
    // What becomes of the body decides how long it may be; boost::none would refuse every one (1.74).
    head_->body_limit(std::numeric_limits<std::uint64_t>::max());
    upload_.reset();
    // A head that has begun has less time than one that is waited for.
    if (buffer_.size() > 0) return read_rest_of_head();
    expires_after(limits_.idle);
    stream_.async_read_some(buffer_.prepare(4096),
                            [self = this->shared_from_this()](error_code error, std::size_t size) {
                              if (error) return;
                              self->buffer_.commit(size);
                              self->read_rest_of_head();
                            });
  }

  // What has come is mostly all of it: then nothing needs to be waited for.
  void read_rest_of_head() {
    error_code error;
    buffer_.consume(head_->put(buffer_.data(), error));
    if (error != http::error::need_more) return take_head(error);
    expires_after(limits_.request);
    http::async_read_header(stream_, buffer_, *head_,
                            [self = this->shared_from_this()](error_code result, std::size_t) {
                              self->take_head(result);
                            });
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
    expires_after(limits_.request);
    asio::async_write(stream_, asio::buffer(kContinue.data(), kContinue.size()),
                      [self = this->shared_from_this()](error_code error, std::size_t) {
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
    expires_after(limits_.request);
    http::async_read(stream_, buffer_, *whole_,
                     [self = this->shared_from_this()](error_code error, std::size_t) {
                       self->take_body(error);
                     });
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
    expires_after(limits_.request);
    http::async_read(stream_, buffer_, *pieces_,
                     [self = this->shared_from_this()](error_code error, std::size_t) {
                       self->take_piece(error);
                     });
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
    owes(true);
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
    expires_after(limits_.request);
    asio::async_write(stream_, both,
                      [self = this->shared_from_this()](error_code error, std::size_t) {
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
    lowest().expires_never();
    exchange_->waiting.insert(this->shared_from_this());
    streams_ = false;
    later(std::make_shared<LaterReply>(exchange_, this->weak_from_this()));
  }

  void end_waiting() { exchange_->waiting.erase(this->shared_from_this()); }

  // Nobody can answer any more. After an answer this finds a session that waits for nothing.
  void later_is_dropped() {
    if (!exchange_->waiting.count(this->shared_from_this())) return;
    // What was said of a stream before that is on its way yet.
    ends_when_sent_ = !pieces_to_send_.empty();
    if (!ends_when_sent_) hang_up();
  }

  void hang_up() {
    error_code ignored;
    lowest().socket().close(ignored);
    end_waiting();
  }

  void begin_stream(Response head) {
    streams_ = true;
    owes(false);
    queue(head_of(head, std::nullopt, false), nullptr);
    listen_for_end();
  }

  // A client of a stream says nothing; that it is gone is heard by reading alone, below TLS.
  void listen_for_end() {
    piece_.resize(256);
    lowest().socket().async_read_some(
        asio::buffer(piece_), [self = this->shared_from_this()](error_code error, std::size_t) {
          if (error)
            self->hang_up();
          else
            self->listen_for_end();
        });
  }

  void queue(std::string piece, std::shared_ptr<std::atomic<std::size_t>> unsent) {
    if (!streams_) return;
    owes(true);
    pieces_to_send_.emplace_back(std::move(piece), std::move(unsent));
    if (pieces_to_send_.size() == 1) send_next();
  }

  void send_next() {
    const auto& piece = pieces_to_send_.front().first;
    expires_after(limits_.request);
    asio::async_write(stream_, asio::buffer(piece),
                      [self = this->shared_from_this()](error_code error, std::size_t) {
                        const auto sent = std::move(self->pieces_to_send_.front());
                        self->pieces_to_send_.pop_front();
                        if (sent.second) *sent.second -= sent.first.size();
                        if (error) return self->hang_up();
                        if (!self->pieces_to_send_.empty()) return self->send_next();
                        self->lowest().expires_never();
                        self->owes(false);
                        if (self->ends_when_sent_) self->hang_up();
                      });
  }

  void send_file() {
    if (left_ == 0) return done();
    piece_.resize(kPiece);
    const auto wanted = static_cast<std::size_t>(std::min<std::uint64_t>(left_, kPiece));
    const ssize_t count = ::read(response_.file.file.get(), piece_.data(), wanted);
    if (count <= 0) return;  // it got shorter: closing tells the client that something is missing
    left_ -= static_cast<std::uint64_t>(count);
    expires_after(limits_.request);
    asio::async_write(stream_, asio::buffer(piece_.data(), static_cast<std::size_t>(count)),
                      [self = this->shared_from_this()](error_code error, std::size_t) {
                        if (!error) self->send_file();
                      });
  }

  void done() {
    owes(false);
    response_ = {};
    request_ = {};
    piece_ = {};
    if (keep_alive_) return read_head();
    expires_after(kDrainTime);
    if constexpr (kTls)
      // Says that nothing was cut off; what the other side says to it matters to nobody.
      stream_.async_shutdown([self = this->shared_from_this()](error_code) { self->close(); });
    else
      close();
  }

  void close() {
    error_code ignored;
    lowest().socket().shutdown(tcp::socket::shutdown_send, ignored);
    if (!drain_) return;
    piece_.resize(kPiece);
    expires_after(kDrainTime);
    drain(kDrained);
  }

  void drain(std::size_t most) {
    // Below TLS: nobody wants to know what it says.
    lowest().async_read_some(asio::buffer(piece_), [self = this->shared_from_this(), most](
                                                       error_code error, std::size_t size) {
      if (!error && size < most) self->drain(most - size);
    });
  }

  Stream stream_;
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
  bool is_head_ = false, keep_alive_ = false, drain_ = false, owes_ = false;
  // Of an answer without an end: what is yet to be sent, and whose count it belongs to.
  std::deque<std::pair<std::string, std::shared_ptr<std::atomic<std::size_t>>>> pieces_to_send_;
  bool streams_ = false, ends_when_sent_ = false;
};

}  // namespace hdrive::server
