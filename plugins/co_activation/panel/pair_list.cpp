#include "plugins/co_activation/panel/pair_list.h"

#include <QHeaderView>
#include <QSignalBlocker>

#include <cmath>

#include "core/base/router_label.h"
#include "core/figure/number_text.h"
#include "core/figure/specialization_figures.h"

namespace moescope::co_activation {

namespace {

constexpr int kRow = 22, kNarrowestColumn = 28, kWidth = 300;

QString qt(const std::string& text) { return QString::fromStdString(text); }

}  // namespace

QString percent(double share) {
  return qt(figure::decimalText(100.0 * share, 1)) + qt(figure::kThinSpace) + QLatin1Char('%');
}

PairList::PairList(QWidget* parent) : QTableWidget(0, 5, parent) {
  setAccessibleName(tr("Strongest pairs of the layer"));
  setHorizontalHeaderLabels({tr("i"), tr("j"), tr("j given i"), tr("95 %"), tr("i given j")});
  const QStringList tips{tr("The expert that serves a token"), tr("The expert that serves it too"),
                         tr("Part of the tokens of i that j serves too"),
                         tr("95 % interval of j given i, in percent"),
                         tr("Part of the tokens of j that i serves too")};
  for (int column = 0; column < tips.size(); ++column) horizontalHeaderItem(column)->setToolTip(tips[column]);
  setFrameShape(QFrame::NoFrame);
  setShowGrid(false);
  setSelectionBehavior(QAbstractItemView::SelectRows);
  setSelectionMode(QAbstractItemView::SingleSelection);
  setEditTriggers(QAbstractItemView::NoEditTriggers);
  setTabKeyNavigation(false);
  setMinimumWidth(kWidth);
  QHeaderView& header = *horizontalHeader();
  header.setSectionResizeMode(QHeaderView::Stretch);
  for (const int column : {0, 1}) header.setSectionResizeMode(column, QHeaderView::ResizeToContents);
  header.setMinimumSectionSize(kNarrowestColumn);
  header.setHighlightSections(false);
  header.setDefaultAlignment(Qt::AlignRight | Qt::AlignVCenter);
  verticalHeader()->hide();
  verticalHeader()->setDefaultSectionSize(kRow);
  connect(this, &QTableWidget::itemSelectionChanged, this, [this] {
    if (currentRow() < 0 || selectedItems().isEmpty()) return;
    const auto [from, to] = pairAt(currentRow());
    Q_EMIT chosen(from, to);
  });
}

void PairList::setPairs(const analysis::AnalysisResult& result, const RouterKey& router) {
  const QSignalBlocker blocker(this);
  setRowCount(0);
  const auto* table = result.table("pairs");
  for (std::size_t row = 0; table != nullptr && row < table->rows.size(); ++row) {
    if (routerLabel(figure::routerAt(*table, row)) != routerLabel(router)) continue;
    const auto value = [&](std::string_view column) { return numberAt(*table, row, column); };
    const auto bare = [&](std::string_view column) {
      return qt(figure::decimalText(100.0 * value(column), 1));
    };
    const QStringList texts{
        QString::number(value("from")), QString::number(value("to")), percent(value("value")),
        std::isfinite(value("value_low")) ? tr("%1–%2").arg(bare("value_low"), bare("value_high"))
                                          : QString(),
        percent(value("value_back"))};
    const int at = rowCount();
    insertRow(at);
    for (int column = 0; column < texts.size(); ++column) {
      auto* item = new QTableWidgetItem(texts[column]);
      item->setTextAlignment(Qt::AlignRight | Qt::AlignVCenter);
      setItem(at, column, item);
    }
  }
}

PairList::Pair PairList::pairAt(int row) const {
  return {item(row, 0)->text().toInt(), item(row, 1)->text().toInt()};
}

void PairList::mark(const std::optional<Pair>& pair) {
  const QSignalBlocker blocker(this);
  clearSelection();
  for (int row = 0; pair && row < rowCount(); ++row) {
    if (pairAt(row) == *pair) selectRow(row);
  }
}

}  // namespace moescope::co_activation
