// SPDX-License-Identifier: Apache-2.0
#include <utility>
#include <vector>

#include "hdrive/plot.h"
#include "server/portal/columns.h"
#include "server/portal/data.h"

namespace hdrive::server::portal {
namespace {

Json envelope_json(const SweepCurves::Envelope& envelope) {
  return {{"place", envelope.place}, {"low", envelope.low},   {"median", envelope.median},
          {"high", envelope.high},   {"best", envelope.best}, {"runs", envelope.runs}};
}

}  // namespace

Result<std::string> curves(SweepReader& reader, const SweepHeader& header,
                           const CurvesQuery& query) {
  const auto drawn = sweep_curves(reader, header.goal, query);
  if (!drawn) return drawn.error();
  Json head = {{"metric", text(query.metric)},
               {"of", drawn->of},
               {"rows", drawn->series.size()},
               {"chosen", drawn->chosen}};
  head["envelope"] = envelope_json(drawn->envelope);
  std::vector<std::int32_t> runs, starts, places;
  std::vector<double> steps, values, times;
  for (const Series& series : drawn->series) {
    runs.push_back(static_cast<std::int32_t>(series.run));
    starts.push_back(static_cast<std::int32_t>(places.size()));
    for (const Series::Point& point : series.points) {
      places.push_back(static_cast<std::int32_t>(point.place));
      steps.push_back(point.step ? static_cast<double>(*point.step) : kNone);
      values.push_back(point.value);
      times.push_back(epoch_seconds(point.time));
    }
  }
  starts.push_back(static_cast<std::int32_t>(places.size()));
  BinaryTable table("HDV1");
  table.add({{"name", "run"}}, runs);
  table.add({{"name", "start"}}, starts);
  table.add({{"name", "place"}}, places);
  table.add({{"name", "step"}}, steps);
  table.add({{"name", "value"}}, values);
  table.add({{"name", "time"}}, times);
  return table.bytes(std::move(head));
}

}  // namespace hdrive::server::portal
