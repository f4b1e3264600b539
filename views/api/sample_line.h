// SampleLine: the line over a picture that names its sample on the left and its baseline on the right.
// Not for composing the text (core/figure).
#pragma once

#include <QWidget>

namespace moescope::views {

/// GUI thread only. 24 px high at scale 1; the run's name stands out.
class SampleLine : public QWidget {
  Q_OBJECT

 public:
  explicit SampleLine(QWidget* parent = nullptr);

  void setSample(const QString& sample, const QString& runName, const QString& baseline);
  /// Settings changed and the new picture is being made, or an error keeps the old one.
  void setStale(bool stale);
  [[nodiscard]] QString sample() const { return m_sample; }
  [[nodiscard]] QString baseline() const { return m_baseline; }

  [[nodiscard]] QSize sizeHint() const override;

 protected:
  void paintEvent(QPaintEvent* event) override;

 private:
  QString m_sample, m_runName, m_baseline;
  bool m_stale = false;
};

}  // namespace moescope::views
