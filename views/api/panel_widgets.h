// Small widgets that several panels share: labels by role, empty states, error bars, action buttons.
// Not for anything that knows data.
#pragma once

#include <QIcon>
#include <QLabel>
#include <QPushButton>
#include <QWidget>

class QAction;
class QVBoxLayout;

namespace moescope::views {

/// A label in one of the type styles of the window; follows theme and font changes.
class TextLabel : public QLabel {
  Q_OBJECT

 public:
  enum class Style {
    Body,       ///< 12 px
    Secondary,  ///< 11 px, text2
    Title,      ///< 12 px SemiBold
    Number,     ///< 15 px SemiBold, summary numbers
    Heading,    ///< 17 px SemiBold, empty states
    Warning,    ///< 11 px, warning colour
  };
  TextLabel(const QString& text, Style style, QWidget* parent = nullptr);

 protected:
  void changeEvent(QEvent* event) override;

 private:
  void applyStyle();
  Style m_style;
  bool m_applying = false;
};

/// An icon of the theme; follows it.
class IconLabel : public QWidget {
  Q_OBJECT

 public:
  enum class Tone {
    Plain,  ///< text colour, or the colour of its status
    Quiet,  ///< text3
    Accent,
  };
  IconLabel(const QString& icon, int size, Tone tone, QWidget* parent = nullptr);

 protected:
  void paintEvent(QPaintEvent* event) override;

 private:
  QIcon m_icon;
  Tone m_tone;
};

/// What a panel shows while it has nothing to show: icon, what is missing, what to do.
class EmptyState : public QWidget {
  Q_OBJECT

 public:
  EmptyState(const QString& icon, const QString& heading, const QString& text, QWidget* parent = nullptr);
};

/// A push button that is the face of an action: text, icon, enabled state and tool tip follow it.
class ActionButton : public QPushButton {
  Q_OBJECT

 public:
  /// `primary` shows it in the accent colour while it is enabled. `text`: another text than the action's.
  ActionButton(QAction* action, bool primary, const QString& text = {}, QWidget* parent = nullptr);

 private:
  void follow();
  QAction* m_action;
  QString m_text;
  bool m_primary;
};

/// A bar at the top of a panel for an error that needs no decision: icon, text, close.
class ErrorBar : public QWidget {
  Q_OBJECT

 public:
  explicit ErrorBar(QWidget* parent = nullptr);
  void showError(const QString& text);

 protected:
  void paintEvent(QPaintEvent* event) override;

 private:
  QLabel* m_text;
};

/// The tool tip of an action with its shortcut: "Generate (Ctrl+Return)".
QString toolTipWithShortcut(const QAction& action);

}  // namespace moescope::views
