// SPDX-License-Identifier: Apache-2.0
//
// Of the portal what needs no sweep: who is let in, columns, what a run wrote.
#include <unistd.h>

#include <catch2/catch.hpp>
#include <cstring>
#include <fstream>
#include <nlohmann/json.hpp>

#include "base/json.h"
#include "server/portal/api.h"
#include "server/portal/columns.h"
#include "server/portal/gate.h"
#include "server/portal/run_files.h"
#include "server/portal/sizes.h"
#include "server/portal/space_json.h"
#include "tests/support/http_socket.h"
#include "tests/support/temporary_directory.h"

namespace hdrive::server::portal {
namespace {

using Catch::Matchers::Contains;
using Catch::Matchers::EndsWith;
namespace fs = std::filesystem;

// ---- the gate -----------------------------------------------------------------------------------

Request asked(std::string path, std::string query = "") {
  Request request;
  request.method = "GET";
  request.path = std::move(path);
  request.query = std::move(query);
  request.host = "127.0.0.1:4747";
  return request;
}

struct Gated {
  Gate gate{"secret", {"box"}, false};

  // What a browser that opened the first address sends from then on.
  std::string cookie(std::string host = "127.0.0.1:4747") {
    Request first = asked("/", "token=secret");
    first.host = std::move(host);
    const auto response = gate.refuse(first);
    REQUIRE(response);
    REQUIRE(response->status == 303);
    const std::string mark = "Set-Cookie: ";
    const std::size_t begin = response->headers.find(mark) + mark.size();
    return response->headers.substr(begin, response->headers.find(';', begin) - begin);
  }
  int status(const Request& request) {
    const auto response = gate.refuse(request);
    return response ? response->status : 200;
  }
};

TEST_CASE("the first address gives a cookie that scripts of the page cannot read") {
  Gated gated;
  const auto response = gated.gate.refuse(asked("/sweeps/HD_1", "token=secret"));
  REQUIRE(response);
  CHECK(response->status == 303);
  CHECK_THAT(response->headers, Contains("Location: /sweeps/HD_1\r\n"));
  CHECK_THAT(response->headers, Contains("; HttpOnly; SameSite=Strict\r\n"));
  CHECK_THAT(response->headers, !Contains("secret"));
  CHECK(gated.status(asked("/", "token=wrong")) == 401);
  CHECK_THAT(gated.gate.refuse(asked("//evil.example", "token=secret"))->headers,
             Contains("Location: /\r\n"));
}

TEST_CASE("who has neither cookie nor token is told what to do") {
  Gated gated;
  Request request = asked("/api/v1/sweeps");
  CHECK(gated.status(request) == 401);
  CHECK_THAT(gated.gate.refuse(asked("/"))->body, Contains("hdrive ui"));
  request.authorization = "Bearer secret";
  CHECK(gated.status(request) == 200);
  request.authorization = "Bearer secrets";
  CHECK(gated.status(request) == 401);
  request.authorization = "";
  request.cookie = "other=1; " + gated.cookie();
  CHECK(gated.status(request) == 200);
  // One of another server on this machine.
  request.cookie = gated.cookie("127.0.0.1:4748");
  CHECK(gated.status(request) == 401);
  // The address may not be the key of the API.
  CHECK(gated.status(asked("/api/v1/sweeps", "token=secret")) == 401);
}

TEST_CASE("a foreign name does not mean this server, whatever it resolves to") {
  Gated gated;
  Request request = asked("/api/v1/sweeps");
  request.authorization = "Bearer secret";
  for (const char* host : {"localhost:4747", "127.0.0.1", "[::1]:4747", "LOCALHOST:1", "box:80"}) {
    request.host = host;
    CHECK(gated.status(request) == 200);
  }
  for (const char* host : {"evil.example", "evil.example:4747", "localhost.evil.example", "",
                           "[::2]:4747", "127.0.0.1.evil"}) {
    request.host = host;
    CHECK(gated.status(request) == 421);
  }
}

TEST_CASE("a server at all addresses of its machine is reached by each of them") {
  for (const char* any : {"0.0.0.0", "::"}) {
    const Gate gate("secret", {any, "box"}, false);
    Request request = asked("/api/v1/sweeps");
    request.authorization = "Bearer secret";
    for (const char* host :
         {"192.0.2.7:4747", "[2001:db8::7]:4747", "box:4747", "localhost:4747"}) {
      request.host = host;
      CHECK_FALSE(gate.refuse(request));
    }
    for (const char* host :
         {"evil.example:4747", "192.0.2.7.evil", "[evil]:4747", "192.0.2", "1.2.3.4.5", ""}) {
      request.host = host;
      REQUIRE(gate.refuse(request));
      CHECK(gate.refuse(request)->status == 421);
    }
  }
}

TEST_CASE(
    "a foreign page may ask nothing, and nobody changes anything without the header that it cannot "
    "send") {
  Gated gated;
  Request request = asked("/api/v1/commands");
  request.cookie = gated.cookie();
  request.origin = "http://127.0.0.1:4747";
  CHECK(gated.status(request) == 200);
  for (const char* origin :
       {"http://evil.example", "null", "http://127.0.0.1:4748", "http://127.0.0.1:4747.evil"}) {
    request.origin = origin;
    CHECK(gated.status(request) == 403);
  }
  request.origin = "http://127.0.0.1:4747";
  for (const char* method : {"POST", "PUT", "DELETE", "OPTIONS", "PATCH"}) {
    request.method = method;
    request.intent = "";
    CHECK(gated.status(request) == 403);
    request.intent = "1";
    CHECK(gated.status(request) == 200);
  }
}

TEST_CASE("with read_only nothing is carried out") {
  Gate gate("secret", {}, true);
  for (const char* path : {"/api/v1/commands", "/api/v1/sweeps", "/api/v1/whatever-comes"}) {
    Request request = asked(path);
    request.method = "POST";
    request.authorization = "Bearer secret";
    request.intent = "1";
    REQUIRE(gate.refuse(request));
    CHECK(gate.refuse(request)->status == 403);
    CHECK_THAT(gate.refuse(request)->body, Contains("--read-only"));
  }
  for (const char* path : {"/api/v1/validate", "/api/v1/preview"}) {
    Request request = asked(path);
    request.method = "POST";
    request.authorization = "Bearer secret";
    request.intent = "1";
    CHECK_FALSE(gate.refuse(request));
  }
}

// ---- columns ------------------------------------------------------------------------------------

struct Decoded {
  Json head;
  std::map<std::string, std::vector<double>> columns;  // by name and stat

  explicit Decoded(const std::string& bytes) {
    REQUIRE(bytes.substr(0, 4) == "HDC1");
    std::uint32_t length = 0;
    std::memcpy(&length, bytes.data() + 4, sizeof length);
    head = base::parse_ordered_json(bytes.substr(8, length));
    std::size_t at = 8 + length;
    REQUIRE(at % 8 == 0);
    const auto rows = head["rows"].get<std::size_t>();
    for (const Json& column : head["columns"]) {
      std::vector<double> values;
      const std::string type = column["type"];
      const std::size_t size = type == "f64" ? 8 : type == "i32" ? 4 : 1;
      for (std::size_t row = 0; row < rows; ++row) {
        const char* from = bytes.data() + at + row * size;
        double real = 0;
        std::int32_t integer = 0;
        if (type == "f64") {
          std::memcpy(&real, from, sizeof real);
        } else if (type == "i32") {
          std::memcpy(&integer, from, sizeof integer);
          real = integer;
        } else {
          real = static_cast<unsigned char>(*from);
        }
        values.push_back(real);
      }
      at += (rows * size + 7) / 8 * 8;
      columns[column["name"].get<std::string>() +
              (column.contains("stat") ? "." + column["stat"].get<std::string>() : "")] = values;
    }
    CHECK(at == bytes.size());
  }
  const Json& column(const std::string& name) const {
    for (const Json& each : head["columns"])
      if (each["name"] == name) return each;
    FAIL(name);
    return head;
  }
};

StoredRun stored(RunId id, Assignment parameters, std::vector<double> losses = {}) {
  StoredRun run;
  run.run.id = id;
  run.run.parameters = std::move(parameters);
  run.run.status = losses.empty() ? RunStatus::running : RunStatus::completed;
  run.run.started = Time{std::chrono::milliseconds{1'500}};
  if (losses.empty()) return run;
  MetricFigures figures;
  figures.name = "loss";
  figures.count = std::ssize(losses);
  figures.last = losses.back();
  figures.least = *std::min_element(losses.begin(), losses.end());
  figures.greatest = *std::max_element(losses.begin(), losses.end());
  run.metrics = {figures};
  return run;
}

TEST_CASE("runs become columns, numbers as numbers and the rest as categories") {
  RunTable table("loss", Goal::minimize);
  table.take(stored(0, {{"--lr", 0.5}, {"opt", std::string("sgd")}}, {3, 1, 2}), 1);
  table.take(stored(1, {{"--lr", std::int64_t{2}}, {"opt", std::string("adam")}, {"deep", true}}),
             1);
  const Decoded decoded(table.encode(0, {{"version", "v"}}));
  CHECK(decoded.columns.at("number") == std::vector<double>{0, 1});
  CHECK(decoded.columns.at("status") == std::vector<double>{2, 1});
  CHECK(decoded.columns.at("lr") == std::vector<double>{0.5, 2});
  CHECK(decoded.columns.at("opt") == std::vector<double>{0, 1});
  CHECK(decoded.column("opt")["categories"] == Json({"sgd", "adam"}));
  CHECK(decoded.columns.at("deep") == std::vector<double>{-1, 0});
  CHECK(decoded.column("deep")["categories"] == Json({true}));
  CHECK(decoded.columns.at("best").front() == 1);
  CHECK(std::isnan(decoded.columns.at("best").back()));
  CHECK(decoded.columns.at("started") == std::vector<double>{1.5, 1.5});
  CHECK(decoded.columns.at("loss.last").front() == 2);
  CHECK(decoded.columns.at("loss.count") == std::vector<double>{3, 0});
}

TEST_CASE("only runs that changed since are told, and all where a number turns out to be a word") {
  RunTable table("loss", Goal::minimize);
  table.take(stored(0, {{"depth", std::int64_t{3}}}), 1);
  table.take(stored(1, {{"depth", std::int64_t{4}}}), 2);
  CHECK(Decoded(table.encode(1, Json::object())).columns.at("number") == std::vector<double>{1});
  CHECK(Decoded(table.encode(2, Json::object())).columns.at("number").empty());
  table.take(stored(0, {{"depth", std::int64_t{3}}}, {7}), 3);
  const Decoded changed(table.encode(2, Json::object()));
  CHECK(changed.columns.at("number") == std::vector<double>{0});
  CHECK(changed.columns.at("best") == std::vector<double>{7});
  table.take(stored(2, {{"depth", std::string("none")}}), 4);
  const Decoded all(table.encode(3, Json::object()));
  CHECK(all.columns.at("number") == std::vector<double>{0, 1, 2});
  CHECK(all.column("depth")["categories"] == Json({3, 4, "none"}));
  CHECK(all.columns.at("depth") == std::vector<double>{0, 1, 2});
}

TEST_CASE("bounds of a space are those of the values") {
  SearchSpace space;
  space.parameters = {{"--lr", LogUniform{-2, 0}},
                      {"n", IntUniform{1, 8}},
                      {"opt", Choice{{std::string("a"), 1.5}}},
                      {"m", Normal{1, 2}, Condition{"opt", 1.5}}};
  const Json json = space_json(space);
  CHECK(json[0]["name"] == "lr");
  CHECK(json[0]["low"].get<double>() == Approx(std::exp(-2)));
  CHECK(json[0]["log"] == true);
  CHECK(json[1]["integer"] == true);
  CHECK(json[1]["high"] == 8);
  CHECK(json[2]["options"] == Json({"a", 1.5}));
  CHECK(json[3]["low"].is_null());
  CHECK(json[3]["depends_on"] == Json{{"parameter", "opt"}, {"option", 1.5}});
}

// ---- what a run wrote ---------------------------------------------------------------------------

struct Wrote {
  test::TemporaryDirectory folder;
  fs::path run = folder.path() / "run";

  Wrote() {
    fs::create_directories(run / "outputs/deep");
    fs::create_directories(run / "logs");
    write(run / "outputs/page.html", "<script>alert(1)</script>");
    write(run / "outputs/deep/a.PNG", "png");
    write(run / "logs/l.csv", "a,b\n");
    write(run / "run.json", "{\"environment\": {\"KEY\": \"secret\"}}");
    write(folder.path() / "outside.txt", "outside");
    fs::create_symlink(folder.path() / "outside.txt", run / "outputs/link.txt");
    fs::create_directory_symlink(folder.path(), run / "outputs/up");
    write(run / "stdout.log", "one\ntwo\n\xC3\xA9t\xC3\xA9\n");
  }
  static void write(const fs::path& path, const std::string& text) { std::ofstream(path) << text; }
};

TEST_CASE("files of a run are listed without following links") {
  Wrote wrote;
  std::vector<std::string> found;
  const Json listed = list_run_files(wrote.run);
  for (const Json& file : listed["files"]) found.push_back(file["path"]);
  CHECK(found == std::vector<std::string>{"outputs/deep/a.PNG", "outputs/page.html", "logs/l.csv"});
  CHECK(listed["files"][0]["kind"] == "image");
}

TEST_CASE("no path leads out of what a run wrote") {
  Wrote wrote;
  for (const char* path : {"run.json", "outputs/../run.json", "../outside.txt", "/etc/passwd",
                           "outputs/link.txt", "outputs/up/outside.txt", "outputs", "outputs/",
                           "outputs//page.html", "outputs/./page.html", "", "outputs/deep"}) {
    INFO(path);
    const auto response = run_file(wrote.run, path, false);
    REQUIRE_FALSE(response);
    CHECK(response.error().kind == Error::Kind::not_found);
  }
}

TEST_CASE("what a browser would run is text, or a page that may do nothing") {
  Wrote wrote;
  const auto text = run_file(wrote.run, "outputs/page.html", false);
  REQUIRE(text);
  CHECK(text->type == "text/plain; charset=utf-8");
  CHECK_THAT(text->headers, Contains("X-Content-Type-Options: nosniff"));
  const auto page = run_file(wrote.run, "outputs/page.html", true);
  REQUIRE(page);
  CHECK(page->type == "text/html; charset=utf-8");
  CHECK_THAT(page->headers, Contains("Content-Security-Policy: sandbox; default-src 'none'"));
  const auto image = run_file(wrote.run, "outputs/deep/a.PNG", false);
  REQUIRE(image);
  CHECK(image->type == "image/png");
}

TEST_CASE("what a run printed is read in pieces that cut no character") {
  Wrote wrote;
  const auto piece = [&](std::optional<std::uint64_t> from, std::uint64_t limit) {
    const auto read = run_log(wrote.run, "stdout.log", {from, limit});
    REQUIRE(read);
    return *read;
  };
  CHECK(piece(0, 4)["text"] == "one\n");
  CHECK(piece(4, 5)["text"] == "two\n");
  CHECK(piece(4, 5)["next"] == 8);
  CHECK(piece(8, 100)["text"] == "\xC3\xA9t\xC3\xA9\n");
  CHECK(piece(std::nullopt, 5)["text"] == "t\xC3\xA9\n");
  CHECK(piece(100, 5)["text"] == "");
  CHECK(piece(100, 5)["next"] == 14);
  const auto none = run_log(wrote.run, "stderr.log", {0, 5});
  REQUIRE(none);
  CHECK((*none)["size"] == 0);
}

// ---- routes -------------------------------------------------------------------------------------

TEST_CASE("a path finds its route and its words") {
  const Match run = match("GET", "sweeps/HD_1/runs/7");
  REQUIRE(run.route);
  CHECK(run.words == std::vector<std::string>{"HD_1", "7"});
  CHECK(match("GET", "sweeps/HD%5F1").words == std::vector<std::string>{"HD_1"});
  CHECK_FALSE(match("GET", "sweeps/").route);
  CHECK_FALSE(match("GET", "sweeps/%00").route);
  CHECK_FALSE(match("GET", "nothing").route);
  CHECK(match("DELETE", "sweeps/HD_1").other_method);
  CHECK(match("GET", "commands").other_method);
}

TEST_CASE("the OpenAPI document has every route with the words of its path") {
  const Json document = base::parse_ordered_json(openapi());
  for (const auto routes : {reading_routes(), doing_routes()})
    for (const Route& route : routes) {
      INFO(route.path);
      const Json& path = document.at("paths").at("/api/v1/" + std::string(route.path));
      const Json& operation = path.at(route.method == "GET" ? "get" : "post");
      CHECK(operation.at("summary") == route.summary);
      std::size_t words = 0;
      for (const Json& parameter : operation.at("parameters"))
        words += parameter.at("in") == "path";
      CHECK(words ==
            static_cast<std::size_t>(std::count(route.path.begin(), route.path.end(), '{')));
    }
}

void check_references(const Json& json, const Json& schemas) {
  if (json.is_object() && json.contains("$ref")) {
    const std::string name = json["$ref"].get<std::string>().substr(21);
    INFO(name);
    CHECK(schemas.contains(name));
  }
  if (json.is_structured())
    for (const Json& each : json) check_references(each, schemas);
}

TEST_CASE("every schema that the OpenAPI document refers to is there") {
  const Json document = base::parse_ordered_json(openapi());
  const Json& schemas = document.at("components").at("schemas");
  check_references(document, schemas);
  const Json& details = schemas.at("SweepDetails");
  // With the members of what it begins with.
  CHECK(details.at("properties").contains("id"));
  CHECK(details.at("properties").contains("space"));
  const Json& sweep = schemas.at("Sweep").at("properties");
  CHECK(sweep.at("created") == Json{{"type", "string"}, {"format", "date-time"}});
  CHECK(sweep.at("engine").dump() == R"({"anyOf":[{"type":"integer"},{"type":"null"}]})");
  CHECK(sweep.at("tags").dump() == R"({"type":"object","additionalProperties":{"type":"string"}})");
}

// ---- sizes --------------------------------------------------------------------------------------

TEST_CASE("what a sweep takes on disk is known a moment later, and again when it has changed") {
  test::TemporaryDirectory folder;
  std::ofstream(folder.path() / "a") << std::string(100'000, '.');
  Sizes sizes(make_steady_clock());
  const auto get = [&](const std::string& state) { return sizes.get(folder.path(), state, false); };
  test::until([&] { return get("one").has_value(); });
  const auto first = get("one")->bytes;
  CHECK(first >= 100'000);
  CHECK(get("one")->complete);
  std::ofstream(folder.path() / "b") << std::string(300'000, '.');
  test::until([&] { return get("two")->bytes >= first + 300'000; });
  sizes.forget(folder.path());
  test::until([&] { return get("two").has_value(); });
}

TEST_CASE("what Prometheus reads has no line that a name can break") {
  const Json list = {{"sweeps",
                      {{{"id", "HD_1"},
                        {"name", "a\"b\nc"},
                        {"completed", 1},
                        {"failed", 0},
                        {"stopped", 0},
                        {"canceled", 0},
                        {"live", 2},
                        {"best", {{"run", 1}, {"value", 0.5}}},
                        {"metric", "m"},
                        {"state", "live"},
                        {"active_seconds", 1.5}}}}};
  const std::string text = prometheus(list);
  CHECK_THAT(text, Contains("hdrive_runs{sweep=\"HD_1\",name=\"a\\\"b\\nc\",status=\"live\"} 2\n"));
  CHECK_THAT(text, Contains("hdrive_best{sweep=\"HD_1\",name=\"a\\\"b\\nc\",metric=\"m\"} 0.5\n"));
  CHECK_THAT(text, EndsWith("hdrive_active_seconds{sweep=\"HD_1\",name=\"a\\\"b\\nc\"} 1.5\n"));
}

}  // namespace
}  // namespace hdrive::server::portal
