// readCorpus: where labels come from, and what is wrong with a corpus.
#include <QTest>

#include <QDir>
#include <QTemporaryDir>

#include <fstream>

#include "core/engine/generation/corpus_run.h"

using namespace moescope;
using namespace moescope::engine;

namespace {

struct Folder {
  QTemporaryDir dir;
  void add(const char* name, const std::string& content) const {
    const QString path = dir.filePath(name);
    QDir().mkpath(QFileInfo(path).path());
    std::ofstream(path.toStdString(), std::ios::binary) << content;
  }
  [[nodiscard]] CorpusSettings settings(const char* name = "") const {
    CorpusSettings settings;
    settings.corpus = dir.filePath(name).toStdString();
    return settings;
  }
};

/// "label:text(source#document)" of each text.
QStringList summary(const Result<std::vector<CorpusText>>& texts) {
  if (!texts) return {QString::fromStdString(texts.error().kind)};
  QStringList list;
  for (const auto& text : *texts) {
    list << QString::fromStdString(text.label + ":" + text.text + "(" + text.origin + "#" +
                                   std::to_string(text.document) + ")");
  }
  return list;
}

}  // namespace

class TestCorpusTexts : public QObject {
  Q_OBJECT

 private Q_SLOTS:
  void filesAreLabels() {
    Folder folder;
    folder.add("b.txt", "<|endoftext|>one<|endoftext|>two\n<|endoftext|> \n");
    folder.add("a.txt", "alone");
    folder.add("licenses/c.txt", "not a text");
    folder.add("notes.md", "not a text");
    const QStringList expected{"a:alone(a.txt#0)", "b:one(b.txt#0)", "b:two\n(b.txt#1)"};
    QCOMPARE(summary(readCorpus(folder.settings())), expected);
    QCOMPARE(summary(readCorpus(folder.settings("a.txt"))), QStringList{"a:alone(a.txt#0)"});
  }

  void foldersAreLabels() {
    Folder folder;
    folder.add("fr/2.txt", "deux");
    folder.add("fr/1.txt", "un");
    folder.add("de/x.txt", "eins");
    folder.add("de/.hidden.txt", "no");
    const QStringList expected{"de:eins(de/x.txt#0)", "fr:un(fr/1.txt#0)", "fr:deux(fr/2.txt#0)"};
    QCOMPARE(summary(readCorpus(folder.settings())), expected);
  }

  void fieldsAreLabels() {
    Folder folder;
    folder.add("c.jsonl",
               "{\"text\": \"x\", \"label\": \"code\"}\n\n"
               "{\"text\": \"y<|endoftext|>z\", \"labels\": {\"domain\": \"web\", \"language\": \"en\"}}\r\n"
               "{\"label\": \"a\", \"labels\": {\"label\": \"b\", \"year\": \"1999\"}, \"text\": \"w\"}");
    const auto texts = readCorpus(folder.settings("c.jsonl"));
    const QStringList expected{"code:x(c.jsonl#0)", "web:y<|endoftext|>z(c.jsonl#1)", "b:w(c.jsonl#2)"};
    QCOMPARE(summary(texts), expected);
    const std::vector<std::pair<std::string, std::string>> labels{{"domain", "web"}, {"language", "en"}};
    QVERIFY((*texts)[1].labels == labels);
    QCOMPARE(summary(readCorpus(folder.settings())), expected);  // a folder of lines
  }

  void theSeparatorIsTheUsers() {
    Folder folder;
    folder.add("a.txt", "one\n---\ntwo");
    auto settings = folder.settings();
    settings.separator = "\n---\n";
    const QStringList expected{"a:one(a.txt#0)", "a:two(a.txt#1)"};
    QCOMPARE(summary(readCorpus(settings)), expected);
    settings.separator = "";
    QCOMPARE(summary(readCorpus(settings)).size(), 1);
  }

  void badCorporaAreRefused_data() {
    QTest::addColumn<QString>("name");
    QTest::addColumn<QByteArray>("content");
    QTest::addColumn<QString>("kind");
    QTest::addColumn<QString>("where");
    QTest::newRow("latin1") << "a.txt" << QByteArray("caf\xe9 noir") << "corpus.not_utf8"
                            << "byte 3";
    QTest::newRow("surrogate") << "a.txt" << QByteArray("x\xed\xa0\x80") << "corpus.not_utf8"
                               << "byte 1";
    QTest::newRow("blank") << "a.txt" << QByteArray(" \n\t") << "corpus.empty"
                           << "";
    QTest::newRow("not JSON") << "a.jsonl" << QByteArray("{\"text\":\"x\",\"label\":\"l\"}\n{oops\n")
                              << "corpus.bad_line"
                              << "line 2";
    QTest::newRow("no text") << "a.jsonl" << QByteArray("\n{\"label\":\"l\"}") << "corpus.bad_line"
                             << "line 2";
    QTest::newRow("no label") << "a.jsonl" << QByteArray("{\"text\":\"x\"}") << "corpus.bad_line"
                              << "line 1";
    QTest::newRow("label type") << "a.jsonl" << QByteArray("{\"text\":\"x\",\"label\":3}")
                                << "corpus.bad_line"
                                << "line 1";
    QTest::newRow("labels type") << "a.jsonl" << QByteArray("{\"text\":\"x\",\"labels\":[]}")
                                 << "corpus.bad_line"
                                 << "line 1";
    QTest::newRow("array") << "a.jsonl" << QByteArray("[1]") << "corpus.bad_line"
                           << "line 1";
    QTest::newRow("deep") << "a.jsonl" << QByteArray(100000, '[') << "corpus.bad_line"
                          << "line 1";
    QTest::newRow("other name") << "a.md" << QByteArray("x") << "corpus.empty"
                                << "";
  }

  void badCorporaAreRefused() {
    QFETCH(QString, name);
    QFETCH(QByteArray, content);
    QFETCH(QString, kind);
    QFETCH(QString, where);
    Folder folder;
    folder.add(qPrintable(name), content.toStdString());
    const auto texts = readCorpus(folder.settings());
    QVERIFY(!texts);
    QCOMPARE(QString::fromStdString(texts.error().kind), kind);
    QCOMPARE(QString::fromStdString(texts.error().where), where);
  }

  void whatIsNotThereIsSaid() {
    Folder folder;
    QCOMPARE(summary(readCorpus(folder.settings("nothing"))), QStringList{"corpus.not_found"});
    folder.add("a.txt", "x");
    auto settings = folder.settings("a.txt");
    settings.labelFrom = LabelSource::Folder;
    QCOMPARE(summary(readCorpus(settings)), QStringList{"corpus.not_found"});
  }
};

QTEST_APPLESS_MAIN(TestCorpusTexts)
#include "tst_corpus_texts.moc"
