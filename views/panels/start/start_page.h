// StartPage: what stands where the pictures will be while nothing is open: demo, folder, trace, the
// Hugging Face cache and recent files. Not a wizard.
#pragma once

#include <QStringList>
#include <QWidget>

#include <vector>

#include "core/checkpoint/hf_cache.h"

class QPushButton;
class QTreeWidget;
class QVBoxLayout;

namespace moescope::views {

class TextLabel;

/// GUI thread only.
class StartPage : public QWidget {
  Q_OBJECT

 public:
  explicit StartPage(QWidget* parent = nullptr);

  void setRecent(const QStringList& paths);
  /// `freeBytes` of the device that models would go to; `device` names it.
  void setCache(const std::vector<checkpoint::CachedModel>& models, const QString& folder,
                std::int64_t freeBytes, const QString& device);

 Q_SIGNALS:
  void demoRequested();
  void folderRequested();
  void traceRequested();
  void openRequested(const QString& path);

 private:
  void fillCache();
  void openSelected();

  std::vector<checkpoint::CachedModel> m_models;
  std::int64_t m_freeBytes = 0;
  TextLabel* m_cacheSummary = nullptr;
  QTreeWidget* m_cache = nullptr;
  QPushButton* m_openSelected = nullptr;
  QPushButton* m_showUnsupported = nullptr;
  QVBoxLayout* m_recent = nullptr;
};

}  // namespace moescope::views
