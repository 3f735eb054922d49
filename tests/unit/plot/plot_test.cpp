// SPDX-License-Identifier: Apache-2.0
//
// Whole pictures of stored sweeps: each kind as a golden file in tests/golden/plot, which HDRIVE_UPDATE_GOLDEN=1 writes anew; names
// that anybody gave, options that are not allowed, a hundred thousand runs.
#include "hdrive/plot.h"

#include <cmath>
#include <cstdlib>

#include "base/file.h"
#include "hdrive/config.h"
#include "hdrive/store.h"
#include "tests/catch.h"
#include "tests/support/temporary_directory.h"

using namespace hdrive;
using Catch::Matchers::Contains;

namespace {

namespace fs = std::filesystem;
using Kind = Error::Kind;

Time at(double seconds) {
  return Time{std::chrono::seconds{1'700'000'000}} +
         Duration{static_cast<std::int64_t>(seconds * 1e6)};
}

SweepHeader header_of(const SweepSpec& spec) {
  SweepHeader header;
  header.id = "HD_0123456789";
  header.name = "digits";
  header.config = to_hdconfig(spec);
  header.metric = spec.primary_metric;
  header.goal = spec.goal;
  header.version = "0.1.0";
  header.created = at(0);
  return header;
}

SweepSpec digits() {
  SweepSpec spec;
  spec.command = {"python", "train.py"};
  spec.primary_metric = "loss";
  spec.goal = Goal::minimize;
  spec.max_total_runs = 100;
  spec.space.parameters = {{"--lr", LogUniformValues{1e-4, 0.1}},
                           {"--layers", IntUniform{1, 4}},
                           {"--optimizer", Choice{{std::string("adam"), std::string("sgd")}}}};
  return spec;
}

double part(std::int64_t run, int salt) {
  const double x = std::sin(static_cast<double>(run * 37 + salt * 101)) * 43758.5453;
  return x - std::floor(x);
}

// Runs of two slots with a few reports each: every fifth is stopped early, every ninth fails without a value.
void store_runs(Store& store, const SweepSpec& spec, std::int64_t from, std::int64_t to,
                int reports) {
  std::vector<Change> changes;
  for (RunId run = from; run < to; ++run) {
    const double lr = 1e-4 * std::pow(1000, part(run, 1));
    const std::int64_t layers = 1 + static_cast<std::int64_t>(4 * part(run, 2));
    const bool fails = run % 9 == 8, stopped = run % 5 == 4 && !fails;
    const double began = static_cast<double>(run / 2) * 60 + static_cast<double>(run % 2) * 7;
    changes.push_back(RunProposed{
        run,
        {{spec.space.parameters[0].name, lr},
         {spec.space.parameters[1].name, layers},
         {spec.space.parameters[2].name, std::string(part(run, 3) < 0.5 ? "adam" : "sgd")}},
        "drawn",
        at(began)});
    changes.push_back(RunStarted{run, 1, 7, at(began), static_cast<int>(run % 2)});
    const int count = fails ? 0 : stopped ? reports / 2 : reports;
    std::vector<Metric> metrics;
    for (int i = 1; i <= count; ++i) {
      const double level = 0.2 + std::abs(std::log10(lr) + 2.5) + 0.1 * static_cast<double>(layers);
      metrics.push_back({spec.primary_metric, level + 2.0 / i, i * 10, at(began + i)});
      metrics.push_back({"accuracy", 1 / level, i * 10, at(began + i)});
    }
    if (!metrics.empty()) changes.push_back(RunMetrics{run, 1, metrics, "", at(began + count)});
    changes.push_back(RunEnded{run,
                               1,
                               fails     ? RunStatus::failed
                               : stopped ? RunStatus::canceled
                                         : RunStatus::completed,
                               stopped ? EndCause::policy : EndCause::exited,
                               0,
                               {},
                               "done",
                               "",
                               at(began + 20 + 30 * part(run, 4))});
  }
  REQUIRE(store.append(changes));
}

struct Stored {
  explicit Stored(std::int64_t runs = 40, SweepSpec given = digits()) : spec(std::move(given)) {
    auto made = create_sqlite_store(path(), header_of(spec));
    REQUIRE(made);
    store_runs(**made, spec, 0, runs, 8);
  }
  fs::path path() const { return home.path() / "HD_0123456789"; }
  std::string svg(PlotOptions options) const {
    const auto drawn = plot_svg(path(), options);
    INFO((drawn ? "" : drawn.error().message()));
    REQUIRE(drawn);
    return *drawn;
  }
  Error error(PlotOptions options) const {
    const auto drawn = plot_svg(path(), options);
    REQUIRE_FALSE(drawn);
    return drawn.error();
  }

  test::TemporaryDirectory home;
  SweepSpec spec;
};

// What a reader of XML takes: one root, tags that close each other, no bare "<" or "&" in text. Enough for what is written here.
void check_xml(const std::string& text) {
  std::vector<std::string> open;
  std::size_t at = text.find("?>") + 2;
  while (true) {
    const std::size_t tag = text.find('<', at);
    const std::string between = text.substr(at, tag == text.npos ? tag : tag - at);
    for (std::size_t i = between.find('&'); i != between.npos; i = between.find('&', i + 1)) {
      const std::string entity = between.substr(i, between.find(';', i) - i + 1);
      CHECK((entity == "&amp;" || entity == "&lt;" || entity == "&gt;" || entity == "&quot;" ||
             entity == "&#39;"));
    }
    if (tag == text.npos) break;
    const std::size_t end = text.find('>', tag);
    REQUIRE(end != text.npos);
    const std::string inside = text.substr(tag + 1, end - tag - 1);
    const std::string name =
        inside.substr(inside[0] == '/', inside.find_first_of(" /", 1) - (inside[0] == '/'));
    if (inside[0] == '/') {
      REQUIRE(!open.empty());
      CHECK(open.back() == inside.substr(1));
      open.pop_back();
    } else if (inside.back() != '/') {
      open.push_back(name);
    }
    at = end + 1;
  }
  CHECK(open.empty());
}

}  // namespace

TEST_CASE("Each kind of chart is drawn as it was looked at") {
  const Stored sweep;
  const fs::path golden = fs::path(HDRIVE_SOURCE_DIR) / "tests/golden/plot";
  REQUIRE(plot_kinds().size() == 11);
  for (const PlotKind& kind : plot_kinds())
    for (const PlotTheme theme : {PlotTheme::light, PlotTheme::dark}) {
      if (theme == PlotTheme::dark && kind.name != "curves") continue;
      const std::string svg = sweep.svg({.kind = std::string(kind.name), .theme = theme});
      check_xml(svg);
      CHECK(svg == sweep.svg({.kind = std::string(kind.name), .theme = theme}));
      const fs::path file =
          golden / (std::string(kind.name) + (theme == PlotTheme::dark ? "-dark" : "") + ".svg");
      if (std::getenv("HDRIVE_UPDATE_GOLDEN")) {
        fs::create_directories(golden);
        REQUIRE(base::write_file_atomically(file, svg));
      }
      const auto expected = base::read_file(file);
      REQUIRE(expected);
      INFO(kind.name << " is not " << file << "; HDRIVE_UPDATE_GOLDEN=1 writes it anew");
      CHECK((svg == *expected));
    }
}

TEST_CASE("Options change what is drawn") {
  const Stored sweep;
  CHECK_THAT(sweep.svg({.kind = "history", .title = "A <title>"}),
             Contains(">A &lt;title&gt;</text>"));
  CHECK_THAT(sweep.svg({.width = 500, .height = 300}), Contains("viewBox=\"0 0 500 300\""));
  CHECK_THAT(sweep.svg({.kind = "curves", .metric = "accuracy"}), Contains(">accuracy</text>"));
  CHECK_THAT(sweep.svg({.kind = "curves", .x = "step"}), Contains(">step</text>"));
  CHECK_THAT(sweep.svg({.kind = "curves", .x = "elapsed"}),
             Contains(">time since the first report</text>"));
  CHECK_THAT(sweep.svg({.kind = "scatter", .x = "--lr", .y = "accuracy"}),
             Contains(">accuracy</text>"));
  const std::string some = sweep.svg({.kind = "parallel", .parameters = {"optimizer"}});
  CHECK_THAT(some, Contains(">optimizer</text>") && !Contains(">layers</text>"));
  const std::string other = sweep.svg({.kind = "history", .metric = "accuracy"});
  CHECK_THAT(other, Contains(">low</text>") && !Contains(">best so far</text>"));
  CHECK(sweep.svg({.kind = "history", .log_y = true}) != sweep.svg({.kind = "history"}));
  CHECK_THAT(sweep.svg({.theme = PlotTheme::dark}), Contains("fill=\"#12191e\""));
}

TEST_CASE("What is not allowed is told with what is, and with what was meant") {
  const Stored sweep;
  const auto says = [&](PlotOptions options, const std::string& where, const std::string& what) {
    const Error error = sweep.error(std::move(options));
    CHECK(error.kind == Kind::invalid);
    CHECK(error.where == where);
    CHECK_THAT(error.what, Contains(what));
  };
  says({.kind = "histroy"}, "kind", "unknown kind of chart \"histroy\"; allowed: history, curves");
  says({.kind = "histroy"}, "kind", "did you mean \"history\"?");
  says({.kind = "curves", .metric = "acuracy"}, "metric", "did you mean \"accuracy\"?");
  says({.kind = "curves", .x = "epoch"}, "x", "allowed: report, step, elapsed");
  says({.kind = "scatter", .x = "optimiser"}, "x", "did you mean \"optimizer\"?");
  says({.kind = "contour", .y = "loss"}, "y", "allowed: lr, layers, optimizer");
  says({.kind = "contour", .x = "lr", .y = "lr"}, "y", "takes two parameters");
  says({.kind = "slice", .parameters = {"lr", "dropout"}}, "parameters",
       "unknown parameter \"dropout\"");
  says({.kind = "rank", .x = "lr"}, "x", "is nothing that kind rank heeds");
  says({.kind = "importance", .metric = "accuracy"}, "metric", "draw one of: history, curves");
  says({.width = 7}, "width", "from 120 to 10000 pixels");
}

TEST_CASE("A sweep without values says so") {
  Stored sweep(0);
  for (const PlotKind& kind : plot_kinds()) {
    const Error error = sweep.error({.kind = std::string(kind.name)});
    CHECK(error.kind == Kind::not_found);
    CHECK(!error.what.empty());
  }
}

TEST_CASE("Names and values that anybody gave are text") {
  SweepSpec spec = digits();
  spec.primary_metric = "<loss> & \"more\"";
  spec.space.parameters[0].name = "lr</text><script>";
  spec.space.parameters[2].expression =
      Choice{{std::string("adam"), std::string("sgd"), std::string("a\x1b]0;x\u202e<b>")}};
  const Stored sweep(40, spec);
  for (const PlotKind& kind : plot_kinds()) {
    const std::string svg = sweep.svg({.kind = std::string(kind.name), .title = "<&\x01"});
    check_xml(svg);
    CHECK_THAT(svg, !Contains("<script") && !Contains("\x1b") && !Contains("\u202e"));
  }
}

TEST_CASE("Of very many runs what would lie on the same pixels is drawn once") {
  constexpr std::int64_t kRuns = 20'000, kBatch = 5'000;
  Stored sweep(0);
  auto store = open_sqlite_store(sweep.path());
  REQUIRE(store);
  for (std::int64_t from = 0; from < kRuns; from += kBatch)
    store_runs(**store, sweep.spec, from, from + kBatch, 4);
  for (const PlotKind& kind : plot_kinds()) {
    const std::string svg = sweep.svg({.kind = std::string(kind.name)});
    INFO(kind.name << " is " << svg.size() << " bytes");
    CHECK(svg.size() < 1'000'000);
  }
  CHECK_THAT(sweep.svg({.kind = "curves"}), Contains("curves: the best"));
  CHECK_THAT(sweep.svg({.kind = "parallel"}), Contains("runs, evenly by rank"));
}
