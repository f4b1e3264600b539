// RuleRow: one rule as the steering panel shows it, with its controls. Not for deciding what an edit means:
// it asks its panel through RuleRowClient.
#pragma once

#include <QFrame>

#include <functional>

#include "core/base/router_spec.h"
#include "core/steering/steering_program.h"

class QCheckBox;
class QLabel;
class QLineEdit;
class QMenu;
class QToolButton;

namespace moescope::views {

class ScopeButton;
class SignedSpinBox;
class StrengthSlider;
class TextLabel;

/// What a row shows beside the rule itself.
struct RuleRowState {
  steering::Rule rule;
  std::vector<RouterSpec> routers;  ///< of the loaded model; empty while none is known
  QString effect;                   ///< what it did; may be empty
  QString problem;                  ///< conflict or error in warning colour; may be empty
  QString problemDetail;            ///< tool tip of it
  bool steeringOn = true;           ///< the master switch
};

class RuleRow : public QFrame {
  Q_OBJECT

 public:
  explicit RuleRow(QWidget* parent = nullptr);

  void setState(const RuleRowState& state);
  [[nodiscard]] std::int64_t ruleId() const { return m_state.rule.id; }
  [[nodiscard]] const RuleRowState& state() const { return m_state; }
  void setCurrent(bool current);
  void startRename();
  void openMenu(QPoint globalAt);

 Q_SIGNALS:
  /// The user wants this rule instead. `mergeId` is the same for all steps of one drag.
  void ruleEdited(const moescope::steering::Rule& rule, const QString& undoTitle, int mergeId);
  void duplicateRequested();
  void deleteRequested();
  void showOnMapRequested();
  void becameCurrent();
  void moveRequested(int step);

 protected:
  void keyPressEvent(QKeyEvent* event) override;
  void mousePressEvent(QMouseEvent* event) override;
  void focusInEvent(QFocusEvent* event) override;
  void contextMenuEvent(QContextMenuEvent* event) override;
  void paintEvent(QPaintEvent* event) override;
  void resizeEvent(QResizeEvent* event) override;
  void changeEvent(QEvent* event) override;
  bool eventFilter(QObject* watched, QEvent* event) override;

 private:
  QWidget* makeTitleLine();
  QWidget* makeStrengthLine();
  QWidget* makeScopeLine();
  ScopeButton* makeScopeButton(const char* name, const std::function<void(QWidget*)>& open);
  QWidget* makeProblemLine();
  void refreshTitle();
  void refreshStrength();
  void refreshScope();
  void elideTitle();
  void tint();
  void openPhaseMenu(QWidget* anchor);
  void editStrength(double value, bool sameGesture);
  void finishRename();

  RuleRowState m_state;
  bool m_current = false;
  bool m_tinting = false;
  int m_gesture = 0;
  QString m_fullTitle;

  QCheckBox* m_enabled = nullptr;
  QLabel* m_icon = nullptr;
  QLabel* m_title = nullptr;
  QLineEdit* m_rename = nullptr;
  QToolButton* m_menuButton = nullptr;
  QWidget* m_strengthLine = nullptr;
  StrengthSlider* m_slider = nullptr;
  SignedSpinBox* m_field = nullptr;
  TextLabel* m_unit = nullptr;
  ScopeButton* m_layers = nullptr;
  ScopeButton* m_experts = nullptr;
  ScopeButton* m_phase = nullptr;
  ScopeButton* m_tokens = nullptr;
  TextLabel* m_effect = nullptr;
  QWidget* m_problemLine = nullptr;
  QLabel* m_problemIcon = nullptr;
  TextLabel* m_problem = nullptr;
};

}  // namespace moescope::views
