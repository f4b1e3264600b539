// FigureSource: what a panel implements beside QWidget so that File > Export figure… offers its pictures.
// Not for drawing them (views/figure).
#pragma once

#include <QString>

#include <functional>
#include <vector>

#include "core/base/result.h"
#include "core/figure/figure_spec.h"

namespace moescope::views {

/// One picture that can be exported. `figure` gives it as it is shown at that moment; errors say what is
/// missing.
struct NamedFigure {
  QString name;  ///< "Phases over training"
  std::function<Result<figure::FigureSpec>()> figure;
};

/// GUI thread only.
class FigureSource {
 public:
  virtual ~FigureSource() = default;
  [[nodiscard]] virtual std::vector<NamedFigure> figures() = 0;
};

}  // namespace moescope::views
