// SPDX-License-Identifier: Apache-2.0
//
// StoredRuns: runs one by one, as their rows tell them, each compared with the digests in the row. Used within read
// transactions; one thread.
#pragma once

#include <optional>

#include "hdrive/reader.h"
#include "store/database.h"
#include "store/parts.h"

namespace hdrive::store {

class StoredRuns {
 public:
  StoredRuns(Database& database, const Parts& parts) : database_(database), parts_(parts) {}

  Result<StoredRun> run(RunId run) const;
  /// Without its metrics.
  Result<StoredRun> facts(RunId run) const;
  /// The policy's stop, else its latest verdict on the current attempt.
  Result<std::optional<RunJudged>> judged(RunId run) const;

 private:
  struct Digests {
    std::uint64_t figures = 0, verdicts = 0;
  };
  Result<StoredRun> read(const Row& row, Digests& digests) const;
  Result<StoredRun> find(RunId run, Digests& digests) const;
  Error wrong(RunId run, const char* what) const;

  Database& database_;
  const Parts& parts_;
};

}  // namespace hdrive::store
