// SPDX-License-Identifier: Apache-2.0
#include "python/arrow.h"

#include <cerrno>
#include <cstring>
#include <string>
#include <utility>
#include <vector>

namespace nb = nanobind;

extern "C" {

struct ArrowSchema {
  const char* format;
  const char* name;
  const char* metadata;
  int64_t flags;
  int64_t n_children;
  struct ArrowSchema** children;
  struct ArrowSchema* dictionary;
  void (*release)(struct ArrowSchema*);
  void* private_data;
};

struct ArrowArray {
  int64_t length;
  int64_t null_count;
  int64_t offset;
  int64_t n_buffers;
  int64_t n_children;
  const void** buffers;
  struct ArrowArray** children;
  struct ArrowArray* dictionary;
  void (*release)(struct ArrowArray*);
  void* private_data;
};

struct ArrowArrayStream {
  int (*get_schema)(struct ArrowArrayStream*, struct ArrowSchema* out);
  int (*get_next)(struct ArrowArrayStream*, struct ArrowArray* out);
  const char* (*get_last_error)(struct ArrowArrayStream*);
  void (*release)(struct ArrowArrayStream*);
  void* private_data;
};
}

namespace hdrive::python {
namespace {

constexpr std::int64_t kNullable = 2;  // ARROW_FLAG_NULLABLE

const char* format_of(const Column& column) {
  if (column.is_time) return "tsu:UTC";
  if (std::holds_alternative<Column::Integers>(column.values)) return "l";
  if (std::holds_alternative<Column::Numbers>(column.values)) return "g";
  return "U";  // text with 64-bit offsets; of several kinds: as JSON
}

// ---- schemas ------------------------------------------------------------------------------------

struct SchemaData {
  std::string name;
  std::vector<ArrowSchema> children;
  std::vector<ArrowSchema*> pointers;
};

// Children may have been moved out; theirs is then not ours to release.
template <class Structure, class Data>
void release(Structure* structure) {
  auto* data = static_cast<Data*>(structure->private_data);
  for (auto& child : data->children)
    if (child.release) child.release(&child);
  structure->release = nullptr;
  delete data;
}

ArrowSchema make_schema(const char* format, std::string name, std::vector<ArrowSchema> children,
                        std::int64_t flags) {
  auto* data = new SchemaData{std::move(name), std::move(children), {}};
  for (ArrowSchema& child : data->children) data->pointers.push_back(&child);
  return {format,
          data->name.c_str(),
          nullptr,
          flags,
          static_cast<std::int64_t>(data->children.size()),
          data->pointers.empty() ? nullptr : data->pointers.data(),
          nullptr,
          release<ArrowSchema, SchemaData>,
          data};
}

ArrowSchema schema_of(const Columns& columns) {
  std::vector<ArrowSchema> children;
  for (const Column& column : columns.columns)
    children.push_back(make_schema(format_of(column), column.name, {}, kNullable));
  return make_schema("+s", "", std::move(children), 0);
}

// ---- arrays -------------------------------------------------------------------------------------

struct ArrayData {
  std::vector<ArrowArray> children;
  std::vector<ArrowArray*> pointers;
  std::vector<const void*> buffers;
  std::vector<std::uint8_t> valid;
  std::vector<std::int64_t> offsets;
  std::string text;
  std::shared_ptr<const Columns> columns;  // what the buffers of numbers point into
};

ArrowArray finish(ArrayData* data, std::int64_t rows, std::int64_t nulls) {
  for (ArrowArray& child : data->children) data->pointers.push_back(&child);
  return {rows,
          nulls,
          0,
          static_cast<std::int64_t>(data->buffers.size()),
          static_cast<std::int64_t>(data->children.size()),
          data->buffers.data(),
          data->pointers.empty() ? nullptr : data->pointers.data(),
          nullptr,
          release<ArrowArray, ArrayData>,
          data};
}

ArrowArray array_of(const std::shared_ptr<const Columns>& columns, const Column& column) {
  auto* data = new ArrayData;
  data->columns = columns;
  std::int64_t nulls = 0;
  data->valid.assign(column.valid.size() / 8 + 1, 0);
  for (std::size_t i = 0; i < column.valid.size(); ++i)
    if (column.valid[i])
      data->valid[i / 8] = static_cast<std::uint8_t>(data->valid[i / 8] | (1u << (i % 8)));
    else
      ++nulls;
  data->buffers.push_back(data->valid.data());
  if (const auto* integers = std::get_if<Column::Integers>(&column.values)) {
    data->buffers.push_back(integers->data());
  } else if (const auto* numbers = std::get_if<Column::Numbers>(&column.values)) {
    data->buffers.push_back(numbers->data());
  } else {
    data->offsets.push_back(0);
    const auto add = [&](std::size_t row, auto text_at) {
      if (column.valid[row]) data->text += text_at(row);
      data->offsets.push_back(static_cast<std::int64_t>(data->text.size()));
    };
    for (std::size_t row = 0; row < column.valid.size(); ++row)
      if (const auto* texts = std::get_if<Column::Texts>(&column.values))
        add(row, [&](std::size_t i) { return (*texts)[i]; });
      else
        add(row, [&](std::size_t i) { return to_json(std::get<Column::Mixed>(column.values)[i]); });
    data->buffers.push_back(data->offsets.data());
    data->buffers.push_back(data->text.data());
  }
  return finish(data, static_cast<std::int64_t>(column.valid.size()), nulls);
}

ArrowArray array_of(const std::shared_ptr<const Columns>& columns) {
  auto* data = new ArrayData;
  for (const Column& column : columns->columns) data->children.push_back(array_of(columns, column));
  data->buffers.push_back(nullptr);  // rows themselves are always there
  return finish(data, columns->rows, 0);
}

// ---- the stream ---------------------------------------------------------------------------------

struct StreamData {
  std::shared_ptr<const Columns> columns;
  bool done = false;
};

StreamData& data_of(ArrowArrayStream* stream) {
  return *static_cast<StreamData*>(stream->private_data);
}

int get_schema(ArrowArrayStream* stream, ArrowSchema* out) {
  *out = schema_of(*data_of(stream).columns);
  return 0;
}

int get_next(ArrowArrayStream* stream, ArrowArray* out) {
  StreamData& data = data_of(stream);
  if (data.done)
    std::memset(out, 0, sizeof *out);  // released: the end
  else
    *out = array_of(data.columns);
  data.done = true;
  return 0;
}

const char* get_last_error(ArrowArrayStream*) { return nullptr; }

void release_stream(ArrowArrayStream* stream) {
  delete static_cast<StreamData*>(stream->private_data);
  stream->release = nullptr;
}

constexpr const char* kCapsule = "arrow_array_stream";

void destroy_capsule(PyObject* capsule) {
  auto* stream = static_cast<ArrowArrayStream*>(PyCapsule_GetPointer(capsule, kCapsule));
  if (stream->release) stream->release(stream);
  delete stream;
}

}  // namespace

nb::object arrow_stream(std::shared_ptr<const Columns> columns) {
  auto* stream = new ArrowArrayStream{get_schema, get_next, get_last_error, release_stream,
                                      new StreamData{std::move(columns)}};
  PyObject* capsule = PyCapsule_New(stream, kCapsule, destroy_capsule);
  if (!capsule) {
    release_stream(stream);
    delete stream;
    throw nb::python_error();
  }
  return nb::steal(capsule);
}

}  // namespace hdrive::python
