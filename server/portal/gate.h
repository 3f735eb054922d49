// SPDX-License-Identifier: Apache-2.0
//
// Who is let in to the page. Threads: const after construction.
//
// The first address has the token, and gives a cookie for it; programs show the token itself. The names by which a
// browser may call this server are known, so that no foreign name can be made to mean it (DNS rebinding); what changes
// anything needs a header besides that no foreign page can send.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "server/http.h"

namespace hdrive::server::portal {

class Gate {
 public:
  /// `hosts`: besides the loopback names, what a browser may call this machine; each without a port. With `0.0.0.0` or
  /// `::` among them it may be any address in numbers, which no foreign name server can point here.
  Gate(std::string token, std::vector<std::string> hosts, bool read_only);

  /// The answer to a request that goes no further; nothing: it may.
  std::optional<Response> refuse(const Request& request) const;

 private:
  bool is_known_host(std::string_view host) const;
  bool has_cookie(const Request& request) const;

  const std::string token_, cookie_;
  const std::vector<std::string> hosts_;
  const bool read_only_;
};

/// The headers of every answer: nothing is loaded from elsewhere, nothing is framed, guessed or kept.
std::string_view safety_headers();

/// `{"error": {"status": 404, "message": "..."}}`
Response error_response(int status, std::string_view message);

}  // namespace hdrive::server::portal
