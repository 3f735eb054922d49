// SPDX-License-Identifier: Apache-2.0
//
// The fields of a request, from a JSON body or a query, with the faults MLflow's server tells. Pure functions.
#pragma once

#include <cstdint>
#include <map>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "hdrive/result.h"

namespace hdrive::server::mlflow {

/// The object that a body is, or a query: `{}` of an empty one. A Fault where it is something else.
nlohmann::json fields_of_body(const std::string& body);
nlohmann::json fields_of_query(std::string_view query);

/// A field that is missing, null or empty counts as not given; a required one is a Fault then, and so is one of
/// another type. Numbers may stand in quotes, as in queries and in protobuf's JSON.
std::string required_text(const nlohmann::json& fields, const char* name);
std::optional<std::string> optional_text(const nlohmann::json& fields, const char* name);
std::optional<std::int64_t> optional_integer(const nlohmann::json& fields, const char* name);
/// "NaN", "Infinity" and "-Infinity" are numbers.
double required_number(const nlohmann::json& fields, const char* name);
/// An empty list where there is none; one text is a list of one, as in queries.
std::vector<std::string> text_list(const nlohmann::json& fields, const char* name);
const nlohmann::json& object_list(const nlohmann::json& fields, const char* name);

/// The `run_id`, or the `run_uuid` of older clients.
std::string run_id_of(const nlohmann::json& fields);

/// How many results are wanted, at most `most`.
std::size_t max_results(const nlohmann::json& fields, std::size_t by_default, std::size_t most);
/// A page token is the number of what came before it.
std::uint64_t page_token(const nlohmann::json& fields);

/// Whether a search for ACTIVE_ONLY (1, the default), DELETED_ONLY (2) or ALL (3) finds what is deleted, or is not.
bool is_in_view(const nlohmann::json& fields, const char* name, bool deleted);

/// A number as protobuf's JSON has it: what is not finite in quotes.
nlohmann::json json_of(double number);

/// The text of a field of a record of ours; empty where there is none.
std::string text_in(const nlohmann::json& record, const char* name);
/// MLflow's form of a map: [{"key": ..., "value": ...}, ...].
nlohmann::json json_of_pairs(const std::map<std::string, std::string>& map);

/// Characters (code points) of UTF-8.
std::size_t length_of(std::string_view text);

}  // namespace hdrive::server::mlflow
