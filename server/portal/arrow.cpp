// SPDX-License-Identifier: Apache-2.0
#include "server/portal/arrow.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <memory>
#include <variant>

#include "base/text.h"

namespace hdrive::server::portal {
namespace {

static_assert(std::endian::native == std::endian::little, "Arrow's numbers are little-endian");

using ColumnKind = ArrowColumn::Kind;

template <class T>
void put(std::string& bytes, T value) {
  bytes.append(reinterpret_cast<const char*>(&value), sizeof value);
}

void pad_to(std::string& bytes, std::size_t alignment) {
  bytes.resize((bytes.size() + alignment - 1) / alignment * alignment, '\0');
}

// ---- Flatbuffers --------------------------------------------------------------------------------
//
// Written forwards: an object comes behind whoever refers to it, whose reference is filled in then.

struct Node {
  virtual ~Node() = default;
  /// Appends itself, aligned, and gives where it begins.
  virtual std::size_t write(std::string& bytes) const = 0;
};
using NodePointer = std::unique_ptr<Node>;

void refer(std::string& bytes, std::size_t from, const Node& to) {
  const auto distance = static_cast<std::uint32_t>(to.write(bytes) - from);
  std::memcpy(bytes.data() + from, &distance, sizeof distance);
}

struct FlatText final : Node {
  explicit FlatText(std::string value) : text(std::move(value)) {}
  std::size_t write(std::string& bytes) const override {
    pad_to(bytes, 4);
    const std::size_t at = bytes.size();
    put(bytes, static_cast<std::uint32_t>(text.size()));
    bytes += text;
    bytes += '\0';
    return at;
  }
  std::string text;
};

struct References final : Node {
  std::size_t write(std::string& bytes) const override {
    pad_to(bytes, 4);
    const std::size_t at = bytes.size();
    put(bytes, static_cast<std::uint32_t>(nodes.size()));
    bytes.resize(bytes.size() + 4 * nodes.size());
    for (std::size_t i = 0; i < nodes.size(); ++i) refer(bytes, at + 4 + 4 * i, *nodes[i]);
    return at;
  }
  std::vector<NodePointer> nodes;
};

// Of structures of two numbers.
struct Pairs final : Node {
  std::size_t write(std::string& bytes) const override {
    pad_to(bytes, 8);
    bytes.resize(bytes.size() + 4);  // the pairs behind the count lie at multiples of 8
    const std::size_t at = bytes.size();
    put(bytes, static_cast<std::uint32_t>(pairs.size()));
    for (const auto& [first, second] : pairs) {
      put(bytes, first);
      put(bytes, second);
    }
    return at;
  }
  std::vector<std::pair<std::int64_t, std::int64_t>> pairs;
};

class FlatTable final : public Node {
 public:
  template <class T>
  FlatTable& number(std::size_t field, T value) {
    Slot& slot = at(field);
    slot.size = sizeof value;
    std::memcpy(&slot.value, &value, sizeof value);
    return *this;
  }
  FlatTable& refers(std::size_t field, NodePointer node) {
    Slot& slot = at(field);
    slot.size = 4;
    slot.node = std::move(node);
    return *this;
  }
  std::size_t write(std::string& bytes) const override {
    std::size_t size = 4;  // the way to the list of fields stands first
    std::vector<std::uint16_t> offsets;
    for (const Slot& slot : slots_) {
      if (slot.size > 0) size = (size + slot.size - 1) / slot.size * slot.size;
      offsets.push_back(static_cast<std::uint16_t>(slot.size > 0 ? size : 0));
      size += slot.size;
    }
    pad_to(bytes, 2);
    const std::size_t list = bytes.size();
    put(bytes, static_cast<std::uint16_t>(4 + 2 * offsets.size()));
    put(bytes, static_cast<std::uint16_t>(size));
    for (const std::uint16_t offset : offsets) put(bytes, offset);
    pad_to(bytes, 8);
    const std::size_t start = bytes.size();
    put(bytes, static_cast<std::int32_t>(start - list));
    bytes.resize(start + size);
    for (std::size_t i = 0; i < slots_.size(); ++i)
      std::memcpy(bytes.data() + start + offsets[i], &slots_[i].value,
                  slots_[i].node ? 0 : slots_[i].size);
    for (std::size_t i = 0; i < slots_.size(); ++i)
      if (slots_[i].node) refer(bytes, start + offsets[i], *slots_[i].node);
    return start;
  }

 private:
  struct Slot {
    std::size_t size = 0;  // 0: the field has its default
    std::uint64_t value = 0;
    NodePointer node;
  };
  Slot& at(std::size_t field) {
    if (slots_.size() <= field) slots_.resize(field + 1);
    return slots_[field];
  }
  std::vector<Slot> slots_;
};

// ---- Arrow's metadata (Schema.fbs, Message.fbs) -------------------------------------------------

std::unique_ptr<FlatTable> new_table() { return std::make_unique<FlatTable>(); }

std::pair<std::uint8_t, std::unique_ptr<FlatTable>> type_of(ColumnKind kind) {
  auto type = new_table();
  switch (kind) {
    case ColumnKind::boolean:
      return {6, std::move(type)};
    case ColumnKind::integer:
      type->number(0, std::int32_t{64}).number(1, std::uint8_t{1});
      return {2, std::move(type)};
    case ColumnKind::real:
      type->number(0, std::int16_t{2});  // of double precision
      return {3, std::move(type)};
    case ColumnKind::time:
      type->number(0, std::int16_t{2})
          .refers(1, std::make_unique<FlatText>("UTC"));  // microseconds
      return {10, std::move(type)};
    case ColumnKind::nothing:
    case ColumnKind::text:
      break;
  }
  return {20, std::move(type)};  // text with offsets of 64 bits
}

// What a message is: of a schema or of rows.
constexpr std::uint8_t kSchema = 1, kBatch = 3;

std::string message(std::uint8_t kind, std::unique_ptr<FlatTable> header, const std::string& body) {
  FlatTable root;
  root.number(0, std::int16_t{4})  // version 5
      .number(1, kind)
      .refers(2, std::move(header))
      .number(3, static_cast<std::int64_t>(body.size()));
  std::string metadata(4, '\0');
  refer(metadata, 0, root);
  pad_to(metadata, 8);
  std::string all;
  put(all, std::uint32_t{0xFFFFFFFF});
  put(all, static_cast<std::int32_t>(metadata.size()));
  return all + metadata + body;
}

std::string schema(const std::vector<ArrowColumn>& columns) {
  auto fields = std::make_unique<References>();
  for (const ArrowColumn& column : columns) {
    auto [type, parameters] = type_of(column.kind());
    auto field = new_table();
    field->refers(0, std::make_unique<FlatText>(column.name()))
        .number(1, std::uint8_t{1})  // may be nothing
        .number(2, type)
        .refers(3, std::move(parameters))
        .refers(5, std::make_unique<References>());
    fields->nodes.push_back(std::move(field));
  }
  auto header = new_table();
  header->number(0, std::int16_t{0}).refers(1, std::move(fields));
  return message(kSchema, std::move(header), "");
}

std::string batch(const std::vector<ArrowColumn>& columns) {
  const auto rows = static_cast<std::int64_t>(columns.empty() ? 0 : columns.front().rows());
  auto nodes = std::make_unique<Pairs>(), buffers = std::make_unique<Pairs>();
  std::string body;
  for (const ArrowColumn& column : columns) {
    nodes->pairs.emplace_back(rows, column.nulls());
    for (const std::string& buffer : column.buffers()) {
      buffers->pairs.emplace_back(body.size(), buffer.size());
      body += buffer;
      pad_to(body, 8);
    }
  }
  auto header = new_table();
  header->number(0, rows).refers(1, std::move(nodes)).refers(2, std::move(buffers));
  return message(kBatch, std::move(header), body);
}

std::string bits(const std::vector<bool>& values) {
  std::string bytes((values.size() + 7) / 8, '\0');
  for (std::size_t i = 0; i < values.size(); ++i)
    if (values[i]) bytes[i / 8] = static_cast<char>(bytes[i / 8] | (1 << (i % 8)));
  return bytes;
}

ColumnKind kind_of_value(const Value& value) {
  if (std::holds_alternative<bool>(value)) return ColumnKind::boolean;
  if (std::holds_alternative<std::int64_t>(value)) return ColumnKind::integer;
  if (std::holds_alternative<double>(value)) return ColumnKind::real;
  return ColumnKind::text;
}

}  // namespace

std::int64_t ArrowColumn::nulls() const { return std::count(valid_.begin(), valid_.end(), false); }

void ArrowColumn::turn_into_text() {
  const auto as_json = [&](const Value& value) { texts_.push_back(to_json(value)); };
  if (kind_ == ColumnKind::text)
    for (std::string& each : texts_) each = base::json_string(each);
  for (const std::int64_t each : integers_)
    kind_ == ColumnKind::boolean ? as_json(each != 0) : as_json(each);
  for (const double each : reals_) as_json(each);
  integers_.clear();
  reals_.clear();
  kind_ = ColumnKind::text;
  is_json_ = true;
}

void ArrowColumn::add(const Value& value) {
  if (std::holds_alternative<std::monostate>(value)) return add_nothing();
  valid_.push_back(true);
  const ColumnKind kind = kind_of_value(value);
  const bool is_plain = kind != ColumnKind::text || std::holds_alternative<std::string>(value);
  if (kind_ == ColumnKind::nothing) kind_ = kind;
  if (kind_ == ColumnKind::integer && kind == ColumnKind::real) {
    reals_.assign(integers_.begin(), integers_.end());
    integers_.clear();
    kind_ = ColumnKind::real;
  }
  const bool fits = kind == kind_ || (kind_ == ColumnKind::real && kind == ColumnKind::integer);
  if (!is_json_ && (!fits || !is_plain)) turn_into_text();
  if (is_json_)
    texts_.push_back(to_json(value));
  else if (kind_ == ColumnKind::real)
    reals_.push_back(*as_number(value));
  else if (kind_ == ColumnKind::text)
    texts_.push_back(base::to_utf8(std::get<std::string>(value)));
  else
    integers_.push_back(kind_ == ColumnKind::boolean ? std::get<bool>(value)
                                                     : std::get<std::int64_t>(value));
}

void ArrowColumn::add_text(std::string_view text) {
  valid_.push_back(true);
  texts_.push_back(base::to_utf8(text));
}

void ArrowColumn::add_time(Time time) {
  if (time == Time{}) return add_nothing();
  valid_.push_back(true);
  integers_.push_back(time.time_since_epoch().count());
}

std::vector<std::string> ArrowColumn::buffers() const {
  std::vector<std::string> all{bits(valid_)};
  std::size_t next = 0;
  if (kind_ == ColumnKind::boolean) {
    std::vector<bool> values(valid_.size());
    for (std::size_t i = 0; i < valid_.size(); ++i) values[i] = valid_[i] && integers_[next++] != 0;
    all.push_back(bits(values));
  } else if (kind_ == ColumnKind::text || kind_ == ColumnKind::nothing) {
    std::string offsets, texts;
    put(offsets, std::int64_t{0});
    for (const bool valid : valid_) {
      if (valid) texts += texts_[next++];
      put(offsets, static_cast<std::int64_t>(texts.size()));
    }
    all.push_back(std::move(offsets));
    all.push_back(std::move(texts));
  } else {
    std::string values;
    for (const bool valid : valid_)
      if (kind_ == ColumnKind::real)
        put(values, valid ? reals_[next++] : 0.0);
      else
        put(values, valid ? integers_[next++] : std::int64_t{0});
    all.push_back(std::move(values));
  }
  return all;
}

std::string arrow_stream(const std::vector<ArrowColumn>& columns) {
  std::string all = schema(columns) + batch(columns);
  put(all, std::uint32_t{0xFFFFFFFF});
  put(all, std::int32_t{0});
  return all;
}

}  // namespace hdrive::server::portal
