// SpecializationControls: the tool bar of the Specialization panel: layer, labels, value, order.
// Not for what they show.
#pragma once

#include <QWidget>

#include <string>
#include <vector>

#include "core/figure/specialization_figures.h"
#include "core/trace/trace_store.h"

class QCheckBox;
class QComboBox;
class QHBoxLayout;
class QLineEdit;

namespace moescope::views {
class RouterBox;
}

namespace moescope::specialization {

/// GUI thread only.
class SpecializationControls : public QWidget {
  Q_OBJECT

 public:
  explicit SpecializationControls(QWidget* parent = nullptr);

  /// Layers and label keys of a run; what was chosen stays chosen where it still exists.
  void setRun(const std::vector<RouterSpec>& routers, const std::vector<trace::SequenceRecord>& sequences);
  void setRouter(const RouterKey& router);

  [[nodiscard]] std::optional<RouterKey> router() const;
  [[nodiscard]] std::optional<RouterSpec> spec() const;
  /// The parameter `labels` of the analysis; empty if it cannot be said yet (no pattern, no selection).
  [[nodiscard]] std::string labels(trace::TokenRange selected) const;
  [[nodiscard]] bool usesSelection() const;
  [[nodiscard]] figure::SpecializationFigureOptions options() const;

 Q_SIGNALS:
  void labelsChanged();  ///< another computation
  void routerChosen();
  void viewChanged();  ///< the same result shown otherwise

 private:
  QComboBox* addBox(QHBoxLayout* row, const QString& name, const QString& label, const QString& toolTip,
                    QComboBox* box = nullptr);

  views::RouterBox* m_router;
  QComboBox* m_labels;
  QLineEdit* m_pattern;
  QComboBox* m_value;
  QComboBox* m_order;
  QCheckBox* m_grey;
};

}  // namespace moescope::specialization
