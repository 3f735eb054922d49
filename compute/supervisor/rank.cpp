// SPDX-License-Identifier: Apache-2.0
#include "compute/supervisor/rank.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

namespace hdrive::supervisor {
namespace {

namespace protocol = compute::protocol;

constexpr int kMostServed = 1024;  // processes of tensorflow

void set_number(const char* name, long long value) {
  char text[24];
  snprintf(text, sizeof text, "%lld", value);
  setenv(name, text, 1);
}

// `count` ports that are free at once, of the loopback address or of all.
bool free_ports(int* ports, int count, bool loopback) {
  int open_sockets[kMostServed];
  int taken = 0;
  bool found = count <= kMostServed;
  for (; found && taken < count; ++taken) {
    const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(loopback ? INADDR_LOOPBACK : INADDR_ANY);
    socklen_t size = sizeof address;
    open_sockets[taken] = fd;
    found = fd >= 0 && bind(fd, reinterpret_cast<sockaddr*>(&address), size) == 0 &&
            getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size) == 0;
    ports[taken] = ntohs(address.sin_port);
  }
  for (int i = 0; i < taken; ++i) close(open_sockets[i]);
  return found;
}

// "host:port" of the task; of several nodes each has the same ports, counted from MASTER_PORT on.
int put_task(char* text, unsigned long size, const Plan& plan, int task, const char* hosts,
             const char* ports) {
  if (plan.nodes == 1) {
    for (int i = 0; i < task && ports; ++i) ports = strchr(ports + 1, ',');
    const int port = ports ? atoi(ports + (*ports == ',' ? 1 : 0)) : 0;
    return snprintf(text, size, "\"localhost:%d\"", port);
  }
  const int node = task / plan.per_node;
  for (int i = 0; i < node && hosts; ++i) hosts = strchr(hosts + 1, ',');
  if (hosts && *hosts == ',') ++hosts;
  const char* master = getenv("MASTER_PORT");
  const int length = hosts ? static_cast<int>(strcspn(hosts, ",")) : 0;
  const bool colons = hosts && memchr(hosts, ':', static_cast<size_t>(length));  // IPv6
  return snprintf(text, size, colons ? "\"[%.*s]:%d\"" : "\"%.*s:%d\"", length, hosts ? hosts : "",
                  (master ? atoi(master) : 0) + 1 + task % plan.per_node);
}

void set_tf_config(const Plan& plan, int rank) {
  const char* hosts = getenv("HDRIVE_HOSTS");
  const char* ports = getenv("HDRIVE_PORTS");
  const unsigned long size = 256 + 300UL * static_cast<unsigned long>(plan.processes());
  char* text = static_cast<char*>(malloc(size));
  if (!text) return;
  unsigned long at = 0;
  const auto add = [&](const char* more) {
    at += static_cast<unsigned long>(snprintf(text + at, size - at, "%s", more));
  };
  const auto add_tasks = [&](int from, int to) {
    for (int task = from; task < to; ++task) {
      if (task > from) add(", ");
      at += static_cast<unsigned long>(put_task(text + at, size - at, plan, task, hosts, ports));
    }
  };
  add("{\"cluster\": {\"worker\": [");
  add_tasks(0, plan.workers);
  add("]");
  if (plan.servers > 0) {
    add(", \"ps\": [");
    add_tasks(plan.workers, plan.workers + plan.servers);
    add("]");
  }
  const bool is_worker = rank < plan.workers;
  at += static_cast<unsigned long>(
      snprintf(text + at, size - at,
               "}, \"task\": {\"type\": \"%s\", \"index\": %d}, \"environment\": \"cloud\"}",
               is_worker ? "worker" : "ps", is_worker ? rank : rank - plan.workers));
  setenv("TF_CONFIG", text, 1);
  free(text);
}

// Several processes of one machine that each take all of its processors are in each other's way.
void share_processors(int processes) {
  cpu_set_t set;
  if (getenv("OMP_NUM_THREADS") || sched_getaffinity(0, sizeof set, &set) != 0) return;
  const int share = CPU_COUNT(&set) / (processes > 0 ? processes : 1);
  set_number("OMP_NUM_THREADS", share > 0 ? share : 1);
}

bool make_folder(const char* path) { return mkdir(path, 0700) == 0 || errno == EEXIST; }

bool redirect(const char* path, int to) {
  const int fd = open(
      path, O_WRONLY | O_CREAT | O_APPEND | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC, 0600);
  struct stat status {};
  if (fd < 0 || fstat(fd, &status) != 0) return false;
  errno = EINVAL;
  const bool done =
      S_ISREG(status.st_mode) && fcntl(fd, F_SETFL, O_APPEND) == 0 && dup2(fd, to) == to;
  close(fd);
  return done;
}

// What others than the first print is in nobody's way, and nobody takes it for the run's metrics.
bool write_elsewhere(const Plan& plan, int rank, const char* directory) {
  char path[4200];
  snprintf(path, sizeof path, "%s/processes", directory);
  if (!make_folder(path)) return false;
  name_file(path, sizeof path, directory, rank, "");
  if (!make_folder(path)) return false;
  name_file(path, sizeof path, directory, rank, "stdout.log");
  if (!redirect(path, STDOUT_FILENO)) return false;
  name_file(path, sizeof path, directory, rank, "stderr.log");
  if (!redirect(path, STDERR_FILENO)) return false;
  if (plan.metrics_of_all) return true;
  name_file(path, sizeof path, directory, rank, "metrics.jsonl");
  setenv("HDRIVE_METRICS_FILE", path, 1);
  if (!getenv("MLFLOW_RUN_ID")) return true;
  char uri[4300];
  name_file(path, sizeof path, directory, rank, "mlruns");
  snprintf(uri, sizeof uri, "file://%s", path);
  setenv("MLFLOW_TRACKING_URI", uri, 1);
  unsetenv("MLFLOW_RUN_ID");
  return true;
}

}  // namespace

bool Plan::read(const char* text) {
  int all = 0, length = 0;
  char word[16];
  if (sscanf(text, "%15s %d %d %d %d %d %d%n", word, &nodes, &per_node, &workers, &servers, &all,
             &node, &length) != 7)
    return false;
  type = word[0];
  metrics_of_all = all != 0;
  launcher = text + length;
  return nodes > 0 && per_node > 0 && processes() > 0;
}

void name_file(char* path, unsigned long size, const char* directory, int rank, const char* name) {
  snprintf(path, size, "%s/processes/%d%s%s", directory, rank, *name ? "/" : "", name);
}

bool choose_addresses(const Plan& plan) {
  const bool alone = plan.nodes == 1;
  char host[256] = "127.0.0.1";
  if (!alone) gethostname(host, sizeof host - 1);
  if (!getenv("MASTER_ADDR")) setenv("MASTER_ADDR", host, 1);
  int ports[kMostServed];
  const int tasks = alone && plan.type == 't' ? plan.processes() : 0;
  if (!free_ports(ports, 1 + tasks, alone)) return false;
  if (!getenv("MASTER_PORT")) set_number("MASTER_PORT", ports[0]);
  if (tasks == 0) return true;
  char text[8 * kMostServed];
  int at = 0;
  for (int i = 0; i < tasks; ++i)
    at += snprintf(text + at, sizeof text - static_cast<unsigned long>(at), "%s%d",
                   i == 0 ? "" : ",", ports[i + 1]);
  setenv("HDRIVE_PORTS", text, 1);
  return true;
}

bool await_nodes(const char* directory, const sigset_t& signals) {
  char path[4200], text[1 << 14] = {};
  const char* attempt = getenv("HDRIVE_ATTEMPT");
  snprintf(path, sizeof path, "%s/%s%s", directory, protocol::kNodesFile, attempt ? attempt : "1");
  while (true) {
    const int fd = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    const ssize_t size = fd < 0 ? -1 : read(fd, text, sizeof text - 1);
    if (fd >= 0) close(fd);
    if (size > 0) break;
    const timespec pause{0, protocol::kNodesLookMs * 1'000'000L};
    const int signal = sigtimedwait(&signals, nullptr, &pause);
    if (signal == SIGTERM || signal == SIGINT || signal == SIGUSR1) return false;
  }
  constexpr const char* kNames[] = {"MASTER_ADDR", "MASTER_PORT", "HDRIVE_HOSTS"};
  char* line = text;
  for (const char* name : kNames) {
    char* end = strchr(line, '\n');
    if (!end) return false;
    *end = 0;
    setenv(name, line, 0);
    line = end + 1;
  }
  return true;
}

bool become_rank(const Plan& plan, const Rank& rank, const char* directory) {
  const int total = plan.processes();
  const int here = total - rank.node * plan.per_node < plan.per_node
                       ? total - rank.node * plan.per_node
                       : plan.per_node;
  if (plan.type == 't') {
    set_tf_config(plan, rank.rank);
  } else {
    set_number("RANK", rank.rank);
    set_number("LOCAL_RANK", rank.local);
    set_number("WORLD_SIZE", total);
    set_number("LOCAL_WORLD_SIZE", here);
    set_number("NODE_RANK", rank.node);
    set_number("GROUP_RANK", rank.node);
  }
  if (plan.type == 'm') {
    set_number("OMPI_COMM_WORLD_RANK", rank.rank);
    set_number("OMPI_COMM_WORLD_SIZE", total);
    set_number("OMPI_COMM_WORLD_LOCAL_RANK", rank.local);
    set_number("OMPI_COMM_WORLD_LOCAL_SIZE", here);
  }
  char master[320];
  const char* address = getenv("MASTER_ADDR");
  snprintf(master, sizeof master, address && strchr(address, ':') ? "[%s]:%s" : "%s:%s",
           address ? address : "", getenv("MASTER_PORT") ? getenv("MASTER_PORT") : "");
  setenv("AZ_BATCH_MASTER_NODE", master, 1);
  unsetenv("HDRIVE_PORTS");
  set_number("HDRIVE_RANK", rank.rank);
  share_processors(here);
  return rank.rank == 0 || write_elsewhere(plan, rank.rank, directory);
}

}  // namespace hdrive::supervisor
