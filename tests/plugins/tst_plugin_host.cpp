// The plug-in host: metadata, what is left out and why, and plug-ins that throw. Also shared objects: the
// test plug-in of this folder, and folders made here.
#include <QTemporaryDir>
#include <QTest>

#include <sys/stat.h>

#include <filesystem>
#include <fstream>
#include <stdexcept>

#include "core/plugin/plugin_host.h"

using namespace moescope;
using namespace moescope::plugin;
namespace fs = std::filesystem;

namespace {

std::string metadata(const std::string& id, const std::string& interfaces = R"(["analysis"])") {
  return R"({"id":")" + id + R"(","name":"N","version":"1","api":1,"interfaces":)" + interfaces +
         R"(,"description":"D"})";
}

class Counting : public analysis::Analysis {
 public:
  explicit Counting(std::string id) { m_info.id = std::move(id); }
  [[nodiscard]] const analysis::AnalysisInfo& info() const override { return m_info; }
  [[nodiscard]] Result<analysis::AnalysisResult> run(const analysis::AnalysisInput&) const override {
    throw std::runtime_error("never run here");
  }

 private:
  analysis::AnalysisInfo m_info;
};

void one(PluginRegistry& registry) { registry.add(std::make_unique<Counting>("one")); }
void two(PluginRegistry& registry) { registry.add(std::make_unique<Counting>("two")); }
void throwing(PluginRegistry&) { throw std::runtime_error("no luck"); }
void throwingNumber(PluginRegistry& registry) {
  registry.add(std::make_unique<Counting>("lost"));
  throw 7;
}

QString kinds(const PluginHost& host) {
  QStringList list;
  for (const auto& failure : host.failures()) list << QString::fromStdString(failure.reason.kind);
  return list.join(QLatin1Char(' '));
}

QString ids(const PluginHost& host) {
  QStringList list;
  for (const auto* one : host.analyses()) list << QString::fromStdString(one->info().id);
  return list.join(QLatin1Char(' '));
}

void write(const fs::path& file, const std::string& text) {
  fs::create_directories(file.parent_path());
  std::ofstream(file) << text;
}

}  // namespace

class TestPluginHost : public QObject {
  Q_OBJECT

 private Q_SLOTS:
  void metadataIsRead() {
    const auto read = pluginMetadata(metadata("co_activation", R"(["view","analysis"])"), "f");
    QVERIFY(read);
    QCOMPARE(read->id, std::string("co_activation"));
    QCOMPARE(read->name, std::string("N"));
    QCOMPARE(read->version, std::string("1"));
    QCOMPARE(read->description, std::string("D"));
    QCOMPARE(read->api, 1);
    QVERIFY((read->interfaces == std::set<std::string>{"analysis", "view"}));
  }

  void badMetadata_data() {
    QTest::addColumn<QString>("text");
    QTest::addColumn<QString>("kind");
    QTest::addColumn<QString>("where");
    const QString bad = QStringLiteral("plugin.bad_metadata");
    QTest::newRow("no JSON") << QStringLiteral("{\"id\":") << bad << QStringLiteral("byte 7");
    QTest::newRow("a list") << QStringLiteral("[1]") << bad << QString();
    QTest::newRow("a key twice") << QStringLiteral(R"({"api":1,"api":1})") << bad
                                 << QStringLiteral("key api");
    QTest::newRow("no api") << QStringLiteral("{}") << bad << QStringLiteral("key api");
    QTest::newRow("api as text") << QStringLiteral(R"({"api":"1"})") << bad << QStringLiteral("key api");
    // Of another API nothing else is looked at.
    QTest::newRow("newer api") << QStringLiteral(R"({"api":2,"new":[]})")
                               << QStringLiteral("plugin.other_api") << QStringLiteral("key api");
    QTest::newRow("older api") << QStringLiteral(R"({"api":0})") << QStringLiteral("plugin.other_api")
                               << QStringLiteral("key api");
    const auto with = [](const char* from, const char* to) {
      return QString::fromStdString(metadata("good")).replace(QLatin1String(from), QLatin1String(to));
    };
    QTest::newRow("unknown key") << with("\"name\"", "\"nome\"") << bad << QStringLiteral("key nome");
    QTest::newRow("empty name") << with("\"N\"", "\"\"") << bad << QStringLiteral("key name");
    QTest::newRow("number for a text") << with("\"D\"", "5") << bad << QStringLiteral("key description");
    for (const char* id : {"Good", "go-od", "../good", "1good", "_good", "good "})
      QTest::newRow(id) << with("good", id) << bad << QStringLiteral("key id");
    QTest::newRow("no interface") << with("[\"analysis\"]", "[]") << bad << QStringLiteral("key interfaces");
    QTest::newRow("unknown interface")
        << with("analysis", "engine") << bad << QStringLiteral("key interfaces");
    QTest::newRow("interface no text")
        << with("\"analysis\"", "1") << bad << QStringLiteral("key interfaces");
  }
  void badMetadata() {
    QFETCH(QString, text);
    QFETCH(QString, kind);
    QFETCH(QString, where);
    const auto read = pluginMetadata(text.toStdString(), "some/plugin.json");
    QVERIFY(!read);
    QCOMPARE(QString::fromStdString(read.error().kind), kind);
    QCOMPARE(QString::fromStdString(read.error().where), where);
    QCOMPARE(read.error().file, std::string("some/plugin.json"));
  }

  void builtInOnes() {
    const std::string first = metadata("first"), second = metadata("second"), bad = "{";
    const BuiltInPlugin list[] = {{first, one}, {bad, one}, {second, two}};
    PluginHost host;
    host.load(list);
    QCOMPARE(ids(host), QStringLiteral("one two"));
    QCOMPARE(kinds(host), QStringLiteral("plugin.bad_metadata"));
    QCOMPARE(host.plugins().size(), std::size_t{2});
    QVERIFY(host.findAnalysis("two"));
    const auto unknown = host.findAnalysis("three");
    QVERIFY(!unknown);
    QCOMPARE(unknown.error().kind, std::string("analysis.unknown"));
    QCOMPARE(unknown.error().advice, std::string("known are one, two"));
    QCOMPARE(host.findExporter("latex").error().kind, std::string("export.unknown"));
  }

  void entriesThatThrow() {
    const std::string first = metadata("first"), second = metadata("second"), third = metadata("third");
    const BuiltInPlugin list[] = {{first, throwing}, {second, throwingNumber}, {third, one}};
    PluginHost host;
    host.load(list);
    QCOMPARE(ids(host), QStringLiteral("one"));
    QCOMPARE(kinds(host), QStringLiteral("plugin.failed plugin.failed"));
    QVERIFY(host.failures()[0].reason.message.find("no luck") != std::string::npos);
  }

  void sameAnalysisTwice() {
    const std::string first = metadata("first"), second = metadata("second");
    const BuiltInPlugin list[] = {{first, one}, {second, one}};
    PluginHost host;
    host.load(list);
    QCOMPARE(ids(host), QStringLiteral("one"));
    QCOMPARE(kinds(host), QStringLiteral("plugin.same_id"));
  }

  void undeclaredInterface() {
    const std::string json = metadata("first", R"(["exporter"])");
    const BuiltInPlugin list[] = {{json, one}};
    PluginHost host;
    host.load(list);
    QVERIFY(host.analyses().empty());
    QCOMPARE(kinds(host), QStringLiteral("plugin.undeclared"));
  }

  void badFolders() {
    const QTemporaryDir temporary;
    const fs::path folder = temporary.path().toStdString();
    write(folder / "a_no_code/plugin.json", metadata("a_no_code"));
    write(folder / "b_not_elf/plugin.json", metadata("b_not_elf"));
    write(folder / "b_not_elf/b_not_elf.so", "no shared object");
    write(folder / "c_bad_json/plugin.json", "{]");
    write(folder / "d_other_api/plugin.json", R"({"api":99})");
    // Metadata comes first: this one's code would be loadable.
    fs::copy(fs::path(MOESCOPE_TEST_PLUGINS) / "no_entry/no_entry.so", folder / "d_other_api/no_entry.so");
    write(folder / "e_large/plugin.json", std::string(100000, ' ') + metadata("e_large"));
    fs::create_directory(folder / "f_pipe");
    QCOMPARE(::mkfifo((folder / "f_pipe/plugin.json").c_str(), 0600), 0);  // nobody ever writes into it
    write(folder / "not_a_plugin/readme.txt", "nothing");
    write(folder / "file.txt", "nothing");
    PluginHost host;
    host.load(PluginFolder{folder, true});
    QCOMPARE(kinds(host), QStringLiteral("plugin.cannot_load plugin.cannot_load plugin.bad_metadata "
                                         "plugin.other_api file.too_large file.unreadable"));
    QVERIFY(host.plugins().empty());
    for (const auto& failure : host.failures())
      QVERIFY(failure.file.starts_with(folder.string()) && !failure.reason.message.empty());
  }

  void missingFolders() {
    PluginHost host;
    host.load(PluginFolder{"/no/such/folder", false});
    QVERIFY(host.failures().empty());
    host.load(PluginFolder{"/no/such/folder", true});
    QCOMPARE(kinds(host), QStringLiteral("plugin.no_folder"));
  }

  void sharedObjects() {
    PluginHost host;
    const PluginFolder folder{MOESCOPE_TEST_PLUGINS, true};
    host.load(folder);
    QCOMPARE(kinds(host), QStringLiteral("plugin.no_entry"));
    QCOMPARE(host.plugins().size(), std::size_t{1});
    QCOMPARE(host.plugins()[0].metadata.id, std::string("test_plugin"));
    QVERIFY(host.findAnalysis("test-cells"));
    // The same folder again: nothing is opened twice.
    host.load(folder);
    QCOMPARE(kinds(host), QStringLiteral("plugin.no_entry plugin.no_entry plugin.same_id"));
    QCOMPARE(host.plugins().size(), std::size_t{1});
  }

  void anExporterThatThrows() {
    PluginHost host;
    host.load(PluginFolder{MOESCOPE_TEST_PLUGINS, true});
    const auto exporter = host.findExporter("test-export");
    QVERIFY(exporter);
    QVERIFY(!host.plugins()[0].off);
    QCOMPARE((*exporter)->writeFigure({}).error().kind, std::string("export.unsupported"));
    QCOMPARE((*exporter)->writeResult({}).error().kind, std::string("export.plugin_failed"));
    // Off until restart, with everything that it gave.
    QVERIFY(host.plugins()[0].off);
    QCOMPARE((*exporter)->writeFigure({}).error().kind, std::string("export.plugin_failed"));
    QCOMPARE(kinds(host), QStringLiteral("plugin.no_entry export.plugin_failed"));
  }

  void foldersOfTheProgram() {
    qputenv("XDG_DATA_HOME", "/data");
    qputenv("MOESCOPE_PLUGINS", "/one::/two");
    std::vector<std::string> found;
    for (const auto& folder : pluginFolders("/usr/bin", {"/three"}))
      found.push_back(folder.path.string() + (folder.named ? " named" : ""));
    QVERIFY((found == std::vector<std::string>{"/usr/lib/moescope/plugins", "/data/moescope/plugins",
                                               "/one named", "/two named", "/three named"}));
    qunsetenv("MOESCOPE_PLUGINS");
  }
};

QTEST_APPLESS_MAIN(TestPluginHost)
#include "tst_plugin_host.moc"
