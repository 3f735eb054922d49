// SPDX-License-Identifier: Apache-2.0
#include "compute/batch/unshared_job.h"

#include "base/base64.h"
#include "base/text.h"

namespace hdrive::compute {
namespace {

// Fetches the two modules that do the rest, as long as it takes until the engine answers, and not through a proxy.
constexpr char kLoader[] = R"(
import ssl, sys, time, types, urllib.request as r
x = None
if u.startswith("https"):
    x = ssl.create_default_context()
    if c:
        x.load_verify_locations(cadata=c)
        x.verify_flags |= 0x80000
o = r.build_opener(r.ProxyHandler({}), *([r.HTTPSHandler(context=x)] if x else []))
def get(n):
    p, end = 1, time.time() + 3600
    while True:
        try:
            return o.open(r.Request(u + "/job/.python/" + n, headers={"Authorization": "Bearer " + t}), timeout=60).read()
        except OSError as e:
            if getattr(e, "code", 500) < 500 or time.time() > end:
                sys.exit("hdrive: %s: %s" % (u, e))
        time.sleep(p)
        p = min(2 * p, 30)
for n in ("hdrive_report", "hdrive_job"):
    m = sys.modules[n] = types.ModuleType(n)
    exec(compile(get(n + ".py"), n, "exec"), m.__dict__)
sys.exit(sys.modules["hdrive_job"].main(u, t, c))
)";

std::string loader(const ServerAccess& access) {
  return base::base64("u = " + base::json_string(access.url) +
                      "\nt = " + base::json_string(access.token) +
                      "\nc = " + base::json_string(access.certificate) + kLoader);
}

}  // namespace

Result<RunRequest> request_there(const RunRequest& request) {
  if (request.workspace.snapshot.empty())
    return Error{
        "run " + std::to_string(request.run),
        "its job shares no files with this machine, and there is no snapshot of the source "
        "folder that it could fetch; leave working_directory: source away",
        Error::Kind::invalid};
  RunRequest there = request;
  there.directory = kJobPlace;
  there.working_directory = std::filesystem::path(kJobPlace) / "work";
  there.workspace.source.clear();
  return there;
}

std::string inline_command(const ServerAccess& access) {
  return "echo " + loader(access) + " | base64 -d | python3";
}

std::string starting_script(const ServerAccess& access, std::span<const std::string> directives) {
  std::string text = "#!/bin/sh\n";
  for (const std::string& line : directives) text += line + "\n";
  return text + "exec python3 -c 'exec(__import__(\"base64\").b64decode(\"" + loader(access) +
         "\"))'\n";
}

}  // namespace hdrive::compute
