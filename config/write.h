// SPDX-License-Identifier: Apache-2.0
//
// Writing values as YAML that reads back equal, and the writers the schema's rows name: each gives
// the value of one key, or nothing where it has its default.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "hdrive/spec.h"

namespace hdrive::config {

/// Text as a YAML scalar: plain where that is safe, else in double quotes.
std::string yaml_text(std::string_view text);

/// Any value as a YAML flow node.
std::string yaml_value(const Value& value);

/// Bytes with the largest unit that leaves a whole number: "10 MB".
std::string yaml_bytes(std::uint64_t bytes);

std::string write_sampling(const SweepSpec& spec);
std::string write_policy(const SweepSpec& spec);
std::string write_command(const SweepSpec& spec);
/// A mapping of texts, an entry a line; empty: there are none.
std::string write_texts(const std::map<std::string, std::string>& texts);
std::string write_environment(const SweepSpec& spec);
std::string write_metric_patterns(const SweepSpec& spec);
std::string write_snapshot_max_file(const SweepSpec& spec);
std::string write_gpus(const SweepSpec& spec);
std::string write_targets(const SweepSpec& spec);
std::string write_resources(const SweepSpec& spec);
std::string write_distribution(const SweepSpec& spec);
std::string write_start_points(const SweepSpec& spec);
/// A start point on one line.
std::string yaml_point(const Assignment& point);
std::string write_stop_at(const SweepSpec& spec);
std::string write_words(const std::vector<std::string>& words);

/// The name HyperDrive's own files use for an algorithm, where it has one: "BanditPolicy".
std::string written_name(const AlgorithmInfo& algorithm);

}  // namespace hdrive::config
