// Places where a trace cannot be written, read-only folders and files in use: one clear error, and the file
// untouched.
#include <QTemporaryDir>
#include <QTest>

#include <unistd.h>

#include <sqlite3.h>

#include "tests/unit/sound_trace.h"
#include "tests/unit/trace_bytes.h"
#include "tests/unit/trace_fixture.h"

using namespace moescope;
using namespace moescope::trace;
using namespace moescope::trace::fixture;
namespace fs = std::filesystem;

namespace {

/// Without the rights of root for a while, where we have them.
class WithoutRoot {
 public:
  WithoutRoot() : m_wasRoot(::geteuid() == 0) {
    if (m_wasRoot) m_active = ::seteuid(65534) == 0;
  }
  ~WithoutRoot() {
    if (m_wasRoot && m_active && ::seteuid(0) != 0) std::abort();
  }
  [[nodiscard]] bool isInForce() const { return !m_wasRoot || m_active; }

 private:
  bool m_wasRoot;
  bool m_active = true;
};

}  // namespace

class TestTraceUnwritable : public QObject {
  Q_OBJECT

  SoundTrace m_sound;
  fs::path in(const char* name) const { return m_sound.in(name); }

 private Q_SLOTS:
  void cannotBeWritten() {
    const fs::path file = in("a file");
    write(file, "x");
    for (const fs::path& path :
         {file / "t.moescope", in("no such folder") / "t.moescope", fs::path("/proc/t.moescope")}) {
      const auto store = TraceStore::create(path);
      QVERIFY(!store.has_value());
      QCOMPARE(store.error().kind, std::string("trace.unwritable"));
      QCOMPARE(store.error().file, path.string());
    }
    const auto again = TraceStore::create(in("good.moescope"));
    QVERIFY(!again.has_value());
    QCOMPARE(again.error().kind, std::string("trace.exists"));
  }

  void readOnlyFolder() {
    const fs::path folder = in("read only");
    fs::create_directory(folder);
    const fs::path path = folder / "t.moescope";
    write(path, m_sound.bytes);
    // A killed program leaves its log behind: with it the file needs recovery, which writes.
    const fs::path killed = folder / "killed.moescope";
    write(killed, m_sound.bytes);
    {
      sqlite3* raw = nullptr;
      QCOMPARE(sqlite3_open(killed.c_str(), &raw), SQLITE_OK);
      sqlite3_exec(raw, "PRAGMA journal_mode=WAL; UPDATE run SET name = 'from the log'", nullptr, nullptr,
                   nullptr);
      write(folder / "kept-wal", bytesOf(killed.string() + "-wal"));
      write(folder / "kept", bytesOf(killed));
      sqlite3_close(raw);
      fs::rename(folder / "kept", killed);
      fs::rename(folder / "kept-wal", killed.string() + "-wal");
    }
    fs::permissions(m_sound.folder.path().toStdString(), fs::perms(0755));
    fs::permissions(folder, fs::perms(0555));
    {
      const WithoutRoot user;
      if (!user.isInForce()) QSKIP("this process cannot give up the rights of root");
      const auto created = TraceStore::create(folder / "new.moescope");
      QVERIFY(!created.has_value());
      QCOMPARE(created.error().kind, std::string("trace.unwritable"));
      QCOMPARE(errorOf(path, OpenMode::ReadWrite), std::string("trace.unwritable"));
      const auto store = TraceStore::open(path, OpenMode::ReadOnly);
      QVERIFY2(store.has_value(), store ? "" : store.error().text().c_str());
      QCOMPARE((*store)->run(1)->tokens, static_cast<std::int64_t>(m_sound.run.rows.size()));
      QVERIFY(
          !(*store)->startRun(modelRecord(m_sound.run.routers), runRecord(CaptureLevel::Ids)).has_value());
      const auto recovered = TraceStore::open(killed, OpenMode::ReadOnly);
      QVERIFY2(recovered.has_value(), recovered ? "" : recovered.error().text().c_str());
      QCOMPARE((*recovered)->run(1)->name, std::string("from the log"));
      QCOMPARE((*recovered)->path(), killed);
    }
    fs::permissions(folder, fs::perms(0755));
    QVERIFY(bytesOf(path) == m_sound.bytes);
  }

  void lockedFile() {
    const fs::path path = in("locked.moescope");
    write(path, m_sound.bytes);
    const auto first = TraceStore::open(path, OpenMode::ReadWrite);
    QVERIFY(first.has_value());
    QCOMPARE(errorOf(path, OpenMode::ReadWrite), std::string("trace.locked"));
    QCOMPARE(errorOf(path, OpenMode::ReadOnly), std::string("none"));
    fs::create_symlink(path, in("link.moescope"));
    QCOMPARE(errorOf(in("link.moescope"), OpenMode::ReadWrite), std::string("trace.locked"));
    QVERIFY((*first)->close().has_value());
    QCOMPARE(errorOf(in("link.moescope"), OpenMode::ReadWrite), std::string("none"));

    sqlite3* raw = nullptr;  // another program in the middle of a change
    QCOMPARE(sqlite3_open(path.c_str(), &raw), SQLITE_OK);
    QCOMPARE(sqlite3_exec(raw, "BEGIN EXCLUSIVE", nullptr, nullptr, nullptr), SQLITE_OK);
    QCOMPARE(errorOf(path, OpenMode::ReadOnly), std::string("trace.locked"));
    sqlite3_close(raw);
    QCOMPARE(errorOf(path, OpenMode::ReadOnly), std::string("none"));
  }
};

QTEST_APPLESS_MAIN(TestTraceUnwritable)
#include "tst_trace_unwritable.moc"
