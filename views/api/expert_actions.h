// ExpertActions: the verbs on experts that every picture offers the same way: menu, keys, drag, popup.
// Not for what the verbs do to a program (steering_edits.h).
#pragma once

#include <QObject>
#include <QPoint>
#include <QString>

#include <functional>

#include "views/api/steering_edits.h"

class QKeyEvent;
class QMenu;
class QWidget;

namespace moescope::views {

class ViewContext;

/// GUI thread only. Every verb is one undo step and acts on the next token.
class ExpertActions : public QObject {
  Q_OBJECT

 public:
  ExpertActions(ViewContext& context, QWidget* window);

  void ban(const ExpertCells& cells);
  void pin(const ExpertCells& cells);
  void release(const ExpertCells& cells);
  void strengthen(const ExpertCells& cells, double delta);
  /// B, P, R, + and − (Shift: by 1.0). True if the key was one of them and there are cells.
  bool key(const QKeyEvent& event, const ExpertCells& cells);

  /// The menu of an expert under `heading`: verbs, then what `more` adds (may be empty). Deletes itself.
  QMenu* openMenu(const ExpertCells& cells, const QString& heading, QPoint globalAt,
                  const std::function<void(QMenu&)>& more);
  /// Slider and spin box; `first` is added at once if the cells have no strength yet. Esc takes it back.
  void openStrengthPopup(const ExpertCells& cells, double first, QPoint globalAt);

  // A drag that changes the strength: one undo step from begin to end.
  void beginDrag(ExpertCells cells);
  void dragTo(double delta);  ///< logit added since beginDrag()
  void endDrag();
  void takeBackDrag();
  [[nodiscard]] bool dragging() const { return !m_dragged.empty(); }
  [[nodiscard]] double draggedStrength() const { return m_strength; }  ///< of the first cell

 private:
  void apply(const steering::SteeringProgram& program, const QString& title, int mergeId = 0);

  ViewContext& m_context;
  QWidget* m_window;
  ExpertCells m_dragged;
  steering::SteeringProgram m_before;
  double m_strength = 0.0;
  int m_mergeId = 0;
  bool m_edited = false;
};

/// An id for SteeringDocument::edit that no other gesture uses.
int newMergeId();

}  // namespace moescope::views
