// TokenStripPanel: the Tokens panel: what the strip is coloured by, its scale, counts, Follow, the strip.
// Not for drawing or for events on the strip.
#pragma once

#include <QWidget>

#include "views/api/query_runner.h"
#include "views/panels/token_strip/token_strip_canvas.h"

class QComboBox;
class QScrollBar;
class QStackedWidget;
class QToolButton;

namespace moescope::views {

class CanvasWidget;
class StripLegend;
class TextLabel;

/// GUI thread only. Shows the selected run; fills live.
class TokenStripPanel : public QWidget {
  Q_OBJECT

 public:
  explicit TokenStripPanel(ViewContext& context, QWidget* parent = nullptr);
  ~TokenStripPanel() override;

  [[nodiscard]] const StripSettings& settings() const { return m_settings; }
  void setSettings(const StripSettings& settings);
  [[nodiscard]] TokenStripCanvas& canvas() const { return *m_canvas; }
  [[nodiscard]] CanvasWidget& widget() const { return *m_widget; }
  /// "12 prompt + 162 generated tokens".
  [[nodiscard]] QString counts() const;
  [[nodiscard]] bool idle() const;

 private:
  void makeLayout();
  void connectCanvas();
  void fillChoices();
  void showRun();
  void readText();
  void textArrived(std::shared_ptr<const StripText> text);
  void readColours(QueryRunner::Urgency urgency);
  void readDetail();
  void syncScrollBar();
  void openMenu(QPoint globalAt);

  ViewContext& m_context;
  TokenStripCanvas* m_canvas;
  CanvasWidget* m_widget = nullptr;
  QStackedWidget* m_pages = nullptr;
  QComboBox* m_choice = nullptr;
  StripLegend* m_legend = nullptr;
  TextLabel* m_counts = nullptr;
  QToolButton* m_follow = nullptr;
  QScrollBar* m_scrollBar = nullptr;
  QueryRunner m_texts, m_colours, m_details;
  StripSettings m_settings;
  trace::RunRecord m_run;
  trace::TokenRange m_coloured;  ///< rows that were asked for last
};

}  // namespace moescope::views
