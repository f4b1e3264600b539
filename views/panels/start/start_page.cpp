#include "views/panels/start/start_page.h"

#include <QFileInfo>
#include <QHBoxLayout>
#include <QHeaderView>
#include <QPushButton>
#include <QScrollArea>
#include <QTreeWidget>
#include <QVBoxLayout>

#include <algorithm>

#include "views/api/number_text.h"
#include "views/api/panel_widgets.h"
#include "views/api/theme.h"

namespace moescope::views {

namespace {

constexpr int kContentWidth = 760;
constexpr int kRowsShown = 6;
enum Column { kRepository, kFamily, kWeights, kFits, kColumnCount };

QString familyText(const checkpoint::CachedModel& model) {
  const QString family = QString::fromStdString(model.family);
  if (!model.supported) return QObject::tr("%1, not supported").arg(family);
  return QStringLiteral("%1, %2 × %3").arg(family).arg(model.layers).arg(model.experts);
}

}  // namespace

StartPage::StartPage(QWidget* parent) : QWidget(parent) {
  auto* content = new QWidget;
  content->setMaximumWidth(kContentWidth);
  auto* column = new QVBoxLayout(content);
  column->setContentsMargins(24, 32, 24, 24);
  column->setSpacing(8);
  column->addWidget(new TextLabel(tr("Open a mixture-of-experts model"), TextLabel::Style::Heading));
  auto* what = new TextLabel(
      tr("Then type a prompt and watch each token choose its experts. Click an expert to ban or "
         "boost it; the next token obeys."),
      TextLabel::Style::Secondary);
  what->setWordWrap(true);
  column->addWidget(what);
  column->addSpacing(8);

  auto* buttons = new QHBoxLayout;
  auto* demo = new QPushButton(themeIcon(QStringLiteral("play")), tr("Open demo"));
  demo->setDefault(true);
  auto* folder = new QPushButton(themeIcon(QStringLiteral("open")), tr("Open folder…"));
  auto* trace = new QPushButton(themeIcon(QStringLiteral("trace")), tr("Open trace…"));
  connect(demo, &QPushButton::clicked, this, &StartPage::demoRequested);
  connect(folder, &QPushButton::clicked, this, &StartPage::folderRequested);
  connect(trace, &QPushButton::clicked, this, &StartPage::traceRequested);
  for (QPushButton* button : {demo, folder, trace}) buttons->addWidget(button);
  buttons->addWidget(new TextLabel(tr("The demo is built in."), TextLabel::Style::Secondary));
  buttons->addStretch(1);
  column->addLayout(buttons);
  column->addSpacing(16);

  auto* cacheHead = new QHBoxLayout;
  cacheHead->addWidget(new TextLabel(tr("In the Hugging Face cache"), TextLabel::Style::Title));
  cacheHead->addStretch(1);
  m_cacheSummary = new TextLabel({}, TextLabel::Style::Secondary);
  cacheHead->addWidget(m_cacheSummary);
  column->addLayout(cacheHead);
  m_cache = new QTreeWidget;
  m_cache->setColumnCount(kColumnCount);
  m_cache->setRootIsDecorated(false);
  m_cache->setUniformRowHeights(true);
  m_cache->setAccessibleName(tr("Models in the Hugging Face cache"));
  m_cache->header()->setSectionResizeMode(kRepository, QHeaderView::Stretch);
  m_cache->header()->setStretchLastSection(false);
  connect(m_cache, &QTreeWidget::itemActivated, this, &StartPage::openSelected);
  column->addWidget(m_cache);
  auto* below = new QHBoxLayout;
  m_openSelected = new QPushButton(tr("Open selected"));
  connect(m_openSelected, &QPushButton::clicked, this, &StartPage::openSelected);
  m_showUnsupported = new QPushButton;
  m_showUnsupported->setFlat(true);
  m_showUnsupported->setCheckable(true);
  connect(m_showUnsupported, &QPushButton::toggled, this, &StartPage::fillCache);
  below->addWidget(m_openSelected);
  below->addWidget(m_showUnsupported);
  below->addStretch(1);
  column->addLayout(below);
  column->addSpacing(16);

  column->addWidget(new TextLabel(tr("Recent"), TextLabel::Style::Title));
  m_recent = new QVBoxLayout;
  m_recent->setSpacing(0);
  column->addLayout(m_recent);
  column->addStretch(1);

  auto* scroll = new QScrollArea;
  scroll->setWidgetResizable(true);
  scroll->setFrameShape(QFrame::NoFrame);
  scroll->setAlignment(Qt::AlignHCenter);
  scroll->setWidget(content);
  // The page stands on the canvas colour, like the pictures that will take its place.
  scroll->viewport()->setBackgroundRole(QPalette::Base);
  scroll->viewport()->setAutoFillBackground(true);
  content->setBackgroundRole(QPalette::Base);
  auto* outer = new QVBoxLayout(this);
  outer->setContentsMargins(0, 0, 0, 0);
  outer->addWidget(scroll);
}

void StartPage::setRecent(const QStringList& paths) {
  while (QLayoutItem* item = m_recent->takeAt(0)) {
    delete item->widget();
    delete item;
  }
  if (paths.isEmpty())
    m_recent->addWidget(new TextLabel(tr("Nothing opened yet."), TextLabel::Style::Secondary));
  for (const QString& path : paths) {
    auto* entry = new QPushButton(path);
    entry->setFlat(true);
    connect(entry, &QPushButton::clicked, this, [this, path] { Q_EMIT openRequested(path); });
    m_recent->addWidget(entry);
  }
}

void StartPage::setCache(const std::vector<checkpoint::CachedModel>& models, const QString& folder,
                         std::int64_t freeBytes, const QString& device) {
  m_models = models;
  m_freeBytes = freeBytes;
  const auto supported =
      std::count_if(models.begin(), models.end(), [](const auto& m) { return m.supported; });
  m_cacheSummary->setText(
      models.empty()
          ? tr("nothing in %1").arg(folder)
          : tr("%1 supported of %2 repositories, %3").arg(supported).arg(models.size()).arg(folder));
  m_cache->setHeaderLabels({tr("Repository"), tr("Family"), tr("Weights"), tr("On %1").arg(device)});
  m_cache->headerItem()->setTextAlignment(kWeights, Qt::AlignRight | Qt::AlignVCenter);
  m_showUnsupported->setText(
      tr("Show unsupported (%1)").arg(static_cast<qsizetype>(models.size()) - supported));
  m_showUnsupported->setVisible(static_cast<qsizetype>(models.size()) > supported);
  fillCache();
}

void StartPage::fillCache() {
  m_cache->clear();
  for (const auto& model : m_models) {
    if (!model.supported && !m_showUnsupported->isChecked()) continue;
    auto* item = new QTreeWidgetItem(m_cache);
    item->setText(kRepository, QString::fromStdString(model.repository));
    item->setText(kFamily, familyText(model));
    item->setText(kWeights, bytesText(model.weightBytes));
    item->setTextAlignment(kWeights, Qt::AlignRight | Qt::AlignVCenter);
    item->setData(kRepository, Qt::UserRole, QString::fromStdString(model.snapshot.string()));
    item->setDisabled(!model.supported);
    const std::int64_t left = m_freeBytes - model.weightBytes;
    item->setText(kFits, left >= 0 ? tr("fits, %1 left").arg(bytesText(left))
                                   : tr("%1 too large").arg(bytesText(-left)));
    item->setIcon(kFits, themeIcon(left >= 0 ? QStringLiteral("ok") : QStringLiteral("warning")));
  }
  for (const int fixed : {kFamily, kWeights, kFits}) m_cache->resizeColumnToContents(fixed);
  const bool any = m_cache->topLevelItemCount() > 0;
  m_cache->setVisible(any);
  m_openSelected->setVisible(any);
  if (!any) return;
  m_cache->setCurrentItem(m_cache->topLevelItem(0));
  const int rows = std::min(m_cache->topLevelItemCount(), kRowsShown);
  m_cache->setFixedHeight(m_cache->header()->sizeHint().height() + rows * (m_cache->sizeHintForRow(0) + 2) +
                          4);
}

void StartPage::openSelected() {
  if (const auto* item = m_cache->currentItem(); item != nullptr && !item->isDisabled()) {
    Q_EMIT openRequested(item->data(kRepository, Qt::UserRole).toString());
  }
}

}  // namespace moescope::views
