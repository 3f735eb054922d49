// SPDX-License-Identifier: Apache-2.0
#include "python/history_view.h"

#include "python/errors.h"

namespace hdrive::python {

const History& HistoryView::get() const {
  if (!history_)
    raise("HdriveError",
          "this history was lent for one call of propose() or judge(), which is over; copy what is "
          "to be kept");
  return *history_;
}

History& HistoryView::own() {
  if (!own_)
    raise("HdriveError", "the history of a sweep cannot be written; hdrive.History makes one");
  return *own_;
}

}  // namespace hdrive::python
