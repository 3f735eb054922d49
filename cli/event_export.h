// SPDX-License-Identifier: Apache-2.0
//
// A sweep as TensorBoard's event files: a folder a run with its metrics as scalars, and what the HParams
// page shows, the parameters, their domains and how runs ended (tensorboard/plugins/hparams).
#pragma once

#include <filesystem>

#include "hdrive/catalog.h"
#include "hdrive/spec.h"

namespace hdrive {
class SweepReader;
}

namespace hdrive::cli {

/// Writes into `directory`, which is made where it is not there. Event files of an earlier export of
/// the same sweep are replaced. A Failure where something cannot be read or written.
void export_events(const SweepEntry& sweep, const SweepSpec& spec, SweepReader& reader,
                   const std::filesystem::path& directory);

}  // namespace hdrive::cli
