// PhasesControls: the tool bar of the Phases panel and the rows above its pictures: which series, layer,
// metrics and marks. Not for what they show.
#pragma once

#include <QWidget>

#include <string>

#include "core/analysis/series_metrics.h"
#include "core/trace/trace_store.h"

class QCheckBox;
class QComboBox;
class QHBoxLayout;
class QLabel;

namespace moescope::phases {

/// GUI thread only.
class PhasesControls : public QWidget {
  Q_OBJECT

 public:
  static constexpr int kAllSeries = -1;  ///< overlaid

  explicit PhasesControls(QWidget* parent = nullptr);

  void setSeries(const std::vector<trace::SeriesRecord>& series);
  /// Fills layers and metrics; what was chosen stays chosen where it still exists.
  void setMetrics(const analysis::SeriesMetrics& series);

  // Rows that stand above the pictures; whoever lays them out owns them.
  [[nodiscard]] QWidget* courseHead() const { return m_courseHead; }  ///< "[CV] over training steps"
  [[nodiscard]] QWidget* planeHead() const { return m_planeHead; }    ///< "[Loss] against [Peak load factor]"
  [[nodiscard]] QWidget* layersHead() const {
    return m_layersHead;
  }  ///< "Each layer: CV over training steps"

  [[nodiscard]] qlonglong series() const;  ///< id, or kAllSeries
  [[nodiscard]] int column() const;        ///< 0: mean of the layers, 1 + i: layer i
  [[nodiscard]] std::string metric() const;
  [[nodiscard]] std::string planeX() const;
  [[nodiscard]] std::string planeY() const;
  [[nodiscard]] std::string estimator() const;
  [[nodiscard]] bool bands() const;
  [[nodiscard]] bool phases() const;
  [[nodiscard]] bool sameScale() const;

 Q_SIGNALS:
  void seriesChanged();  ///< other data: series or estimator
  void viewChanged();    ///< the same data shown otherwise

 private:
  QHBoxLayout* makeHead(QWidget* head);
  void nameLayers();

  QWidget* m_courseHead;
  QWidget* m_planeHead;
  QWidget* m_layersHead;
  QLabel* m_layersTitle;
  QLabel* m_layersNote;
  QComboBox* m_series;
  QComboBox* m_layer;
  QComboBox* m_metric;
  QComboBox* m_x;
  QComboBox* m_y;
  QComboBox* m_estimator;
  QCheckBox* m_bands;
  QCheckBox* m_phases;
  QCheckBox* m_sameScale;
};

}  // namespace moescope::phases
