// SPDX-License-Identifier: Apache-2.0
//
// Rows of the schema: the sweep's server, and who reaches it.
#include <string>
#include <vector>

#include "config/load.h"
#include "config/schema.h"
#include "config/schema_rows.h"

namespace hdrive::config {

// clang-format off
std::vector<KeyInfo> rows_of_server() {
  using rows::kDefaults;
  using rows::unless_default;
  using rows::write_text;
  using K = KeyKind;
  return {
      {.name = "mlflow", .kind = K::text, .own = true, .default_text = "auto",
       .allowed = "auto, always or never",
       .summary = "Whether what runs log with MLflow goes into the sweep ([how](mlflow.md)): `auto` "
                  "unless MLFLOW_TRACKING_URI, in environment_variables or exported, names a server "
                  "of yours; `always` even if it is exported.",
       .elsewhere = {"mlflow_tracking_uri", "tracking_uri", "tracking"},
       .read = read_mlflow,
       .write = [](const SweepSpec& s) {
         return unless_default(s.mlflow == kDefaults.mlflow, std::string(to_string(s.mlflow))); }},
      {.name = "server_address", .kind = K::text, .own = true,
       .default_text = "127.0.0.1, at a port that is kept with the sweep", .default_in_words = true,
       .allowed = "HOST, HOST:PORT or :PORT, with http:// in front where others may read along",
       .summary = "Where the sweep's server listens, which takes what runs log with MLflow and what "
                  "others report by HTTP. Only who knows the sweep's token is answered.",
       .elsewhere = {"host", "port", "listen", "bind"},
       .read = [](Loader& l, const Entry& e) { l.spec.server_address = e.value->text; },
       .write = [](const SweepSpec& s) { return write_text(s.server_address); }},
      {.name = "server_advertise", .kind = K::text, .own = true,
       .default_text = "none", .default_in_words = true,
       .allowed = "HOST, HOST:PORT or auto, with or without https:// or http:// in front",
       .summary = "The address by which runs on other machines reach the sweep's server; `auto` finds "
                  "one of this machine. http:// allows it to be sent unprotected "
                  "([how](http-reports.md#the-address)).",
       .elsewhere = {"advertise", "advertise_address", "public_address", "public_url"},
       .read = [](Loader& l, const Entry& e) { l.spec.server_advertise = e.value->text; },
       .write = [](const SweepSpec& s) { return write_text(s.server_advertise); }},
      {.name = "server_certificate", .kind = K::text, .own = true,
       .default_text = "none", .default_in_words = true,
       .summary = "A PEM file with the certificate, and the chain behind it, by which the server speaks "
                  "TLS to other machines.",
       .elsewhere = {"certificate", "tls_certificate", "ssl_certificate", "certfile"},
       .read = [](Loader& l, const Entry& e) { l.spec.server_certificate = l.directory / e.value->text; },
       .write = [](const SweepSpec& s) { return write_text(s.server_certificate.string()); }},
      {.name = "server_key", .kind = K::text, .own = true,
       .default_text = "none", .default_in_words = true,
       .summary = "A PEM file with the private key of `server_certificate`, without a passphrase.",
       .elsewhere = {"tls_key", "ssl_key", "keyfile", "private_key"},
       .read = [](Loader& l, const Entry& e) { l.spec.server_key = l.directory / e.value->text; },
       .write = [](const SweepSpec& s) { return write_text(s.server_key.string()); }},
  };
}
// clang-format on

}  // namespace hdrive::config
