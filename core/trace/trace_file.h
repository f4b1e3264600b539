// Opening, creating and closing the SQLite file of a trace, with every check that a file from a stranger
// needs. Not for reading rows.
#pragma once

#include <filesystem>
#include <memory>
#include <optional>

#include "core/base/result.h"
#include "core/trace/sqlite_handle.h"

namespace moescope::trace {

/// Says that this process records into a file; one holder a file, released by the system after a kill.
class WriterLock {
 public:
  /// Errors: `trace.locked`, `trace.unwritable`.
  static Result<WriterLock> take(const std::filesystem::path& trace);
  static bool isHeld(const std::filesystem::path& trace);

  WriterLock() = default;
  WriterLock(WriterLock&& other) noexcept;
  WriterLock& operator=(WriterLock&& other) noexcept;
  ~WriterLock() { release(); }
  void release();

 private:
  int m_descriptor = -1;
  std::filesystem::path m_path;
};

/// A folder of our own that goes with its last user.
class PrivateFolder {
 public:
  static Result<std::unique_ptr<PrivateFolder>> make();
  explicit PrivateFolder(std::filesystem::path path) : m_path(std::move(path)) {}
  ~PrivateFolder();
  PrivateFolder(const PrivateFolder&) = delete;
  PrivateFolder& operator=(const PrivateFolder&) = delete;
  [[nodiscard]] const std::filesystem::path& path() const { return m_path; }

 private:
  std::filesystem::path m_path;
};

struct OpenedTrace {
  std::filesystem::path file;           ///< what to open more connections on
  std::shared_ptr<PrivateFolder> copy;  ///< set if `file` is a private copy (killed file, read-only media)
  WriterLock lock;                      ///< held when opened for writing
  Database database;
};

/// Checks identity, schema and, if a run was not closed and nobody writes it now, the pages. A file that
/// was left in WAL mode in a folder that cannot be written is opened through a private copy.
/// Errors: `file.not_found`, `trace.not_ours`, `trace.newer`, `trace.damaged`, `trace.locked`,
/// `trace.unwritable`.
Result<OpenedTrace> openForReading(const std::filesystem::path& path);
/// The same, plus migrations, WAL mode and the repair of runs that were killed.
Result<OpenedTrace> openForWriting(const std::filesystem::path& path, std::int64_t maxPages);
/// Errors: `trace.exists`, `trace.unwritable`, `machine.disk_full`.
Result<OpenedTrace> createTrace(const std::filesystem::path& path, std::int64_t maxPages);

/// Moves everything into the one file and takes the side files away. False if another program still reads
/// the file, so that they had to stay.
Result<bool> finishFile(Database database);

}  // namespace moescope::trace
