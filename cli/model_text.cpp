// SPDX-License-Identifier: Apache-2.0
#include "cli/model_text.h"

#include <fmt/format.h>

#include "base/json.h"
#include "base/text.h"
#include "cli/json.h"
#include "cli/listing.h"
#include "cli/sweep_text.h"
#include "cli/terminal.h"
#include "cli/text.h"

namespace hdrive::cli {
namespace {

std::string percent(double share) { return fmt::format("{:.0f} %", 100 * share); }

std::string evidence_text(const ModelReport& report) {
  std::string text = base::plural(report.results, "result");
  if (report.failures > 0) text += fmt::format(", {} failed", report.failures);
  if (report.stopped_early > 0) text += fmt::format(", {} stopped early", report.stopped_early);
  if (report.earlier > 0) text += fmt::format("; {} of earlier sweeps", report.earlier);
  return text;
}

Listing relevance_listing(const ModelReport& report) {
  Listing listing;
  listing.columns = {{"parameter", "parameter"},
                     {"share", "relevance", Align::right},
                     {"lengthscale", "lengthscale", Align::right}};
  for (const auto& relevance : report.parameters) {
    Cell lengthscale{nullptr, "constant"};
    if (relevance.lengthscale)
      lengthscale = {*relevance.lengthscale, fmt::format("{:.3g}", *relevance.lengthscale)};
    listing.rows.push_back({{relevance.parameter, printable(relevance.parameter)},
                            {relevance.share, percent(relevance.share)},
                            std::move(lengthscale)});
  }
  return listing;
}

}  // namespace

std::string model_text(const ModelReport& report) {
  const auto& calibration = report.calibration;
  std::string text = labelled("model of", evidence_text(report));
  text += labelled("noise", fmt::format("{} about the best value; {:.2g} of the spread of all",
                                        number_text(report.noise_near_best), report.noise));
  text += labelled_sentence(
      "check",
      fmt::format("each run predicted from the others: {} within one deviation (68 % is "
                  "right), {} within two (95 % is right), {} of the variance explained",
                  percent(calibration.within_one_deviation),
                  percent(calibration.within_two_deviations), percent(calibration.explained)));
  return text + "\n" + relevance_listing(report).table(output_width());
}

OrderedJson model_json(const ModelReport& report) {
  const auto& calibration = report.calibration;
  OrderedJson json;
  json["results"] = report.results;
  json["failures"] = report.failures;
  json["stopped_early"] = report.stopped_early;
  json["earlier"] = report.earlier;
  json["noise"] = json_number(report.noise);
  json["noise_near_best"] = json_number(report.noise_near_best);
  json["calibration"] = {{"within_one_deviation", json_number(calibration.within_one_deviation)},
                         {"within_two_deviations", json_number(calibration.within_two_deviations)},
                         {"explained", json_number(calibration.explained)}};
  json["parameters"] = base::parse_ordered_json(relevance_listing(report).json());
  return json;
}

}  // namespace hdrive::cli
