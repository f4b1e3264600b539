#include "views/api/figure_table.h"

#include <QAction>
#include <QDialog>
#include <QHeaderView>
#include <QTableView>
#include <QVBoxLayout>

namespace moescope::views {

namespace {

constexpr QSize kFirstSize(480, 560);

/// Records of RFC 4180: quoted fields may hold commas, quotes (doubled) and line ends.
QList<QStringList> csvRecords(const QString& text) {
  QList<QStringList> records;
  QStringList record;
  QString field;
  bool quoted = false;
  for (qsizetype i = 0; i < text.size(); ++i) {
    const QChar c = text[i];
    if (quoted) {
      const bool doubled = c == QLatin1Char('"') && i + 1 < text.size() && text[i + 1] == QLatin1Char('"');
      if (doubled) ++i;
      if (c == QLatin1Char('"') && !doubled) {
        quoted = false;
      } else {
        field += c;
      }
    } else if (c == QLatin1Char('"')) {
      quoted = true;
    } else if (c == QLatin1Char(',')) {
      record << std::exchange(field, {});
    } else if (c == QLatin1Char('\n')) {
      record << std::exchange(field, {});
      records << std::exchange(record, {});
    } else if (c != QLatin1Char('\r')) {
      field += c;
    }
  }
  return records;
}

}  // namespace

FigureTableModel::FigureTableModel(const figure::FigureSpec& spec, QObject* parent)
    : QAbstractTableModel(parent), m_rows(csvRecords(QString::fromStdString(figure::toCsv(spec)))) {
  if (!m_rows.isEmpty()) m_header = m_rows.takeFirst();
}

int FigureTableModel::rowCount(const QModelIndex& parent) const {
  return parent.isValid() ? 0 : static_cast<int>(m_rows.size());
}

int FigureTableModel::columnCount(const QModelIndex& parent) const {
  return parent.isValid() ? 0 : static_cast<int>(m_header.size());
}

QVariant FigureTableModel::data(const QModelIndex& index, int role) const {
  if (!checkIndex(index, CheckIndexOption::IndexIsValid)) return {};
  const QString text = m_rows[index.row()].value(index.column());
  if (role == Qt::DisplayRole) return text;
  if (role != Qt::TextAlignmentRole) return {};
  bool number = false;
  text.toDouble(&number);
  return int((number ? Qt::AlignRight : Qt::AlignLeft) | Qt::AlignVCenter);
}

QVariant FigureTableModel::headerData(int section, Qt::Orientation orientation, int role) const {
  if (orientation != Qt::Horizontal || role != Qt::DisplayRole) return {};
  return m_header.value(section);
}

QWidget* showFigureTable(const figure::FigureSpec& spec, QWidget* parent) {
  auto* window = new QDialog(parent);
  window->setAttribute(Qt::WA_DeleteOnClose);
  window->setWindowTitle(QString::fromStdString(spec.title));
  auto* table = new QTableView;
  table->setModel(new FigureTableModel(spec, table));
  table->setAccessibleName(QString::fromStdString(spec.title + ", " + spec.sampleLine));
  table->verticalHeader()->hide();
  table->setFrameShape(QFrame::NoFrame);
  table->horizontalHeader()->setStretchLastSection(true);
  auto* column = new QVBoxLayout(window);
  column->setContentsMargins(0, 0, 0, 0);
  column->addWidget(table);
  window->resize(kFirstSize);
  window->show();
  return window;
}

QAction* addTableAction(QWidget* canvas, std::function<Result<figure::FigureSpec>()> figure) {
  auto* action = new QAction(QObject::tr("Show as table"), canvas);
  action->setShortcut(QKeySequence(Qt::CTRL | Qt::SHIFT | Qt::Key_T));
  action->setShortcutContext(Qt::WidgetShortcut);
  QObject::connect(action, &QAction::triggered, canvas, [canvas, figure = std::move(figure)] {
    if (const auto spec = figure()) showFigureTable(*spec, canvas);
  });
  canvas->addAction(action);
  return action;
}

}  // namespace moescope::views
