// Ground: a widget filled with one colour of the theme. Not for borders.
#pragma once

#include <QWidget>

#include "views/api/theme.h"

namespace moescope::views {

class Ground : public QWidget {
  Q_OBJECT

 public:
  explicit Ground(ColourRole role, QWidget* parent = nullptr);

 protected:
  void paintEvent(QPaintEvent* event) override;

 private:
  ColourRole m_role;
};

}  // namespace moescope::views
