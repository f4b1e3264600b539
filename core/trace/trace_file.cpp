#include "core/trace/trace_file.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

#include <fmt/format.h>

#include "core/trace/run_repair.h"
#include "core/trace/trace_schema.h"

namespace moescope::trace {

namespace fs = std::filesystem;

namespace {

constexpr int kLockAttempts = 5;

fs::path beside(const fs::path& trace, const char* suffix) {
  fs::path path = trace;
  path += suffix;
  return path;
}

bool sameFile(int descriptor, const fs::path& path) {
  struct stat open {};
  struct stat named {};
  return ::fstat(descriptor, &open) == 0 && ::stat(path.c_str(), &named) == 0 &&
         open.st_ino == named.st_ino && open.st_dev == named.st_dev;
}

/// The file that a name stands for: lock and log lie beside it, not beside a symbolic link.
fs::path resolved(const fs::path& path) {
  std::error_code code;
  fs::path real = fs::canonical(path, code);
  return code ? path : real;
}

Result<void> checkPresent(const fs::path& path) {
  std::error_code code;
  const fs::file_status status = fs::status(path, code);
  if (!fs::exists(status)) return fail("file.not_found", path.string(), "", "no such file", "check the path");
  if (!fs::is_regular_file(status))
    return fail("trace.not_ours", path.string(), "", "not a file, so not a MoEScope trace");
  if (fs::file_size(path, code) == 0 && !code)
    return fail("trace.not_ours", path.string(), "", "an empty file, not a MoEScope trace");
  return {};
}

/// The pages of a file whose writer was killed are looked at once, before anything trusts them.
Result<void> checkPages(Database& database, const fs::path& path) {
  const auto open = database.integer("SELECT count(*) FROM run WHERE status = 'open'");
  if (!open) return fail(open.error());
  if (*open == 0 || WriterLock::isHeld(path)) return {};
  const auto verdict = database.value("PRAGMA quick_check(1)");
  if (!verdict) return fail(verdict.error());
  if (*verdict != "ok")
    return fail("trace.damaged", path.string(), *verdict, "the trace is damaged", "restore it from a copy");
  return {};
}

Result<Database> openReader(const fs::path& file) {
  auto database = Database::open(file, SQLITE_OPEN_READONLY);
  if (!database) return database;
  if (auto known = verifySchema(*database); !known) return fail(known.error());
  return database;
}

/// Copies the file and its log, so that SQLite can recover the copy.
Result<std::shared_ptr<PrivateFolder>> copyPrivately(const fs::path& path) {
  auto folder = PrivateFolder::make();
  if (!folder) return fail(folder.error());
  std::error_code code;
  const fs::path target = (*folder)->path() / path.filename();
  fs::copy_file(path, target, code);
  if (!code && fs::exists(beside(path, "-wal")))
    fs::copy_file(beside(path, "-wal"), beside(target, "-wal"), code);
  if (code)
    return fail(
        "trace.unwritable", path.string(), code.message(),
        "its program was killed, and its last rows can be recovered neither here nor in a private copy",
        "copy it together with its -wal file into a folder that can be written");
  return std::shared_ptr<PrivateFolder>(std::move(*folder));
}

Result<void> prepareWriting(Database& database, std::int64_t maxPages) {
  // secure_delete would write every replaced tail page twice.
  auto set = database.execute(
      "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA foreign_keys=ON; PRAGMA secure_delete=OFF;"
      "PRAGMA journal_size_limit=67108864");
  if (set && maxPages > 0) set = database.execute(fmt::format("PRAGMA max_page_count={}", maxPages));
  if (!set) return set;
  const auto mode = database.value("PRAGMA journal_mode");
  if (!mode) return fail(mode.error());
  if (*mode != "wal")
    return fail("trace.unwritable", database.file().string(), "",
                "this folder cannot hold a trace that is being recorded", "record to a local disk");
  return {};
}

Error unwritable(const fs::path& path) {
  return {"trace.unwritable", path.string(), "", "the trace cannot be written",
          "check the permissions of the file and its folder"};
}

}  // namespace

Result<WriterLock> WriterLock::take(const fs::path& trace) {
  WriterLock lock;
  lock.m_path = beside(trace, "-lock");
  for (int attempt = 1; true; ++attempt) {
    lock.m_descriptor = ::open(lock.m_path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0644);
    if (lock.m_descriptor < 0) {
      lock.m_path.clear();
      return fail("trace.unwritable", trace.string(), std::strerror(errno), "the trace cannot be written",
                  "check the permissions of its folder");
    }
    if (::flock(lock.m_descriptor, LOCK_EX | LOCK_NB) != 0) {
      const int reason = errno;
      ::close(std::exchange(lock.m_descriptor, -1));
      // isHeld() of another process holds the lock for an instant.
      if (reason == EWOULDBLOCK && attempt < kLockAttempts) {
        ::usleep(10'000);
        continue;
      }
      lock.m_path.clear();
      if (reason != EWOULDBLOCK)
        return fail("trace.unwritable", trace.string(), std::strerror(reason), "the trace cannot be locked",
                    "record to a local disk");
      return fail("trace.locked", trace.string(), "", "another window or program is recording into the trace",
                  "close it there and try again");
    }
    // The holder before may have removed the name while we waited to open it: then this lock is of nothing.
    if (sameFile(lock.m_descriptor, lock.m_path)) return lock;
    ::close(std::exchange(lock.m_descriptor, -1));
  }
}

bool WriterLock::isHeld(const fs::path& trace) {
  const int descriptor = ::open(beside(trace, "-lock").c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
  if (descriptor < 0) return false;
  const bool held = ::flock(descriptor, LOCK_SH | LOCK_NB) != 0;
  ::close(descriptor);
  return held;
}

WriterLock::WriterLock(WriterLock&& other) noexcept
    : m_descriptor(std::exchange(other.m_descriptor, -1)), m_path(std::move(other.m_path)) {}

WriterLock& WriterLock::operator=(WriterLock&& other) noexcept {
  release();
  m_descriptor = std::exchange(other.m_descriptor, -1);
  m_path = std::move(other.m_path);
  return *this;
}

void WriterLock::release() {
  if (m_descriptor < 0) return;
  ::unlink(m_path.c_str());
  ::close(std::exchange(m_descriptor, -1));
}

Result<std::unique_ptr<PrivateFolder>> PrivateFolder::make() {
  std::error_code code;
  std::string pattern = (fs::temp_directory_path(code) / "moescope-XXXXXX").string();
  if (code || ::mkdtemp(pattern.data()) == nullptr)
    return fail("machine.io", pattern, std::strerror(errno), "no temporary folder can be made", "set TMPDIR");
  return std::make_unique<PrivateFolder>(pattern);
}

PrivateFolder::~PrivateFolder() {
  std::error_code ignored;
  fs::remove_all(m_path, ignored);
}

Result<OpenedTrace> openForReading(const fs::path& path) {
  if (auto present = checkPresent(path); !present) return fail(present.error());
  OpenedTrace opened;
  opened.file = resolved(path);
  auto database = openReader(opened.file);
  // SQLite says "unwritable" of a read-only connection when it may not recover the log of a killed writer.
  if (!database && database.error().kind == "trace.unwritable" && ::access(path.c_str(), R_OK) == 0) {
    auto copy = copyPrivately(opened.file);
    if (!copy) return fail(copy.error());
    opened.copy = std::move(*copy);
    opened.file = opened.copy->path() / opened.file.filename();
    // The first connection recovers the log; it must be allowed to write the copy.
    if (auto recovered = Database::open(opened.file, SQLITE_OPEN_READWRITE))
      (void)finishFile(std::move(*recovered));
    database = openReader(opened.file);
  }
  if (!database) {
    Error error = database.error();
    error.file = path.string();
    return fail(std::move(error));
  }
  if (auto sound = checkPages(*database, resolved(path)); !sound) return fail(sound.error());
  opened.database = std::move(*database);
  return opened;
}

Result<OpenedTrace> openForWriting(const fs::path& name, std::int64_t maxPages) {
  // Identity first: a file of another program must not even get a lock file beside it.
  if (auto known = openForReading(name); !known) return fail(known.error());
  const fs::path path = resolved(name);
  auto lock = WriterLock::take(path);
  if (!lock) return fail(lock.error());
  auto database = Database::open(path, SQLITE_OPEN_READWRITE);
  if (!database) return fail(database.error());
  if (sqlite3_db_readonly(database->handle(), "main") == 1) return fail(unwritable(path));
  if (auto known = verifySchema(*database); !known) return fail(known.error());
  if (auto ready = prepareWriting(*database, maxPages); !ready) return fail(ready.error());
  if (auto migrated = migrate(*database); !migrated) return fail(migrated.error());
  if (auto repaired = repairOpenRuns(*database); !repaired) return fail(repaired.error());
  return OpenedTrace{path, nullptr, std::move(*lock), std::move(*database)};
}

Result<OpenedTrace> createTrace(const fs::path& path, std::int64_t maxPages) {
  std::error_code code;
  if (fs::exists(fs::symlink_status(path, code)))
    return fail("trace.exists", path.string(), "", "the file exists already", "choose another name");
  auto lock = WriterLock::take(path);
  if (!lock) return fail(lock.error());
  auto database = Database::open(path, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE);
  if (!database) return fail(database.error());
  auto made = createSchema(*database);
  if (made) made = prepareWriting(*database, maxPages);
  if (!made) {
    database->close();
    for (const char* suffix : {"", "-wal", "-shm", "-journal"}) fs::remove(beside(path, suffix), code);
    return fail(made.error());
  }
  return OpenedTrace{path, nullptr, std::move(*lock), std::move(*database)};
}

Result<bool> finishFile(Database database) {
  sqlite3_busy_timeout(database.handle(), 500);
  auto done = database.execute("PRAGMA wal_checkpoint(TRUNCATE)");
  if (done) done = database.execute("PRAGMA journal_mode=DELETE");
  if (!done && done.error().kind == "trace.locked") return false;
  if (!done) return fail(done.error());
  const auto mode = database.value("PRAGMA journal_mode");
  if (!mode) return fail(mode.error());
  return *mode == "delete";
}

}  // namespace moescope::trace
