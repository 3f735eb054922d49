// SPDX-License-Identifier: Apache-2.0
//
// The sweeps below a folder and readers of them, which are kept open between requests. Any thread.
#pragma once

#include <filesystem>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "hdrive/reader.h"
#include "hdrive/result.h"

namespace hdrive::server::portal {

class Sweeps;

/// A reader that nobody else uses meanwhile; it goes back when this is destroyed.
class LentReader {
 public:
  LentReader(Sweeps& sweeps, std::filesystem::path directory, std::unique_ptr<SweepReader> reader);
  ~LentReader();
  LentReader(LentReader&& other) noexcept = default;
  LentReader& operator=(LentReader&&) = delete;

  SweepReader& operator*() const { return *reader_; }
  SweepReader* operator->() const { return reader_.get(); }
  const std::filesystem::path& directory() const { return directory_; }
  /// It is closed instead of going back: what it read was not what it should be.
  void discard() { reader_.reset(); }

 private:
  Sweeps* sweeps_;
  std::filesystem::path directory_;
  std::unique_ptr<SweepReader> reader_;
};

class Sweeps {
 public:
  explicit Sweeps(std::filesystem::path home);

  const std::filesystem::path& home() const { return home_; }
  /// The directory of the sweep with this id: Error::Kind::not_found where there is none.
  Result<std::filesystem::path> directory(const std::string& id);
  Result<LentReader> reader(const std::string& id);

 private:
  friend class LentReader;
  void give_back(const std::filesystem::path& directory, std::unique_ptr<SweepReader> reader);

  const std::filesystem::path home_;
  std::mutex mutex_;
  std::map<std::string, std::filesystem::path> directories_;  // by id
  struct Idle {
    std::filesystem::path directory;
    std::unique_ptr<SweepReader> reader;
  };
  std::vector<Idle> idle_;  // the one used longest ago first
};

}  // namespace hdrive::server::portal
