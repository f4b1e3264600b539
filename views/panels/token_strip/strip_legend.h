// StripLegend: the colours of the token strip in its tool bar: a colour bar or named swatches.
// Not interactive; ranges of the strip are fixed.
#pragma once

#include <QWidget>

#include "views/panels/token_strip/strip_settings.h"

namespace moescope::views {

/// GUI thread only.
class StripLegend : public QWidget {
  Q_OBJECT

 public:
  explicit StripLegend(QWidget* parent = nullptr);
  void setLegend(const StripSettings& settings, const std::vector<RouterSpec>& routers);
  [[nodiscard]] QSize sizeHint() const override;

 protected:
  void paintEvent(QPaintEvent* event) override;

 private:
  StripSettings m_settings;
  figure::ColourScale m_scale;
};

}  // namespace moescope::views
