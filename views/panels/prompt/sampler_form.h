// SamplerForm: how tokens are drawn, how many, and what of them is recorded. Not for the prompt.
#pragma once

#include <QWidget>

#include "core/engine/generation/generation.h"

class QCheckBox;
class QComboBox;
class QDoubleSpinBox;
class QLineEdit;
class QSpinBox;

namespace moescope::views {

class ViewContext;

/// Bytes that one token adds to a trace at a capture level, from the model's routers.
std::int64_t captureBytesPerToken(const std::vector<RouterSpec>& routers, trace::CaptureLevel level);

QString captureName(trace::CaptureLevel level);
/// The level that a window starts with; kept in the settings.
[[nodiscard]] trace::CaptureLevel defaultCapture();
void setDefaultCapture(trace::CaptureLevel level);

/// GUI thread only.
class SamplerForm : public QWidget {
  Q_OBJECT

 public:
  explicit SamplerForm(ViewContext& context, QWidget* parent = nullptr);

  /// All but the prompt; draws a new seed unless it is kept.
  [[nodiscard]] engine::GenerationSettings settings();
  [[nodiscard]] int maxTokens() const;
  void setCapture(trace::CaptureLevel level);

 private:
  QWidget* makeMoreSettings();
  void refreshCaptureSizes();

  ViewContext& m_context;
  QDoubleSpinBox* m_temperature = nullptr;
  QDoubleSpinBox* m_topP = nullptr;
  QDoubleSpinBox* m_minP = nullptr;
  QDoubleSpinBox* m_repetition = nullptr;
  QSpinBox* m_topK = nullptr;
  QSpinBox* m_seed = nullptr;
  QCheckBox* m_keepSeed = nullptr;
  QSpinBox* m_maxTokens = nullptr;
  QLineEdit* m_stopStrings = nullptr;
  QCheckBox* m_ignoreEnd = nullptr;
  QComboBox* m_capture = nullptr;
};

}  // namespace moescope::views
