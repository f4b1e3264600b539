// PhasesPanel: the load-balance phase plot of a series: a metric over steps, the plane of two metrics, and
// the metric layer by layer. Not for computing metrics (core/plugin/series_collection.h).
#pragma once

#include <QWidget>

#include <memory>
#include <optional>

#include "core/figure/series_figures.h"
#include "plugins/phases/series_loader.h"
#include "views/api/figure_source.h"
#include "views/api/figure_view.h"

class QLabel;
class QScrollArea;
class QStackedWidget;

namespace moescope::views {
class ErrorBar;
class ProgressRow;
class SampleLine;
}  // namespace moescope::views

namespace moescope::phases {

class PhasesControls;

/// GUI thread only.
class PhasesPanel : public QWidget, public views::FigureSource {
  Q_OBJECT

 public:
  explicit PhasesPanel(views::ViewContext& context, QWidget* parent = nullptr);
  ~PhasesPanel() override;

  [[nodiscard]] std::vector<views::NamedFigure> figures() override;
  /// What is known of the chosen series; null while there is nothing.
  [[nodiscard]] std::shared_ptr<const SeriesLoader::Series> series() const { return m_series; }
  [[nodiscard]] bool busy() const { return m_loader->busy(); }

 protected:
  bool eventFilter(QObject* watched, QEvent* event) override;

 private:
  QWidget* makeBody();
  QWidget* makePicture(views::FigureView*& view, QWidget* head, const QString& name,
                       const QString& accessible);
  void connectPictures();
  void connectContext();
  void refreshList();
  void reload();
  void showSeries(std::shared_ptr<const SeriesLoader::Series> series);
  /// No series at all: what is missing and what to do about it.
  void showProblem(const Error& error, bool nothing);
  void forget();
  void refreshFigures();
  void refreshSample();
  void refreshLive();
  void openRun(int line, int point);
  /// Columns of the small pictures for the room that there is.
  [[nodiscard]] int layerColumns() const;

  [[nodiscard]] figure::SeriesFigureOptions options() const;
  [[nodiscard]] Result<figure::FigureSpec> courseFigure() const;
  [[nodiscard]] Result<figure::FigureSpec> planeFigure() const;
  [[nodiscard]] Result<figure::FigureSpec> layersFigure() const;
  /// Tool tip of a checkpoint; `column` 0 is the mean of the layers.
  [[nodiscard]] views::FigureTip tipOf(int line, int point, int column) const;
  [[nodiscard]] views::FigureTip liveTip() const;

  views::ViewContext& m_context;
  SeriesLoader* m_loader;
  views::QueryRunner* m_liveQuery;
  std::shared_ptr<const SeriesLoader::Series> m_series;
  std::optional<figure::SeriesExtraPoint> m_live;
  int m_layerColumns = 0;
  std::size_t m_runs = 0;  // of all series when they were last loaded

  views::ErrorBar* m_error;
  PhasesControls* m_controls;
  views::SampleLine* m_sample;
  QLabel* m_note;
  views::ProgressRow* m_progress;
  QStackedWidget* m_pages;
  views::FigureView* m_course = nullptr;
  views::FigureView* m_plane = nullptr;
  views::FigureView* m_layers = nullptr;
  QScrollArea* m_layersRoom = nullptr;
};

}  // namespace moescope::phases
