// SPDX-License-Identifier: Apache-2.0
#include "server/kept_address.h"

#include <nlohmann/json.hpp>

#include "base/file.h"
#include "base/json.h"
#include "base/json_words.h"
#include "base/text.h"

namespace hdrive::server {
namespace {

constexpr char kName[] = "server.json";
constexpr int kVersion = 1;
constexpr std::size_t kMostBytes = 64 << 10;
constexpr std::size_t kShortestToken = 32;

}  // namespace

std::optional<KeptAddress> read_kept_address(const std::filesystem::path& sweep_directory) {
  const auto text = base::read_file(sweep_directory / kName, kMostBytes);
  if (!text || base::nests_deeper(*text, 8)) return std::nullopt;
  const auto record = base::parse_json(*text);
  if (!record.is_object() || record.value("version", nlohmann::json()) != kVersion)
    return std::nullopt;
  const auto host = record.find("host"), port = record.find("port"), token = record.find("token");
  if (host == record.end() || !host->is_string() || port == record.end() ||
      !port->is_number_unsigned() || *port > 65535u || token == record.end() ||
      !token->is_string() || token->get<std::string>().size() < kShortestToken)
    return std::nullopt;
  const auto inside = record.find("inside_port");
  const bool has_inside =
      inside != record.end() && inside->is_number_unsigned() && *inside <= 65535u;
  return KeptAddress{{host->get<std::string>(), port->get<int>()},
                     token->get<std::string>(),
                     has_inside ? inside->get<int>() : 0};
}

Result<void> keep_address(const std::filesystem::path& sweep_directory, const KeptAddress& kept) {
  const std::string text =
      "{\"version\": " + std::to_string(kVersion) +
      ", \"host\": " + base::json_string(kept.address.host) +
      ", \"port\": " + std::to_string(kept.address.port) +
      ", \"token\": " + base::json_string(kept.token) +
      (kept.inside_port == 0 ? "" : ", \"inside_port\": " + std::to_string(kept.inside_port)) +
      "}\n";
  return base::write_file_atomically(sweep_directory / kName, text, true);
}

}  // namespace hdrive::server
