// Files that are not traces, damaged ones and those of killed programs: one clear error or missing blocks,
// never a crash, and the file itself untouched.
#include <QTemporaryDir>
#include <QTest>

#include <fstream>
#include <random>

#include <fmt/format.h>
#include <sqlite3.h>

#include "core/trace/trace_sql.h"
#include "tests/unit/sound_trace.h"
#include "tests/unit/trace_bytes.h"
#include "tests/unit/trace_fixture.h"

using namespace moescope;
using namespace moescope::trace;
using namespace moescope::trace::fixture;
namespace fs = std::filesystem;

namespace {

void execute(const fs::path& path, const char* sql) {
  sqlite3* raw = nullptr;
  QCOMPARE(sqlite3_open(path.c_str(), &raw), SQLITE_OK);
  char* words = nullptr;
  QVERIFY2(sqlite3_exec(raw, sql, nullptr, nullptr, &words) == SQLITE_OK, words);
  sqlite3_close(raw);
}

/// Uses everything a reader offers; what comes out does not matter, only that it ends.
void readEverything(const fs::path& path) {
  if (const auto store = TraceStore::open(path, OpenMode::ReadOnly)) {
    for (const RunRecord& run : (*store)->runs()) {
      (void)fingerprint(**store, run.id);
      for (int r = 0; r < static_cast<int>((*store)->routers(run.id).size()); ++r)
        (void)(*store)->load(run.id, r, {0, run.tokens});
    }
    (void)(*store)->contentId();
  }
  (void)checkTrace(path, false, {}, {});
  SqlReceiver receiver;
  receiver.row = [](const std::vector<SqlValue>&) { return true; };
  for (const char* sql : {"SELECT * FROM routing", "SELECT * FROM tokens", "SELECT * FROM expert_load",
                          "SELECT count(*) FROM router_logits"})
    (void)runQuery(path, sql, 20000, receiver);
}

}  // namespace

class TestTraceBadFiles : public QObject {
  Q_OBJECT

  SoundTrace m_sound;
  fs::path in(const char* name) const { return m_sound.in(name); }

 private Q_SLOTS:
  void isNotOurs_data() {
    QTest::addColumn<QByteArray>("bytes");
    QTest::addColumn<QString>("kind");
    QTest::newRow("empty") << QByteArray() << "trace.not_ours";
    QTest::newRow("text")
        << QByteArray("Dear diary,\ntoday I wrote a text file that is longer than a header.\n").repeated(40)
        << "trace.not_ours";
    std::mt19937 random(1);
    QByteArray noise;
    for (int i = 0; i < 20000; ++i) noise.append(static_cast<char>(random()));
    QTest::newRow("random bytes") << noise << "trace.not_ours";
    QTest::newRow("a header alone") << QByteArray("SQLite format 3").append('\0') << "trace.not_ours";
  }

  void isNotOurs() {
    QFETCH(QByteArray, bytes);
    QFETCH(QString, kind);
    const fs::path path = in("foreign");
    write(path, bytes.toStdString());
    for (const auto mode : {OpenMode::ReadOnly, OpenMode::ReadWrite})
      QCOMPARE(errorOf(path, mode), kind.toStdString());
    QVERIFY(!checkTrace(path, true, {}, {}).has_value());
    QCOMPARE(bytesOf(path), bytes.toStdString());
    for (const char* suffix : {"-lock", "-wal", "-shm", "-journal"})
      QVERIFY(!fs::exists(path.string() + suffix));
  }

  void isOfAnotherProgram() {
    const fs::path path = in("other.db");
    fs::remove(path);
    execute(path, "CREATE TABLE run (x); INSERT INTO run VALUES (1)");
    const std::string before = bytesOf(path);
    for (const auto mode : {OpenMode::ReadOnly, OpenMode::ReadWrite})
      QCOMPARE(errorOf(path, mode), std::string("trace.not_ours"));
    QCOMPARE(bytesOf(path), before);
    QCOMPARE(errorOf(in("nothing"), OpenMode::ReadWrite), std::string("file.not_found"));
    QCOMPARE(errorOf(m_sound.folder.path().toStdString(), OpenMode::ReadOnly), std::string("trace.not_ours"));
  }

  void schemaIsChecked_data() {
    QTest::addColumn<QString>("sql");
    QTest::addColumn<QString>("kind");
    QTest::newRow("newer") << "PRAGMA user_version = 99"
                           << "trace.newer";
    QTest::newRow("no version") << "PRAGMA user_version = 0"
                                << "trace.damaged";
    QTest::newRow("trigger") << "CREATE TRIGGER t AFTER UPDATE ON run BEGIN DELETE FROM sequence; END"
                             << "trace.damaged";
    QTest::newRow("table missing") << "DROP TABLE summary"
                                   << "trace.damaged";
    QTest::newRow("other columns") << "ALTER TABLE sequence ADD COLUMN extra TEXT"
                                   << "trace.damaged";
    QTest::newRow("view for a table") << "DROP TABLE bookmark; CREATE VIEW bookmark AS SELECT 1"
                                      << "trace.damaged";
    QTest::newRow("hides a virtual table") << "CREATE TABLE routing (x)"
                                           << "trace.damaged";
    QTest::newRow("own table stays") << "CREATE TABLE my_notes (x)"
                                     << "none";
    QTest::newRow("own view stays") << "CREATE VIEW my_view AS SELECT id FROM run"
                                    << "none";
    QTest::newRow("model missing") << "PRAGMA foreign_keys=OFF; DELETE FROM model"
                                   << "none";
    QTest::newRow("impossible router") << "UPDATE router SET experts = 1 << 40"
                                       << "none";
    QTest::newRow("top-k above experts") << "UPDATE router SET top_k = experts + 1"
                                         << "none";
    QTest::newRow("negative counts")
        << "UPDATE run SET tokens = -5, routed_tokens = -(1 << 62), sequences = -1"
        << "none";
    QTest::newRow("huge counts") << "UPDATE run SET tokens = 9223372036854775807, routed_tokens = 1 << 62"
                                 << "none";
    QTest::newRow("huge sequence")
        << "UPDATE sequence SET first_token = 9223372036854775807, length = 9223372036854775807"
        << "none";
    QTest::newRow("far ordinals") << "UPDATE sequence SET ordinal = ordinal + (1 << 40)"
                                  << "none";
    QTest::newRow("far blocks") << "UPDATE route_block SET block = block + (1 << 61)"
                                << "none";
    QTest::newRow("negative blocks") << "UPDATE token_block SET block = -1 - block"
                                     << "none";
    QTest::newRow("block counts")
        << "UPDATE token_block SET count = 1 << 40; UPDATE route_block SET count = -7, width = 1 << 50"
        << "none";
    QTest::newRow("summary counts") << "UPDATE summary SET tokens = 1 << 62, slots = 1 << 62, count = 1 << 62"
                                    << "none";
    QTest::newRow("sums") << "UPDATE sequence_stats SET tokens = 1 << 62, mass_tokens = -(1 << 62)"
                          << "none";
    QTest::newRow("short blobs")
        << "UPDATE route_block SET ids = x'00'; UPDATE logit_block SET logits = zeroblob(3);"
           "UPDATE token_block SET phases = x''; UPDATE summary SET load = zeroblob(5)"
        << "none";
    QTest::newRow("events") << "INSERT INTO steering_event VALUES (1, 9, 1 << 62, 'x', 5)"
                            << "none";
    QTest::newRow("no meta") << "DELETE FROM meta"
                             << "none";
  }

  void schemaIsChecked() {
    QFETCH(QString, sql);
    QFETCH(QString, kind);
    const fs::path path = in("schema.moescope");
    write(path, m_sound.bytes);
    execute(path, sql.toUtf8().constData());
    const std::string before = bytesOf(path);
    QCOMPARE(errorOf(path, OpenMode::ReadOnly), kind.toStdString());
    readEverything(path);
    QVERIFY(bytesOf(path) == before);
    QCOMPARE(errorOf(path, OpenMode::ReadWrite), kind.toStdString());
  }

  /// An id that names no expert, with a checksum that matches.
  void unknownExpertsAreDamage() {
    const fs::path path = in("ids.moescope");
    const SyntheticRun run = synthesize(5, {40});
    fs::remove(path);
    writeTrace(path, run, CaptureLevel::Ids);
    // zlib.crc32(b"c" * 80) of Python; router 0 has 8 experts and width 2, 40 rows.
    execute(path,
            "UPDATE route_block SET ids = CAST(replace(hex(zeroblob(40)), '0', 'c') AS BLOB), crc = "
            "2637092548 WHERE router = 0");
    const auto store = TraceStore::open(path, OpenMode::ReadOnly);
    QVERIFY(store.has_value());
    const auto route = (*store)->routeBlock(1, 0, 0);
    QVERIFY(route && route->damaged && route->ids.empty() && route->count == 40);
    QCOMPARE((*store)->warnings().size(), std::size_t{1});
    (void)(*store)->routeBlock(1, 0, 0);
    QCOMPARE((*store)->warnings().size(), std::size_t{1});
    const LoadSummary load = (*store)->load(1, 0, {3, 33});
    QCOMPARE(load.missing, std::int64_t{30});
    QVERIFY(!(*store)->routeBlock(1, 1, 0)->damaged);
  }

  /// Who reads in order gets many rows at a time, who reads backwards one by one: gaps and damage are the
  /// same.
  void gapsAndDamageInOrder() {
    const fs::path path = in("gaps.moescope");
    fs::remove(path);
    writeTrace(path, synthesize(6, std::vector<int>(12, 200)), CaptureLevel::Ids);
    execute(path,
            "DELETE FROM route_block WHERE block = 3; UPDATE route_block SET crc = crc + 1 WHERE block = 6;"
            "DELETE FROM sequence_stats WHERE sequence = 4;"
            "UPDATE sequence_stats SET crc = crc + 1 WHERE sequence = 8");
    const auto forward = TraceStore::open(path, OpenMode::ReadOnly);
    const auto backward = TraceStore::open(path, OpenMode::ReadOnly);
    QVERIFY(forward.has_value() && backward.has_value());
    std::vector<std::shared_ptr<const RouteBlock>> blocks;
    std::vector<std::optional<SequenceStats>> sums;
    for (std::int64_t block = 0; block < 9; ++block) blocks.push_back((*forward)->routeBlock(1, 1, block));
    for (std::int32_t s = 0; s < 12; ++s) sums.push_back((*forward)->sequenceStats(1, 1, s));
    for (std::int64_t block = 8; block >= 0; --block) {
      const auto& read = blocks[static_cast<std::size_t>(block)];
      const auto alone = (*backward)->routeBlock(1, 1, block);
      QCOMPARE(read != nullptr, block != 3);
      QCOMPARE(alone != nullptr, block != 3);
      if (!read) continue;
      QCOMPARE(read->damaged, block == 6);
      QCOMPARE(difference(*read, *alone), std::string());
    }
    for (std::int32_t s = 11; s >= 0; --s) {
      const auto& read = sums[static_cast<std::size_t>(s)];
      QCOMPARE(read.has_value(), s != 4 && s != 8);
      const auto alone = (*backward)->sequenceStats(1, 1, s);
      QCOMPARE(alone.has_value(), read.has_value());
      if (read) QCOMPARE(difference(*read, *alone, 0.0), std::string());
    }
    QCOMPARE((*forward)->warnings().size(), std::size_t{2});
  }

  void cutAnywhere() {
    const fs::path path = in("cut.moescope");
    std::mt19937 random(2);
    std::vector<std::size_t> lengths{1,
                                     15,
                                     16,
                                     99,
                                     100,
                                     511,
                                     512,
                                     4095,
                                     4096,
                                     4097,
                                     m_sound.bytes.size() - 1,
                                     m_sound.bytes.size() - 4096};
    for (int i = 0; i < 25; ++i) lengths.push_back(random() % m_sound.bytes.size());
    for (const std::size_t length : lengths) {
      write(path, m_sound.bytes.substr(0, length));
      readEverything(path);
      const std::string kind = errorOf(path, OpenMode::ReadOnly);
      QVERIFY2(kind == "none" || kind == "trace.damaged" || kind == "trace.not_ours", kind.c_str());
      if (length < 4096) QVERIFY(kind != "none");
      if (kind != "none") continue;
      const auto issues = checkTrace(path, false, {}, {});
      QVERIFY2(issues.has_value() ? !issues->empty() : true, std::to_string(length).c_str());
    }
  }

  void flippedBitsAnywhere() {
    const fs::path path = in("flip.moescope");
    std::mt19937 random(3);
    for (int round = 0; round < 60; ++round) {
      std::string bytes = m_sound.bytes;
      const int flips = round % 3 == 0 ? 1 : 40;
      for (int i = 0; i < flips; ++i) {
        // Half of them where the structure is: the first bytes of pages.
        std::size_t at = random() % bytes.size();
        if (round % 2 == 0) at = at / 4096 * 4096 + random() % 100;
        bytes[std::min(at, bytes.size() - 1)] ^= static_cast<char>(1 << random() % 8);
      }
      write(path, bytes);
      readEverything(path);
      QVERIFY(bytesOf(path) == bytes);
    }
  }

  /// Every flipped bit inside a BLOB of choices is seen.
  void flippedChoicesAreSeen() {
    const fs::path path = in("choices.moescope");
    const auto sound = TraceStore::open(in("good.moescope"), OpenMode::ReadOnly);
    const auto block = (*sound)->routeBlock(1, 1, 1);
    std::string needle;  // 64 experts: one byte an id
    for (std::size_t i = 0; i < 600; ++i) needle += static_cast<char>(block->ids[i]);
    // The first bytes of the BLOB lie together in one overflow page.
    const std::size_t at = m_sound.bytes.find(needle.substr(0, 200));
    QVERIFY(at != std::string::npos);
    for (int bit = 0; bit < 64; bit += 5) {
      std::string bytes = m_sound.bytes;
      bytes[at + static_cast<std::size_t>(bit)] ^= static_cast<char>(1 << bit % 8);
      write(path, bytes);
      const auto store = TraceStore::open(path, OpenMode::ReadOnly);
      QVERIFY(store.has_value());
      QVERIFY((*store)->routeBlock(1, 1, 1)->damaged);
      QVERIFY(!(*store)->routeBlock(1, 1, 0)->damaged);
      QVERIFY((*store)->warnings().at(0).find("router 1, layer 3, block 1") != std::string::npos);
    }
  }
};

QTEST_APPLESS_MAIN(TestTraceBadFiles)
#include "tst_trace_bad_files.moc"
