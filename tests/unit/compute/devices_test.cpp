// SPDX-License-Identifier: Apache-2.0
//
// GPUs and processors for runs, on made-up devices: nothing here needs a GPU.
#include "compute/devices.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <set>

#include "tests/catch.h"
#include "tests/support/temporary_directory.h"

using namespace hdrive;
using namespace hdrive::compute;
namespace fs = std::filesystem;

namespace {

DevicePool pool_of(const DeviceOptions& options, std::vector<int> cpus = {0, 1, 2, 3}) {
  auto pool = DevicePool::make(options, std::move(cpus));
  REQUIRE(pool);
  return *std::move(pool);
}

DeviceShare taken(DevicePool& pool, RunId run) {
  auto share = pool.take(run);
  if (!share) FAIL(share.error().message());
  return *share;
}

}  // namespace

TEST_CASE("each run has a GPU of its own, the lowest that is free") {
  DevicePool pool = pool_of({.gpus = {"0", "1", "3"}});
  CHECK(taken(pool, 0).gpus == std::vector<std::string>{"0"});
  CHECK(taken(pool, 1).gpus == std::vector<std::string>{"1"});
  CHECK(taken(pool, 2).gpus == std::vector<std::string>{"3"});
  const auto none = pool.take(3);
  REQUIRE_FALSE(none);
  CHECK(none.error().kind == Error::Kind::busy);
  pool.release(1);
  CHECK(taken(pool, 3).gpus == std::vector<std::string>{"1"});
}

TEST_CASE("a part of a GPU is shared by as many runs as it has parts") {
  DevicePool pool = pool_of({.gpus = {"0", "1"}, .gpus_per_run = 0.5});
  std::multiset<std::string> users;
  for (RunId run = 0; run < 4; ++run) users.insert(taken(pool, run).gpus.at(0));
  CHECK(users == std::multiset<std::string>{"0", "0", "1", "1"});
  CHECK_FALSE(pool.take(4));
  CHECK(pool.capacity()->runs == 4);
}

TEST_CASE("a third of a GPU is room for three") {
  CHECK(pool_of({.gpus = {"0"}, .gpus_per_run = 1.0 / 3}).capacity()->runs == 3);
  CHECK(pool_of({.gpus = {"0"}, .gpus_per_run = 0.333}).capacity()->runs == 3);
}

TEST_CASE("a run may have several GPUs") {
  DevicePool pool = pool_of({.gpus = {"0", "1", "2", "3", "4"}, .gpus_per_run = 2});
  CHECK(pool.capacity()->runs == 2);
  CHECK(taken(pool, 0).gpus == std::vector<std::string>{"0", "1"});
  CHECK(taken(pool, 1).gpus == std::vector<std::string>{"2", "3"});
  CHECK_FALSE(pool.take(2));
}

TEST_CASE("more GPUs a run than there are is refused with their number") {
  const auto pool = DevicePool::make({.gpus = {"0", "1"}, .gpus_per_run = 3}, {0});
  REQUIRE_FALSE(pool);
  CHECK(pool.error().message() ==
        "gpus_per_run, or gpus of resources: is 3, but there are 2 GPUs: 0, 1");
}

TEST_CASE("processors are handed out to one run each") {
  DevicePool pool = pool_of({.cpus_per_run = 2}, {2, 3, 6, 7, 9});
  CHECK(pool.capacity()->runs == 2);
  const DeviceShare first = taken(pool, 0), second = taken(pool, 1);
  CHECK(first.cpus == std::vector<int>{2, 3});
  CHECK(second.cpus == std::vector<int>{6, 7});
  CHECK_FALSE(pool.take(2));
}

TEST_CASE("without devices to hand out, runs get none and there is no limit") {
  DevicePool pool = pool_of({});
  CHECK(taken(pool, 0).empty());
  CHECK_FALSE(pool.capacity());
}

TEST_CASE("two sweeps of one user are not on one GPU, unless both say so") {
  const test::TemporaryDirectory directory;
  DeviceOptions options{.gpus = {"0", "1"}, .lock_directory = directory.path() / "gpus"};
  options.holder = "sweep HD_1, process 12";
  DevicePool one = pool_of(options);
  taken(one, 0);
  options.holder = "sweep HD_2, process 13";
  DevicePool other = pool_of(options);
  CHECK(taken(other, 0).gpus == std::vector<std::string>{"1"});
  const auto refused = other.take(1);
  REQUIRE_FALSE(refused);
  CHECK(refused.error().kind == Error::Kind::busy);
  CHECK_THAT(refused.error().message(), Catch::Contains("GPU 0: is used by another sweep of yours "
                                                        "(sweep HD_1, process 12)"));
  one.release(0);
  CHECK(taken(other, 1).gpus == std::vector<std::string>{"0"});

  options.share_gpus = true;
  options.gpus = {"5"};
  DevicePool sharing = pool_of(options), with = pool_of(options);
  CHECK(taken(sharing, 0).gpus == taken(with, 0).gpus);
  options.share_gpus = false;
  CHECK_FALSE(pool_of(options).take(0));
}

TEST_CASE(
    "a GPU stays taken as long as a process of its run lives, whatever became of the engine") {
  const test::TemporaryDirectory directory;
  const DeviceOptions options{.gpus = {"0"}, .lock_directory = directory.path() / "gpus"};
  base::UniqueFd inherited;  // as the supervisor of the run has it
  {
    DevicePool died = pool_of(options);
    inherited = base::UniqueFd(::dup(taken(died, 7).locks.at(0)->get()));
  }
  CHECK_FALSE(pool_of(options).take(0));
  SECTION("the engine that goes on with the sweep knows the run, and does not wait for itself") {
    DeviceOptions halves = options;
    halves.gpus_per_run = 0.5;
    DevicePool resumed = pool_of(halves);
    resumed.adopt(7, {.gpus = {"0"}});
    CHECK(taken(resumed, 8).gpus == std::vector<std::string>{"0"});
    inherited.reset();
    resumed.release(7);
    CHECK_FALSE(pool_of(options).take(0));  // run 8 is still there
    resumed.release(8);
    CHECK(pool_of(options).take(0));
  }
  SECTION("when it is gone, so is the lock") {
    inherited.reset();
    CHECK(pool_of(options).take(0));
  }
}

TEST_CASE("too few free GPUs are left to others that wait") {
  const test::TemporaryDirectory directory;
  DeviceOptions options{
      .gpus = {"0", "1"}, .gpus_per_run = 1, .lock_directory = directory.path() / "gpus"};
  DevicePool single = pool_of(options);
  taken(single, 0);
  options.gpus_per_run = 2;
  DevicePool both = pool_of(options);
  CHECK_FALSE(both.take(0));
  CHECK(taken(single, 1).gpus == std::vector<std::string>{"1"});
}

TEST_CASE("a lock directory that others can write to is refused") {
  const test::TemporaryDirectory directory;
  fs::create_directory(directory.path() / "gpus");
  REQUIRE(::chmod((directory.path() / "gpus").c_str(), 0777) == 0);
  const auto pool =
      DevicePool::make({.gpus = {"0"}, .lock_directory = directory.path() / "gpus"}, {0});
  REQUIRE_FALSE(pool);
  CHECK(pool.error().kind == Error::Kind::not_allowed);
}

TEST_CASE("GPUs are found where drivers list them") {
  const test::TemporaryDirectory root;
  CHECK(find_gpus_below(root.path()).empty());
  const fs::path nodes = root.path() / "sys/class/kfd/kfd/topology/nodes";
  fs::create_directories(nodes / "0");
  fs::create_directories(nodes / "1");
  REQUIRE(base::write_file_atomically(nodes / "0/properties", "cpu_cores_count 8\nsimd_count 0\n"));
  REQUIRE(base::write_file_atomically(nodes / "1/properties", "simd_count 240\n"));
  CHECK(find_gpus_below(root.path()) == std::vector<std::string>{"0"});
  fs::create_directories(root.path() / "dev");
  for (const char* name : {"nvidia0", "nvidia1", "nvidiactl", "nvidia-uvm"})
    REQUIRE(base::write_file_atomically(root.path() / "dev" / name, ""));
  CHECK(find_gpus_below(root.path()) == std::vector<std::string>{"0", "1"});
  for (const char* bus : {"0000:01:00.0", "0000:02:00.0", "0000:03:00.0"})
    fs::create_directories(root.path() / "proc/driver/nvidia/gpus" / bus);
  CHECK(find_gpus_below(root.path()) == std::vector<std::string>{"0", "1", "2"});
}

TEST_CASE("an engine that was given some GPUs hands out those alone") {
  CHECK(find_gpus("2,GPU-8f1c") == std::vector<std::string>{"2", "GPU-8f1c"});
  CHECK(find_gpus("1,-1,2") == std::vector<std::string>{"1"});
  CHECK(find_gpus("").empty());
}

TEST_CASE("a GPU that is named twice is one") {
  CHECK(find_gpus("0,0") == std::vector<std::string>{"0"});
  CHECK(find_gpus("0, 0,-1,3") == std::vector<std::string>{"0"});
  CHECK(find_gpus("1,GPU-8f1c,1,GPU-8f1c,2") == std::vector<std::string>{"1", "GPU-8f1c", "2"});
}
