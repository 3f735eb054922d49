// SPDX-License-Identifier: Apache-2.0
//
// RunQuery as SQL over the numbers of runs. All columns come from a fixed list; what a user typed is bound to
// ?1 (the text), ?2 (the name of a parameter) and ?3 (the number of a metric's name).
#pragma once

#include <string>

#include "hdrive/reader.h"

namespace hdrive::store {

/// The runs in order, those of the page.
std::string numbers_sql(const RunQuery& query, Goal goal);
/// How many the filter lets through.
std::string count_sql(const RunQuery& query);
/// The text to look for, as `?1` wants it.
std::string sought_text(const RunFilter& filter);

}  // namespace hdrive::store
