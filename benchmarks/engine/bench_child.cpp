// SPDX-License-Identifier: Apache-2.0
//
// A training program without the training, for run.py:
//
//   bench_child lines N       logs N metrics as fast as it can write them
//   bench_child condemned F   logs a poor value, waits for SIGTERM, appends to F the milliseconds in between;
//                             run 0 logs a good value instead and ends
#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <string_view>

namespace {

using Seconds = std::chrono::duration<double>;
using Clock = std::chrono::steady_clock;

int lines(const char* metrics, long count) {
  std::FILE* file = std::fopen(metrics, "a");
  if (!file) return 1;
  const auto began = Clock::now();
  for (long i = 0; i < count; ++i)
    std::fprintf(file, "{\"name\": \"loss\", \"value\": %.6f, \"step\": %ld}\n",
                 1.0 / static_cast<double>(i + 1), i);
  if (std::fclose(file) != 0) return 1;
  std::printf("%.4f\n", Seconds(Clock::now() - began).count());
  return 0;
}

bool log(const char* metrics, double value) {
  const std::string line = "{\"name\": \"loss\", \"value\": " + std::to_string(value) + "}\n";
  const int file = open(metrics, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0644);
  return file >= 0 && write(file, line.data(), line.size()) == static_cast<ssize_t>(line.size());
}

int condemned(const char* metrics, const char* record) {
  sigset_t term;
  sigemptyset(&term);
  sigaddset(&term, SIGTERM);
  sigprocmask(SIG_BLOCK, &term, nullptr);

  const std::string_view run = std::getenv("AZUREML_RUN_ID");
  if (run.ends_with("_0")) return log(metrics, 0.1) ? 0 : 1;

  const auto logged = Clock::now();
  if (!log(metrics, 1.0)) return 1;
  int signal = 0;
  sigwait(&term, &signal);
  const double milliseconds = Seconds(Clock::now() - logged).count() * 1000;
  std::FILE* file = std::fopen(record, "a");
  if (!file) return 1;
  std::fprintf(file, "%.3f\n", milliseconds);
  return std::fclose(file);
}

}  // namespace

int main(int argc, char** argv) {
  const char* metrics = std::getenv("HDRIVE_METRICS_FILE");
  if (argc < 3 || !metrics || !std::getenv("AZUREML_RUN_ID")) {
    std::fprintf(stderr,
                 "bench_child: usage, in a run of hdrive: bench_child lines N | condemned FILE\n");
    return 2;
  }
  if (std::strcmp(argv[1], "lines") == 0) return lines(metrics, std::atol(argv[2]));
  return condemned(metrics, argv[2]);
}
