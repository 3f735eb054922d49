// SPDX-License-Identifier: Apache-2.0
//
// A line of metrics.jsonl: a metric that can be stored, or a fault that can be shown.
#include <string>

#include "base/text.h"
#include "compute/metric_lines.h"
#include "tests/fuzz/fuzz.h"

using namespace hdrive;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  Metric metric;
  std::string fault;
  const auto kind = compute::parse_metric_line(fuzz::text(data, size), metric, fault);
  fuzz::require(base::to_utf8(fault) == fault, "a fault can be shown");
  if (kind == compute::LineKind::wrong) fuzz::require(!fault.empty(), "a fault says what it is");
  if (kind != compute::LineKind::metric) return 0;
  fuzz::require(!metric.name.empty() && metric.name.size() <= compute::kLongestMetricName &&
                    base::to_utf8(metric.name) == metric.name,
                "the name of a metric can be stored and shown");

  const std::string line = "{\"name\": " + base::json_string(metric.name) +
                           ", \"value\": " + base::json_number(metric.value) + "}";
  Metric again;
  fuzz::require(compute::parse_metric_line(line, again, fault) == compute::LineKind::metric &&
                    again.name == metric.name &&
                    base::shortest(again.value) == base::shortest(metric.value),
                "a metric written plainly is read as the same");
  return 0;
}
