#include "app/window/plugins_dialog.h"

#include <QDialogButtonBox>
#include <QHeaderView>
#include <QTableWidget>
#include <QVBoxLayout>

#include "views/api/panel_widgets.h"

namespace moescope::app {

namespace {

constexpr QSize kFirstSize(860, 480);

QString qt(const std::string& text) { return QString::fromStdString(text); }

QTableWidget* makeTable(const QStringList& head, const QString& name) {
  auto* table = new QTableWidget(0, static_cast<int>(head.size()));
  table->setHorizontalHeaderLabels(head);
  table->setObjectName(name);
  table->verticalHeader()->hide();
  table->setSelectionBehavior(QAbstractItemView::SelectRows);
  table->setEditTriggers(QAbstractItemView::NoEditTriggers);
  table->setTabKeyNavigation(false);
  table->horizontalHeader()->setSectionResizeMode(QHeaderView::ResizeToContents);
  table->horizontalHeader()->setStretchLastSection(true);
  return table;
}

void addRow(QTableWidget& table, const QStringList& cells, const QString& toolTip) {
  const int row = table.rowCount();
  table.insertRow(row);
  for (int column = 0; column < cells.size(); ++column) {
    auto* item = new QTableWidgetItem(cells[column]);
    item->setToolTip(toolTip);
    table.setItem(row, column, item);
  }
}

}  // namespace

PluginsDialog::PluginsDialog(const plugin::PluginHost& host, QWidget* parent) : QDialog(parent) {
  setWindowTitle(tr("Plug-ins"));
  auto* loaded = makeTable({tr("Name"), tr("Version"), tr("Interfaces"), tr("State"), tr("File")},
                           QStringLiteral("loaded"));
  loaded->setAccessibleName(tr("Loaded plug-ins"));
  for (const plugin::PluginStatus& status : host.plugins()) {
    QStringList interfaces;
    for (const std::string& one : status.metadata.interfaces) interfaces << qt(one);
    addRow(*loaded,
           {qt(status.metadata.name), qt(status.metadata.version), interfaces.join(QStringLiteral(", ")),
            status.off ? tr("off until restart") : tr("on"), qt(status.file)},
           qt(status.metadata.description));
  }
  auto* column = new QVBoxLayout(this);
  column->addWidget(loaded, 2);
  const auto failures = host.failures();
  if (!failures.empty()) {
    column->addWidget(new views::TextLabel(tr("Left out or switched off"), views::TextLabel::Style::Title));
    auto* table = makeTable({tr("File"), tr("Reason")}, QStringLiteral("failures"));
    table->setAccessibleName(tr("Plug-ins that failed"));
    for (const plugin::PluginFailure& failure : failures) {
      QString reason = qt(failure.reason.message);
      if (!failure.reason.advice.empty()) reason += QStringLiteral("; ") + qt(failure.reason.advice);
      addRow(*table, {qt(failure.file), reason}, qt(failure.reason.text()));
    }
    column->addWidget(table, 1);
  }
  auto* buttons = new QDialogButtonBox(QDialogButtonBox::Close);
  connect(buttons, &QDialogButtonBox::rejected, this, &QDialog::reject);
  column->addWidget(buttons);
  resize(kFirstSize);
}

}  // namespace moescope::app
