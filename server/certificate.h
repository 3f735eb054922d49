// SPDX-License-Identifier: Apache-2.0
//
// Whether a certificate will be believed by those who are told this server's address. Looked at before anything starts:
// a run that finds out is alone with it.
#pragma once

#include <openssl/ossl_typ.h>

#include <optional>
#include <string>

namespace hdrive::server {

/// What is wrong with it for clients that call this server `host` (a name or an IP address; empty: not known), and what
/// to do; nothing: it is theirs and its time has come and is not over.
std::optional<std::string> certificate_fault(X509* certificate, const std::string& host);

}  // namespace hdrive::server
