// SPDX-License-Identifier: Apache-2.0
//
// The sweep's own directory of a run that is elsewhere: its files as they arrive from there. What
// the host sends may lead nowhere but into the run directory. Called by SshTarget; one thread.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <string>

#include "compute/remote/wire.h"

namespace hdrive::compute::remote {

/// How much of each file is here, as the agent is told, so that it does not send it again.
std::map<std::string, std::uint64_t> files_here(const std::filesystem::path& directory,
                                                int attempt);

/// Puts a part, a folder or a link where the message says. With `collecting` the file is noted as
/// one that has begun to arrive.
Result<void> store_entry(const std::filesystem::path& directory, const Message& message,
                         bool collecting);

/// Whether all of the attempt is here: exit.json is the last file to arrive.
bool is_complete(const std::filesystem::path& directory, int attempt);

/// From here on all files that arrive are those of an attempt that has ended. They don't change any
/// more, so that a connection that breaks is no reason to begin anew.
void begin_collecting(const std::filesystem::path& directory, int attempt);
void end_collecting(const std::filesystem::path& directory);

/// Takes a message that is made when its turn comes.
using SendLater = std::function<void(std::function<Message()>)>;

/// What earlier attempts left for the next one (outputs, logs, checkpoints), in messages for the
/// agent that are made one at a time.
void send_what_is_left(const std::filesystem::path& directory, RunId run, const SendLater& send);
/// The files of a folder, for one of that name in the run's directory there; and one file.
void send_folder(const std::filesystem::path& folder, const std::string& name, RunId run,
                 const SendLater& send);
void send_file(const std::filesystem::path& file, const std::string& path, RunId run,
               const SendLater& send);

}  // namespace hdrive::compute::remote
