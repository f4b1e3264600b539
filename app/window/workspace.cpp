#include "app/window/workspace.h"

#include <QDateTime>
#include <QDir>
#include <QFile>
#include <QFileInfo>
#include <QSettings>
#include <QStandardPaths>
#include <QUndoStack>

#include <chrono>

#include <nlohmann/json.hpp>

#include "core/base/mapped_file.h"

namespace moescope::app {

namespace {

constexpr int kRecentLimit = 12;
constexpr std::chrono::seconds kReleaseLimit(10);
constexpr std::size_t kProgramBytesLimit = 16u << 20;
const auto kRecentKey = QStringLiteral("recent");
const auto kLastModelKey = QStringLiteral("session/model");
const auto kTracesKey = QStringLiteral("traces/folder");
const auto kLastTraceKey = QStringLiteral("session/trace");

std::filesystem::path fsPath(const QString& path) { return QFile::encodeName(path).toStdString(); }
QString qtPath(const std::filesystem::path& path) { return QFile::decodeName(path.c_str()); }

}  // namespace

Workspace::Workspace(QObject* parent)
    : QObject(parent),
      m_session(std::make_shared<engine::LiveSession>()),
      m_context(new views::ViewContext(m_session, this)) {
  connect(&m_context->steering(), &views::SteeringDocument::programChanged, this, [this] {
    const auto& steering = m_context->steering();
    m_session->setProgram(steering.effectiveProgram(), steering.counterfactual()
                                                           ? engine::SteeringMode::Counterfactual
                                                           : engine::SteeringMode::FromNowOn);
  });
}

/// A checkpoint folder or a GGUF file; whether it can be read is found when it is loaded.
bool Workspace::isModel(const QFileInfo& info) {
  return info.isDir() || (info.isFile() && info.suffix() == QLatin1String("gguf"));
}

Workspace::~Workspace() {
  m_session->stop();
  m_session->setStore(nullptr).wait_for(kReleaseLimit);
}

void Workspace::open(const QString& path) {
  const QFileInfo info(path);
  if (isModel(info)) {
    openModel(path);
  } else if (info.suffix() == QLatin1String("moescope")) {
    openTrace(path);
  } else if (info.suffix() == QLatin1String("json")) {
    openProgram(path);
  } else if (!info.exists()) {
    Q_EMIT failed(tr("%1: there is no such file; check the path.").arg(path));
  } else {
    Q_EMIT failed(tr("%1 is none of what MoEScope opens: a checkpoint folder, a .gguf file, a .moescope "
                     "trace or a .json steering program.")
                      .arg(path));
  }
}

void Workspace::openDemo() {
  const auto demo = resourceFolder() / "demo";
  openModel(qtPath(demo / "model"));
  // The shipped trace stays as it is; runs go into the user's copy of it.
  const QString copy = dataFolder() + QStringLiteral("/demo.moescope");
  if (!QFile::exists(copy)) {
    if (!QFile::copy(qtPath(demo / "demo.moescope"), copy)) {
      Q_EMIT failed(tr("The demo trace cannot be copied to %1; check the folder's permissions.").arg(copy));
      return;
    }
    QFile::setPermissions(copy, QFile::ReadOwner | QFile::WriteOwner | QFile::ReadGroup | QFile::ReadOther);
  }
  openTrace(copy);
  Q_EMIT demoOpened(demoPrompt());
}

QString Workspace::demoPrompt() {
  const auto text = readTextFile(resourceFolder() / "demo" / "corpus" / "prompts.json", kProgramBytesLimit);
  if (!text) return {};
  const auto prompts = nlohmann::json::parse(*text, nullptr, false);
  if (!prompts.is_array() || prompts.empty() || !prompts[0].contains("prompt")) return {};
  return QString::fromStdString(prompts[0]["prompt"].get<std::string>());
}

void Workspace::openModel(const QString& folder) {
  m_modelFolder = QDir(folder).absolutePath();
  Q_EMIT modelAsked();
  m_session->loadModel(fsPath(m_modelFolder), loadOptions());
  remember(m_modelFolder);
}

bool Workspace::useStore(tl::expected<std::shared_ptr<trace::TraceStore>, Error> opened) {
  if (!opened) {
    Q_EMIT failed(QString::fromStdString(opened.error().text()));
    return false;
  }
  m_context->setStore(*opened);
  m_session->setStore((*opened)->writable() ? *opened : nullptr);
  Q_EMIT traceChanged();
  return true;
}

void Workspace::openTrace(const QString& file) {
  const QString path = QFileInfo(file).absoluteFilePath();
  const bool own =
      path.startsWith(dataFolder() + QLatin1Char('/')) || path.startsWith(tracesFolder() + QLatin1Char('/'));
  const auto mode = own ? trace::OpenMode::ReadWrite : trace::OpenMode::ReadOnly;
  auto opened = trace::TraceStore::open(fsPath(path), mode);
  if (!opened) {
    Q_EMIT failed(QString::fromStdString(opened.error().text()));
    return;  // what was open stays open
  }
  closeTrace();
  m_foreign = !own;
  if (useStore(std::move(opened))) remember(path);
}

void Workspace::openProgram(const QString& file) {
  const auto text = readTextFile(fsPath(file), kProgramBytesLimit);
  if (!text) {
    Q_EMIT failed(QString::fromStdString(text.error().text()));
    return;
  }
  auto program = steering::parseProgram(*text, file.toStdString());
  if (!program) {
    Q_EMIT failed(QString::fromStdString(program.error().text()));
    return;
  }
  m_context->steering().edit(*std::move(program), tr("Load %1").arg(QFileInfo(file).fileName()));
  remember(QFileInfo(file).absoluteFilePath());
}

void Workspace::closeTrace() {
  const auto store = m_context->store();
  if (!store) return;
  m_session->stop();
  // The engine closes the run that it writes; a step of a large model may take a moment.
  m_session->setStore(nullptr).wait_for(kReleaseLimit);
  m_context->setStore(nullptr);
  if (const auto closed = store->close(); !closed) {
    Q_EMIT failed(QString::fromStdString(closed.error().text()));
  }
  Q_EMIT traceChanged();
}

bool Workspace::saveTraceAs(const QString& file) {
  const auto store = m_context->store();
  if (!store) return false;
  if (const auto saved = store->saveCopy(fsPath(file)); !saved) {
    Q_EMIT failed(QString::fromStdString(saved.error().text()));
    return false;
  }
  remember(QFileInfo(file).absoluteFilePath());
  return true;
}

QString Workspace::traceFile() const {
  return m_context->store() ? qtPath(m_context->store()->path()) : QString();
}

QString Workspace::dataFolder() const {
  QString folder = QStandardPaths::writableLocation(QStandardPaths::AppDataLocation);
  QDir().mkpath(folder);
  return folder;
}

QString Workspace::tracesFolder() const {
  const QString chosen = QSettings().value(kTracesKey).toString();
  return chosen.isEmpty() ? dataFolder() : chosen;
}

void Workspace::setTracesFolder(const QString& folder) {
  QSettings().setValue(kTracesKey, folder.isEmpty() ? QString() : QDir::cleanPath(folder));
}

bool Workspace::mustAskBeforeRecording() const {
  return m_foreign && m_context->store() && !m_context->store()->writable();
}

bool Workspace::prepareRecording(bool intoOpenFile) {
  if (m_context->store() && m_context->store()->writable()) return true;
  if (intoOpenFile && m_context->store()) {
    const auto path = m_context->store()->path();
    // The reader is closed first: a file has one open store at a time.
    closeTrace();
    m_foreign = false;
    return useStore(trace::TraceStore::open(path, trace::OpenMode::ReadWrite));
  }
  closeTrace();
  m_foreign = false;
  const QString stamp = QDateTime::currentDateTime().toString(QStringLiteral("yyyy-MM-dd-HHmmss-zzz"));
  return useStore(trace::TraceStore::create(
      fsPath(tracesFolder() + QStringLiteral("/untitled-") + stamp + QStringLiteral(".moescope"))));
}

QStringList Workspace::recent() const { return QSettings().value(kRecentKey).toStringList(); }

void Workspace::remember(const QString& path) {
  QStringList paths = recent();
  paths.removeAll(path);
  paths.prepend(path);
  while (paths.size() > kRecentLimit) paths.removeLast();
  QSettings().setValue(kRecentKey, paths);
  Q_EMIT recentChanged();
}

engine::LoadOptions Workspace::loadOptions() const {
  const QSettings settings;
  engine::LoadOptions options;
  options.device =
      settings.value(QStringLiteral("engine/device"), QStringLiteral("auto")).toString().toStdString();
  options.dtype = static_cast<engine::Dtype>(settings.value(QStringLiteral("engine/dtype"), 0).toInt());
  options.roundedFolder = fsPath(settings.value(QStringLiteral("engine/roundedFolder")).toString());
  options.threads = settings.value(QStringLiteral("engine/threads"), 0).toInt();
  return options;
}

void Workspace::setLoadOptions(const engine::LoadOptions& options) {
  QSettings settings;
  settings.setValue(QStringLiteral("engine/device"), QString::fromStdString(options.device));
  settings.setValue(QStringLiteral("engine/dtype"), static_cast<int>(options.dtype));
  settings.setValue(QStringLiteral("engine/roundedFolder"),
                    QString::fromStdString(options.roundedFolder.string()));
  settings.setValue(QStringLiteral("engine/threads"), options.threads);
}

void Workspace::saveSession() const {
  QSettings settings;
  settings.setValue(kLastModelKey, m_session->model() ? m_modelFolder : QString());
  settings.setValue(kLastTraceKey, traceFile());
}

void Workspace::restoreSession() {
  const QSettings settings;
  const QString model = settings.value(kLastModelKey).toString();
  const QString trace = settings.value(kLastTraceKey).toString();
  if (QFileInfo::exists(trace)) openTrace(trace);
  if (isModel(QFileInfo(model))) openModel(model);
}

}  // namespace moescope::app
