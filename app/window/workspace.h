// Workspace: what is open (model, trace, program) and where runs go. Not a widget: it opens, saves
// and remembers, and tells by signals what a person has to know or decide.
#pragma once

#include <QObject>
#include <QStringList>

#include <filesystem>
#include <memory>

#include "app/resource_folder.h"
#include "core/engine/generation/live_session.h"
#include "views/api/view_context.h"

class QFileInfo;

namespace moescope::app {

/// GUI thread only.
class Workspace : public QObject {
  Q_OBJECT

 public:
  explicit Workspace(QObject* parent = nullptr);
  ~Workspace() override;

  [[nodiscard]] views::ViewContext& context() { return *m_context; }
  [[nodiscard]] engine::LiveSession& session() { return *m_session; }

  /// Opens whatever the path is: a checkpoint folder, a trace or a steering program. Says why if it is none.
  void open(const QString& path);
  void openDemo();
  void openModel(const QString& folder);
  void openTrace(const QString& file);
  void openProgram(const QString& file);
  /// Closes the trace cleanly; the next run goes to a new untitled file.
  void closeTrace();
  bool saveTraceAs(const QString& file);

  [[nodiscard]] QStringList recent() const;
  [[nodiscard]] QString modelFolder() const { return m_modelFolder; }
  [[nodiscard]] QString traceFile() const;
  [[nodiscard]] QString dataFolder() const;

  /// Where new traces go: the data folder unless another was chosen (empty: the data folder again).
  [[nodiscard]] QString tracesFolder() const;
  void setTracesFolder(const QString& folder);

  /// Device, dtype and threads of the next load; kept in the settings.
  [[nodiscard]] engine::LoadOptions loadOptions() const;
  void setLoadOptions(const engine::LoadOptions& options);

  /// Whether recording into the open file needs the user's word first (it is somebody else's).
  [[nodiscard]] bool mustAskBeforeRecording() const;
  /// Makes sure that there is a file to record into: the open one (`intoOpenFile`) or a new one.
  bool prepareRecording(bool intoOpenFile);

  /// What was open, for the next start.
  void saveSession() const;
  void restoreSession();

 Q_SIGNALS:
  void modelAsked();                 ///< a model is to be loaded
  void failed(const QString& text);  ///< one sentence for the user
  void recentChanged();
  void traceChanged();
  void demoOpened(const QString& prompt);  ///< a prompt that suits the demo model

 private:
  static QString demoPrompt();
  static bool isModel(const QFileInfo& info);
  void remember(const QString& path);
  bool useStore(tl::expected<std::shared_ptr<trace::TraceStore>, Error> opened);

  std::shared_ptr<engine::LiveSession> m_session;
  views::ViewContext* m_context;
  QString m_modelFolder;
  bool m_foreign = false;
};

}  // namespace moescope::app
