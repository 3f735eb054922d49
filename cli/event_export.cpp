// SPDX-License-Identifier: Apache-2.0
#include "cli/event_export.h"

#include <fmt/format.h>

#include <bit>
#include <map>
#include <set>
#include <string>
#include <variant>
#include <vector>

#include "base/file.h"
#include "base/text.h"
#include "base/tfrecord.h"
#include "cli/command.h"
#include "hdrive/reader.h"

namespace hdrive::cli {
namespace {

namespace fs = std::filesystem;

// A message of protocol buffers, written field by field.
class Message {
 public:
  Message& bytes(int field, std::string_view value) {
    varint(static_cast<std::uint64_t>(field) << 3 | 2);
    varint(value.size());
    text_ += value;
    return *this;
  }
  Message& message(int field, const Message& value) { return bytes(field, value.text_); }
  Message& real(int field, double value) {
    varint(static_cast<std::uint64_t>(field) << 3 | 1);
    text_ += base::little_endian(std::bit_cast<std::uint64_t>(value), 8);
    return *this;
  }
  Message& small_real(int field, float value) {
    varint(static_cast<std::uint64_t>(field) << 3 | 5);
    text_ += base::little_endian(std::bit_cast<std::uint32_t>(value), 4);
    return *this;
  }
  Message& integer(int field, std::int64_t value) {
    varint(static_cast<std::uint64_t>(field) << 3);
    varint(static_cast<std::uint64_t>(value));
    return *this;
  }
  const std::string& text() const { return text_; }

 private:
  void varint(std::uint64_t value) {
    for (; value > 0x7f; value >>= 7) text_ += static_cast<char>(value | 0x80);
    text_ += static_cast<char>(value);
  }
  std::string text_;
};

double seconds(Time time) { return static_cast<double>(time.time_since_epoch().count()) / 1e6; }

// tensorflow/core/util/event.proto
std::string event(double wall_time, std::int64_t step, int field, const std::string& content) {
  Message message;
  message.real(1, wall_time);
  if (step != 0) message.integer(2, step);
  return base::tf_record(message.bytes(field, content).text());
}
constexpr int kFileVersion = 3, kSummary = 5;

std::string scalar(const Metric& metric, std::int64_t step, Time time) {
  Message value;
  value.bytes(1, base::to_utf8(metric.name)).small_real(2, static_cast<float>(metric.value));
  return event(seconds(time), step, kSummary, Message().message(1, value).text());
}

// ---- HParams (tensorboard/plugins/hparams/plugin_data.proto and api.proto) ----------------------

enum PluginData { kExperiment = 2, kSessionStart = 3, kSessionEnd = 4 };
enum SessionStatus { kUnknown = 0, kSuccess = 1, kFailure = 2, kRunning = 3 };

std::string hparams(const char* tag, PluginData field, const Message& content, double wall_time) {
  const Message data = Message().message(field, content);
  const Message plugin = Message().bytes(1, "hparams").bytes(2, data.text());
  // Without a tensor, and be it an empty one, it is not read.
  const Message nothing =
      Message().integer(1, 1).message(2, Message().message(2, Message().integer(1, 0)));
  const Message value =
      Message().bytes(1, tag).message(8, nothing).message(9, Message().message(1, plugin));
  return event(wall_time, 0, kSummary, Message().message(1, value).text());
}

// google.protobuf.Value
Message any_value(const Value& value) {
  Message message;
  if (const auto* flag = std::get_if<bool>(&value)) return message.integer(4, *flag ? 1 : 0);
  if (const auto number = as_number(value)) return message.real(2, *number);
  return message.bytes(3, base::to_utf8(to_text(value)));
}

std::string shown_name(const std::string& name) {
  return base::to_utf8(std::string(bare_name(name)));
}

// Of a choice its options; of the rest the bounds, where it has any.
Message hparam_info(const Parameter& parameter) {
  enum Type { kString = 1, kBool = 2, kNumber = 3 };
  Message info;
  info.bytes(1, shown_name(parameter.name));
  const auto* choice = std::get_if<Choice>(&parameter.expression);
  if (!choice) return info.integer(4, kNumber);
  bool flags = true, numbers = true;
  Message options;
  for (const Value& option : choice->options) {
    const bool is_flag = std::holds_alternative<bool>(option);
    flags = flags && is_flag;
    numbers = numbers && !is_flag && as_number(option);
    options.message(1, any_value(option));
  }
  return info.integer(4, flags ? kBool : numbers ? kNumber : kString).message(5, options);
}

Message experiment(const SweepEntry& sweep, const SweepSpec& spec) {
  const SweepHeader& header = sweep.header;
  Message message;
  message.bytes(6, base::to_utf8(header.name.empty() ? header.id : header.name));
  message.real(3, seconds(header.created));
  std::set<std::string> told;  // one of several branches is enough
  for (const Parameter& parameter : spec.space.parameters)
    if (told.insert(shown_name(parameter.name)).second) message.message(4, hparam_info(parameter));
  const Message metric = Message().bytes(2, base::to_utf8(header.metric));
  return message.message(5, Message().message(1, metric));
}

Message session_start(const StoredRun& stored, const SweepHeader& header) {
  Message message;
  for (const Binding& binding : stored.run.parameters)
    message.message(
        1, Message().bytes(1, shown_name(binding.name)).message(2, any_value(binding.value)));
  message.bytes(4, fmt::format("{}_{}", header.id, stored.run.id));
  return message.real(5, seconds(stored.run.started));
}

Message session_end(const Run& run) {
  SessionStatus status = kRunning;
  if (run.status == RunStatus::failed) status = kFailure;
  // One that was stopped early has done what it was to do.
  if (run.status == RunStatus::completed || run.ended_by == EndCause::policy) status = kSuccess;
  if (run.status == RunStatus::canceled && run.ended_by != EndCause::policy) status = kUnknown;
  Message message;
  message.integer(1, status);
  if (is_terminal(run.status)) message.real(2, seconds(run.ended));
  return message;
}

// ---- files --------------------------------------------------------------------------------------

class Export {
 public:
  Export(const SweepEntry& sweep, const fs::path& directory)
      : sweep_(sweep), directory_(directory) {}

  void write(const SweepSpec& spec, SweepReader& reader) {
    const double created = seconds(sweep_.header.created);
    store("", hparams("_hparams_/experiment", kExperiment, experiment(sweep_, spec), created));
    ok_or_fail(reader.each_run({}, [&](const StoredRun& stored) { runs_.push_back(stored); }));
    std::string text;
    std::int64_t run = -1;
    std::map<std::string, std::int64_t> counts;
    const auto finish = [&] {
      if (run >= 0) write_run(runs_[static_cast<std::size_t>(run)], text);
    };
    std::set<RunId> written;
    ok_or_fail(reader.each_metric(std::nullopt, [&](const StoredMetric& stored) {
      if (stored.run >= static_cast<RunId>(runs_.size()) ||
          stored.attempt != runs_[static_cast<std::size_t>(stored.run)].run.attempt)
        return;
      if (stored.run != run) {
        finish();
        run = stored.run;
        written.insert(run);
        text.clear();
        counts.clear();
      }
      const std::int64_t place = counts[stored.metric.name]++;
      text += scalar(stored.metric, stored.metric.step.value_or(place),
                     stored.metric.time.value_or(Time{}));
    }));
    finish();
    for (const StoredRun& stored : runs_)
      if (!written.contains(stored.run.id)) write_run(stored, "");
  }

 private:
  void write_run(const StoredRun& stored, const std::string& scalars) const {
    const double began = seconds(stored.run.started);
    std::string text = hparams("_hparams_/session_start_info", kSessionStart,
                               session_start(stored, sweep_.header), began);
    text += scalars;
    text += hparams("_hparams_/session_end_info", kSessionEnd, session_end(stored.run),
                    seconds(stored.run.ended));
    store(fmt::format("run_{:04}", stored.run.id), text);
  }

  // Always under the same name, so that what is exported again takes its place.
  void store(const std::string& folder, const std::string& records) const {
    const fs::path place = folder.empty() ? directory_ : directory_ / folder;
    ok_or_fail(base::make_directories(place));
    const double created = seconds(sweep_.header.created);
    ok_or_fail(base::write_file_atomically(
        place / fmt::format("events.out.tfevents.{:010.0f}.{}", created, sweep_.header.id),
        event(created, 0, kFileVersion, "brain.Event:2") + records, /*durable=*/false,
        base::Access::others));
  }

  const SweepEntry& sweep_;
  const fs::path& directory_;
  std::vector<StoredRun> runs_;
};

}  // namespace

void export_events(const SweepEntry& sweep, const SweepSpec& spec, SweepReader& reader,
                   const fs::path& directory) {
  Export(sweep, directory).write(spec, reader);
}

}  // namespace hdrive::cli
