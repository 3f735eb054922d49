// SPDX-License-Identifier: Apache-2.0
#include "server/certificate.h"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <openssl/asn1.h>
#include <openssl/x509v3.h>

#include <ctime>
#include <memory>
#include <vector>

#include "base/text.h"

namespace hdrive::server {
namespace {

std::string day_of(const ASN1_TIME* moment) {
  std::tm day{};
  if (ASN1_TIME_to_tm(moment, &day) != 1) return "a time that cannot be read";
  return fmt::format("{:04}-{:02}-{:02} {:02}:{:02} UTC", day.tm_year + 1900, day.tm_mon + 1,
                     day.tm_mday, day.tm_hour, day.tm_min);
}

// The names and addresses that it is for, as clients read them today: not its subject.
std::vector<std::string> names_of(const X509* certificate) {
  std::vector<std::string> names;
  const std::unique_ptr<GENERAL_NAMES, decltype(&GENERAL_NAMES_free)> all(
      static_cast<GENERAL_NAMES*>(
          X509_get_ext_d2i(certificate, NID_subject_alt_name, nullptr, nullptr)),
      &GENERAL_NAMES_free);
  for (int i = 0; all && i < sk_GENERAL_NAME_num(all.get()); ++i) {
    const GENERAL_NAME* name = sk_GENERAL_NAME_value(all.get(), i);
    if (name->type == GEN_DNS) {
      const ASN1_IA5STRING* text = name->d.dNSName;
      names.push_back(
          base::to_utf8(std::string(reinterpret_cast<const char*>(ASN1_STRING_get0_data(text)),
                                    static_cast<std::size_t>(ASN1_STRING_length(text)))));
    } else if (name->type == GEN_IPADD) {
      const ASN1_OCTET_STRING* bytes = name->d.iPAddress;
      char text[INET6_ADDRSTRLEN] = {};
      const int family = ASN1_STRING_length(bytes) == 4 ? AF_INET : AF_INET6;
      if (::inet_ntop(family, ASN1_STRING_get0_data(bytes), text, sizeof text))
        names.emplace_back(text);
    }
  }
  return names;
}

}  // namespace

std::optional<std::string> certificate_fault(X509* certificate, const std::string& host) {
  if (X509_cmp_current_time(X509_get0_notAfter(certificate)) < 0)
    return "was valid until " + day_of(X509_get0_notAfter(certificate)) +
           ", so that no run would believe it; give one that is valid";
  if (X509_cmp_current_time(X509_get0_notBefore(certificate)) > 0)
    return "is valid from " + day_of(X509_get0_notBefore(certificate)) +
           " on, so that no run would believe it yet; give one that is valid, or put this "
           "machine's clock right";
  if (host.empty() || X509_check_ip_asc(certificate, host.c_str(), 0) == 1 ||
      X509_check_host(certificate, host.c_str(), host.size(), X509_CHECK_FLAG_NEVER_CHECK_SUBJECT,
                      nullptr) == 1)
    return std::nullopt;
  const auto names = names_of(certificate);
  return fmt::format("is not for {}, which the runs are told, so that none would believe it; {}",
                     base::json_string(host),
                     names.empty()
                         ? "it names no host (subjectAltName): have one made that does"
                         : "it is for " + base::join(names, ", ") +
                               ": give server_advertise one of these, or have one made for it");
}

}  // namespace hdrive::server
