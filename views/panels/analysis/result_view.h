// ResultView: an analysis result as tables, with its sample and baseline above and its notes below, and the
// buttons that export it. Not for computing or drawing it.
#pragma once

#include <QWidget>

#include <memory>

#include "core/plugin/plugin_host.h"

class QLabel;
class QComboBox;
class QTabWidget;

namespace moescope::views {

class SampleLine;
class TextLabel;

/// GUI thread only.
class ResultView : public QWidget {
  Q_OBJECT

 public:
  /// `host` gives the exporters and outlives the view.
  explicit ResultView(const plugin::PluginHost& host, QWidget* parent = nullptr);

  /// `partial`: more is coming; it cannot be exported yet.
  void setResult(std::shared_ptr<const analysis::AnalysisResult> result, bool partial);
  void setStale(bool stale);
  [[nodiscard]] std::shared_ptr<const analysis::AnalysisResult> result() const { return m_result; }
  [[nodiscard]] QTabWidget* tabs() const { return m_tabs; }

  /// The bytes of a file: "csv" (the table that is shown), "json", or the id of an exporter.
  [[nodiscard]] Result<std::string> exported(const std::string& format) const;

 Q_SIGNALS:
  void failed(const QString& text);

 private:
  QWidget* makeButtons();
  void addButton(QLayout& row, const std::string& format, const QString& name, const QString& suffix);
  void save(const std::string& format, const QString& name, const QString& suffix);

  const plugin::PluginHost& m_host;
  std::shared_ptr<const analysis::AnalysisResult> m_result;
  SampleLine* m_sample;
  TextLabel* m_interval;
  QComboBox* m_table;  // titles of the tables
  QTabWidget* m_tabs;
  TextLabel* m_notes;
  QWidget* m_buttons;
};

}  // namespace moescope::views
