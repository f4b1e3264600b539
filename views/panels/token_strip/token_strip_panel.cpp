#include "views/panels/token_strip/token_strip_panel.h"

#include <QClipboard>
#include <QComboBox>
#include <QGuiApplication>
#include <QHBoxLayout>
#include <QMenu>
#include <QScrollBar>
#include <QSignalBlocker>
#include <QStackedWidget>
#include <QStandardItemModel>
#include <QToolButton>
#include <QVBoxLayout>

#include <algorithm>

#include "core/base/router_label.h"
#include "core/figure/number_text.h"
#include "views/api/canvas_widget.h"
#include "views/api/panel_widgets.h"
#include "views/api/selection_model.h"
#include "views/api/theme.h"
#include "views/api/token_menu.h"
#include "views/api/view_context.h"
#include "views/panels/token_strip/strip_legend.h"

namespace moescope::views {

namespace {

enum Page { kEmptyPage, kStripPage };
constexpr int kMeanRouter = -1;

QString count(std::int64_t value) { return QString::fromStdString(figure::countText(value)); }

}  // namespace

TokenStripPanel::TokenStripPanel(ViewContext& context, QWidget* parent)
    : QWidget(parent), m_context(context), m_canvas(new TokenStripCanvas(context, this)) {
  makeLayout();
  connectCanvas();
  connect(&context, &ViewContext::storeReplaced, this, &TokenStripPanel::showRun);
  connect(&context, &ViewContext::runsChanged, this, [this] {
    if (m_run.id != m_context.selection().run().value_or(0)) showRun();
  });
  connect(&context, &ViewContext::rowsChanged, this, [this](qlonglong run) {
    if (run == m_run.id) readText();
  });
  connect(&context, &ViewContext::liveStateChanged, this, [this] {
    if (m_run.id != 0 && m_canvas->text() != nullptr) readText();
  });
  connect(&context.selection(), &SelectionModel::runChanged, this, &TokenStripPanel::showRun);
  showRun();
}

// The widget draws what the canvas holds.
TokenStripPanel::~TokenStripPanel() { delete m_widget; }

void TokenStripPanel::makeLayout() {
  auto* column = new QVBoxLayout(this);
  column->setContentsMargins(0, 0, 0, 0);
  m_pages = new QStackedWidget;
  m_pages->addWidget(new EmptyState(QStringLiteral("token"), tr("No tokens"),
                                    tr("Tokens appear here when you generate text or select a run.")));
  auto* page = new QWidget;
  auto* parts = new QVBoxLayout(page);
  parts->setContentsMargins(0, 0, 0, 0);
  parts->setSpacing(0);
  auto* bar = new QHBoxLayout;
  bar->setContentsMargins(8, 2, 8, 2);
  bar->setSpacing(8);
  bar->addWidget(new TextLabel(tr("Colour"), TextLabel::Style::Secondary));
  m_choice = new QComboBox;
  m_choice->setAccessibleName(tr("Colour tokens by"));
  m_choice->setMinimumWidth(90);
  m_legend = new StripLegend;
  m_counts = new TextLabel({}, TextLabel::Style::Secondary);
  m_follow = new QToolButton;
  m_follow->setIcon(themeIcon(QStringLiteral("follow")));
  m_follow->setText(tr("Follow"));
  m_follow->setToolButtonStyle(Qt::ToolButtonTextBesideIcon);
  m_follow->setCheckable(true);
  m_follow->setChecked(true);
  m_follow->setToolTip(tr("Keep the newest token in sight (L)"));
  bar->addWidget(m_choice);
  bar->addWidget(m_legend);
  bar->addStretch(1);
  bar->addWidget(m_counts);
  bar->addWidget(m_follow);
  parts->addLayout(bar);
  m_widget = new CanvasWidget(*m_canvas);
  m_scrollBar = new QScrollBar(Qt::Vertical);
  m_scrollBar->setAccessibleName(tr("Lines of tokens"));
  m_scrollBar->hide();
  auto* strip = new QHBoxLayout;
  strip->setSpacing(0);
  strip->addWidget(m_widget, 1);
  strip->addWidget(m_scrollBar);
  parts->addLayout(strip, 1);
  m_pages->addWidget(page);
  column->addWidget(m_pages);
}

void TokenStripPanel::connectCanvas() {
  connect(m_canvas, &TokenStripCanvas::changed, m_widget, &CanvasWidget::wake);
  connect(m_canvas, &TokenStripCanvas::scrolled, this, [this] {
    syncScrollBar();
    readColours(QueryRunner::Urgency::Refresh);
  });
  connect(m_canvas, &TokenStripCanvas::hoverChanged, this, &TokenStripPanel::readDetail);
  connect(m_canvas, &TokenStripCanvas::followingChanged, this,
          [this] { m_follow->setChecked(m_canvas->following()); });
  connect(m_canvas, &TokenStripCanvas::menuRequested, this, &TokenStripPanel::openMenu);
  connect(m_canvas, &TokenStripCanvas::copyRequested, this, [this] {
    const trace::TokenRange tokens = m_context.selection().tokens();
    if (m_context.store() && tokens.size() > 0)
      QGuiApplication::clipboard()->setText(tokensText(*m_context.store(), m_run.id, tokens));
  });
  connect(m_follow, &QToolButton::clicked, m_canvas, &TokenStripCanvas::setFollowing);
  connect(m_scrollBar, &QScrollBar::valueChanged, this,
          [this](int value) { m_canvas->scrollTo(static_cast<float>(value), true); });
  connect(m_choice, &QComboBox::activated, this, [this](int index) {
    const QPoint choice = m_choice->itemData(index).toPoint();
    setSettings({static_cast<StripValue>(choice.x()), choice.y()});
  });
}

bool TokenStripPanel::idle() const { return !m_texts.busy() && !m_colours.busy() && !m_details.busy(); }

QString TokenStripPanel::counts() const { return m_counts->text(); }

void TokenStripPanel::fillChoices() {
  const QSignalBlocker quiet(m_choice);
  m_choice->clear();
  const auto add = [&](const QString& text, StripValue value, int router) {
    m_choice->addItem(text, QPoint(static_cast<int>(value), router));
    if (isRecorded(value, m_run.capture)) return;
    auto* item = qobject_cast<QStandardItemModel*>(m_choice->model())->item(m_choice->count() - 1);
    item->setEnabled(false);
    item->setToolTip(tr("Not recorded at this capture level"));
  };
  add(tr("None"), StripValue::None, 0);
  add(tr("Phase"), StripValue::Phase, 0);
  add(tr("Log-probability"), StripValue::LogProbability, 0);
  add(tr("Routing entropy, mean of layers"), StripValue::Entropy, kMeanRouter);
  const auto store = m_context.store();
  const std::vector<RouterSpec> routers = store ? store->routers(m_run.id) : std::vector<RouterSpec>{};
  const auto label = [&](int i) {
    return QString::fromStdString(routerLabel(routers[static_cast<std::size_t>(i)]));
  };
  for (int i = 0; i < static_cast<int>(routers.size()); ++i)
    add(tr("Routing entropy, layer %1").arg(label(i)), StripValue::Entropy, i);
  for (int i = 0; i < static_cast<int>(routers.size()); ++i)
    add(tr("Top-1 expert, layer %1").arg(label(i)), StripValue::TopExpert, i);
  const QPoint choice(static_cast<int>(m_settings.value), m_settings.router);
  m_choice->setCurrentIndex(std::max(0, m_choice->findData(choice)));
  m_legend->setLegend(m_settings, routers);
}

void TokenStripPanel::showRun() {
  const auto store = m_context.store();
  const auto id = m_context.selection().run();
  const auto run = store && id ? store->run(*id) : std::nullopt;
  m_pages->setCurrentIndex(run ? kStripPage : kEmptyPage);
  for (QueryRunner* runner : {&m_texts, &m_colours, &m_details}) runner->cancel();
  m_run = run.value_or(trace::RunRecord{});
  const std::vector<RouterSpec> routers = run ? store->routers(run->id) : std::vector<RouterSpec>{};
  const bool hasRouter = m_settings.router < static_cast<int>(routers.size());
  if (run && (!isRecorded(m_settings.value, run->capture) || !hasRouter)) m_settings = {};
  m_canvas->setRun(routers, run && m_context.isLive(run->id));
  m_canvas->setSettings(m_settings);
  m_coloured = {};
  fillChoices();
  m_counts->setText({});
  if (run) readText();
}

void TokenStripPanel::setSettings(const StripSettings& settings) {
  if (settings == m_settings) return;
  m_settings = settings;
  m_canvas->setSettings(settings);
  fillChoices();
  m_coloured = {};
  readColours(QueryRunner::Urgency::Replace);
}

void TokenStripPanel::readText() {
  const auto store = m_context.store();
  if (!store || m_run.id == 0) return;
  const auto before = m_canvas->text() != nullptr ? *m_canvas->text() : StripText{};
  m_texts.request(
      [this, store, run = m_run.id, before](std::stop_token stop) {
        auto text = std::make_shared<const StripText>(stripText(*store, run, before, stop));
        return [this, run, text] {
          if (run == m_run.id) textArrived(text);
        };
      },
      QueryRunner::Urgency::Refresh);
}

void TokenStripPanel::textArrived(std::shared_ptr<const StripText> text) {
  const std::int64_t prompt = text->promptTokens, all = text->size();
  const bool generated = m_run.kind == trace::RunKind::Generate;
  m_counts->setText(generated ? tr("%1 prompt + %2 generated tokens").arg(count(prompt), count(all - prompt))
                              : tr("%1 tokens in %2 texts")
                                    .arg(count(all), count(static_cast<std::int64_t>(text->breaks.size()))));
  const bool live = m_context.isLive(m_run.id);
  m_follow->setEnabled(live);
  m_canvas->setText(std::move(text), live);
  m_widget->setAccessibleName(m_counts->text());
  m_coloured = {};
  readColours(QueryRunner::Urgency::Refresh);
}

void TokenStripPanel::readColours(QueryRunner::Urgency urgency) {
  const auto store = m_context.store();
  const trace::TokenRange seen = m_canvas->tokensInSight();
  if (!store || m_run.id == 0 || seen.size() == 0 || seen == m_coloured) return;
  m_coloured = seen;
  m_colours.request(
      [this, store, run = m_run.id, settings = m_settings, seen](std::stop_token stop) {
        auto colours = stripColours(*store, run, settings, seen, stop);
        return [this, run, colours = std::move(colours)] {
          if (run == m_run.id) m_canvas->setColours(colours);
        };
      },
      urgency);
}

void TokenStripPanel::readDetail() {
  const auto store = m_context.store();
  const auto token = m_canvas->hovered();
  if (!store || !token) {
    m_details.cancel();
    return;
  }
  m_details.request(
      [this, store, run = m_run.id, token = *token](std::stop_token) {
        auto detail = tokenDetail(*store, run, token);
        return [this, detail = std::move(detail)] { m_canvas->setDetail(detail); };
      },
      QueryRunner::Urgency::Replace);
}

void TokenStripPanel::syncScrollBar() {
  const QSignalBlocker quiet(m_scrollBar);
  m_scrollBar->setRange(0, static_cast<int>(m_canvas->scrollEnd()));
  m_scrollBar->setPageStep(std::max(1, static_cast<int>(m_canvas->pageHeight())));
  m_scrollBar->setSingleStep(static_cast<int>(StripLayout::kLinePitch));
  m_scrollBar->setValue(static_cast<int>(m_canvas->scroll()));
  m_scrollBar->setVisible(m_canvas->scrollEnd() > 0.0F);
}

void TokenStripPanel::openMenu(QPoint globalAt) {
  makeTokenMenu(m_context, m_run.id, m_context.selection().tokens(), this)->popup(globalAt);
}

}  // namespace moescope::views
