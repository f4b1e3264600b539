#include <QUndoStack>

#include "views/api/view_context.h"

namespace moescope::views {

/// One undo step: a program before and after.
class ProgramEdit : public QUndoCommand {
 public:
  ProgramEdit(SteeringDocument& document, steering::SteeringProgram after, const QString& title, int mergeId)
      : QUndoCommand(title),
        m_document(document),
        m_before(document.program()),
        m_after(std::move(after)),
        m_mergeId(mergeId) {}

  void undo() override { m_document.apply(m_before); }
  void redo() override { m_document.apply(m_after); }
  [[nodiscard]] int id() const override { return m_mergeId > 0 ? m_mergeId : -1; }
  bool mergeWith(const QUndoCommand* other) override {
    m_after = static_cast<const ProgramEdit*>(other)->m_after;
    setText(other->text());
    setObsolete(m_after == m_before);  // a drag that was taken back is no step
    return true;
  }

 private:
  SteeringDocument& m_document;
  steering::SteeringProgram m_before, m_after;
  int m_mergeId;
};

SteeringDocument::SteeringDocument(QObject* parent)
    : QObject(parent), m_undoStack(std::make_unique<QUndoStack>()) {}

SteeringDocument::~SteeringDocument() = default;

steering::SteeringProgram SteeringDocument::effectiveProgram() const {
  return m_masterOn ? m_program : steering::SteeringProgram{};
}

void SteeringDocument::edit(steering::SteeringProgram program, const QString& title, int mergeId) {
  if (program == m_program) return;
  m_undoStack->push(new ProgramEdit(*this, std::move(program), title, mergeId));
}

void SteeringDocument::apply(const steering::SteeringProgram& program) {
  if (program == m_program) return;
  m_program = program;
  Q_EMIT programChanged();
}

void SteeringDocument::setMasterOn(bool on) {
  if (m_masterOn == on) return;
  m_masterOn = on;
  Q_EMIT programChanged();
}

void SteeringDocument::setCounterfactual(bool on) {
  if (m_counterfactual == on) return;
  m_counterfactual = on;
  Q_EMIT programChanged();
}

}  // namespace moescope::views
