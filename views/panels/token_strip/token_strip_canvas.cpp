#include "views/panels/token_strip/token_strip_canvas.h"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "core/figure/colour_map.h"
#include "core/figure/number_text.h"
#include "core/figure/token_text.h"
#include "views/api/cell_marks.h"
#include "views/api/colour_bar.h"
#include "views/api/selection_model.h"
#include "views/api/text_contrast.h"
#include "views/api/theme.h"
#include "views/api/view_context.h"

namespace moescope::views {

namespace {

constexpr int kCategories = 7;
constexpr float kCaretWidth = 2.0F;

Colour paint(ColourRole role) { return Theme::current().paint(role); }
QString qt(const std::string& text) { return QString::fromStdString(text); }

}  // namespace

TokenDetail tokenDetail(const trace::TraceStore& store, trace::RunId run, std::int64_t token) {
  TokenDetail detail;
  const auto block = store.tokenBlock(run, token / trace::kBlockTokens);
  const auto at = static_cast<std::size_t>(token % trace::kBlockTokens);
  if (!block || block->damaged || at >= block->ids.size()) return detail;
  detail.token = token;
  detail.id = block->ids[at];
  detail.sequence = block->sequences[at];
  detail.position = block->positions[at];
  detail.phase = static_cast<trace::Phase>(block->phases[at]);
  detail.logProb = block->logProbs[at];
  if (at < block->entropies.size()) detail.entropy = block->entropies[at];
  for (std::size_t i = 0; i < trace::kAlternatives; ++i) {
    const std::size_t place = at * trace::kAlternatives + i;
    if (place >= block->alternativeIds.size() || block->alternativeIds[place] < 0) continue;
    detail.alternatives.push_back({figure::tokenText(store.tokenBytes(run, block->alternativeIds[place])),
                                   block->alternativeLogProbs[place],
                                   block->alternativeIds[place] == detail.id});
  }
  return detail;
}

TokenStripCanvas::TokenStripCanvas(ViewContext& context, QObject* parent)
    : QObject(parent), m_context(context) {
  connect(&context.selection(), &SelectionModel::tokensChanged, this, &TokenStripCanvas::followSelection);
}

void TokenStripCanvas::setRun(std::vector<RouterSpec> routers, bool live) {
  m_routers = std::move(routers);
  m_live = live;
  m_text.reset();
  m_colours = {};
  m_layout.reset();
  m_hover.reset();
  m_anchor.reset();
  m_cursor.reset();
  m_scroll = 0.0F;
  setSettings(m_settings);
}

void TokenStripCanvas::setText(std::shared_ptr<const StripText> text, bool live) {
  m_text = std::move(text);
  m_live = live;
  Q_EMIT changed();
}

void TokenStripCanvas::setSettings(const StripSettings& settings) {
  m_settings = settings;
  m_scale = stripScale(settings, m_routers);
  Q_EMIT changed();
}

void TokenStripCanvas::setColours(StripColours colours) {
  m_colours = std::move(colours);
  Q_EMIT changed();
}

void TokenStripCanvas::setDetail(TokenDetail detail) {
  m_detail = std::move(detail);
  Q_EMIT changed();
}

float TokenStripCanvas::scrollEnd() const {
  return std::max(0.0F, m_layout.height() + 2.0F * StripLayout::kTop - m_area.height);
}

void TokenStripCanvas::scrollTo(float top, bool byUser) {
  const float before = m_scroll;
  m_scroll = std::round(std::clamp(top, 0.0F, scrollEnd()));
  if (byUser && m_live && m_following && m_scroll + 1.0F < scrollEnd()) setFollowing(false);
  if (m_scroll == before) return;
  Q_EMIT scrolled();
  Q_EMIT changed();
}

void TokenStripCanvas::setFollowing(bool on) {
  if (on) scrollTo(scrollEnd(), false);
  if (on == m_following) return;
  m_following = on;
  Q_EMIT followingChanged();
  Q_EMIT changed();
}

trace::TokenRange TokenStripCanvas::tokensInSight() const {
  if (m_layout.lines() == 0) return {};
  const auto first = static_cast<std::int64_t>((m_scroll - StripLayout::kTop) / StripLayout::kLinePitch);
  const auto last = static_cast<std::int64_t>((m_scroll + m_area.height) / StripLayout::kLinePitch);
  const std::int64_t end = m_layout.lines() - 1;
  return {m_layout.tokensOf(std::clamp<std::int64_t>(first, 0, end)).begin,
          m_layout.tokensOf(std::clamp<std::int64_t>(last, 0, end)).end};
}

Colour TokenStripCanvas::boxColour(float value) const {
  if (std::isnan(value)) return paint(ColourRole::Empty);
  const auto category = [](int index) {
    const figure::Rgb c = figure::categoryColour(index, Theme::current().data());
    return Colour{c[0], c[1], c[2]};
  };
  switch (m_settings.value) {
    case StripValue::None: return paint(ColourRole::Empty);
    case StripValue::Phase: return value == 0.0F ? paint(ColourRole::ControlHover) : paint(ColourRole::Empty);
    case StripValue::TopExpert: return category(static_cast<int>(value) % kCategories);
    case StripValue::Entropy:
    case StripValue::LogProbability: return dataColour(m_scale, static_cast<double>(value));
  }
  return paint(ColourRole::Empty);
}

Rect TokenStripCanvas::rectOf(const StripLayout::Box& box) const {
  const auto line = static_cast<float>(m_layout.lineOf(box.token));
  return {m_area.x + StripLayout::kMargin + box.left,
          m_area.y + StripLayout::kTop + line * StripLayout::kLinePitch - m_scroll, box.width,
          StripLayout::kBoxHeight};
}

void TokenStripCanvas::build(Rect area, CanvasPainter& painter) {
  m_area = area;
  painter.fillRect(area, paint(ColourRole::Canvas));
  if (!m_text || m_text->size() == 0) return;
  const std::int64_t before = m_layout.tokens(), linesBefore = m_layout.lines();
  m_layout.update(*m_text, area.width - 2.0F * StripLayout::kMargin,
                  [&](const std::string& text) { return painter.textWidth(text, FontRole::Mono); });
  if (m_layout.tokens() != before || m_layout.lines() != linesBefore || m_scroll > scrollEnd())
    QMetaObject::invokeMethod(this, &TokenStripCanvas::scrolled, Qt::QueuedConnection);
  if (m_live && m_following) m_scroll = std::round(scrollEnd());
  m_scroll = std::clamp(m_scroll, 0.0F, std::round(scrollEnd()));
  const trace::TokenRange seen = tokensInSight();
  if (seen.size() == 0) return;
  for (std::int64_t line = m_layout.lineOf(seen.begin); line <= m_layout.lineOf(seen.end - 1); ++line)
    paintLine(painter, line);
  paintCaret(painter);
}

void TokenStripCanvas::paintLine(CanvasPainter& painter, std::int64_t line) {
  const auto boxes = m_layout.boxes(line);
  if (boxes.empty()) return;
  if (const std::string& label = m_layout.labelOf(line); !label.empty()) {
    const Rect first = rectOf(boxes.front());
    painter.shapedText({m_area.x + StripLayout::kMargin, first.y + first.height / 2.0F}, label,
                       paint(ColourRole::Text2));
    painter.fillRect(
        {m_area.x + StripLayout::kMargin, first.y - 2.0F, m_area.width - 2.0F * StripLayout::kMargin, 1.0F},
        paint(ColourRole::Separator));
  }
  for (const StripLayout::Box& box : boxes) paintBox(painter, box);
  // Outlines last: a neighbour must not cover them.
  const trace::TokenRange selected = m_context.selection().tokens();
  for (const StripLayout::Box& box : boxes) {
    const Rect rect = rectOf(box);
    if (box.token >= selected.begin && box.token < selected.end) {
      painter.strokeRect(rect, paint(ColourRole::InkBack), 1.0F);
      painter.strokeRect(grown(rect, 2.0F), paint(ColourRole::Ink), 2.0F);
    } else if (box.token == m_hover) {
      painter.strokeRect(grown(rect, 1.0F), paint(ColourRole::Ink), 1.0F);
    }
    if (m_hasFocus && box.token == m_cursor)
      drawDashedFrame(painter, grown(rect, 1.0F), paint(ColourRole::InkBack));
  }
}

void TokenStripCanvas::paintBox(CanvasPainter& painter, const StripLayout::Box& box) {
  const Rect rect = rectOf(box);
  const std::int64_t at = box.token - m_colours.firstToken;
  const bool known =
      m_colours.settings == m_settings && at >= 0 && at < static_cast<std::int64_t>(m_colours.values.size());
  const float value = known ? m_colours.values[static_cast<std::size_t>(at)] : trace::kMissing;
  const Colour ground = boxColour(value);
  painter.fillRect(rect, ground);
  const bool plain =
      std::isnan(value) || m_settings.value == StripValue::None || m_settings.value == StripValue::Phase;
  if (m_text->ids[static_cast<std::size_t>(box.token)] < 0)
    painter.hatch(rect, paint(ColourRole::Text3), false);
  painter.pushClip(rect);
  painter.shapedText({rect.x + StripLayout::kPadding, rect.y + rect.height / 2.0F}, m_text->text(box.token),
                     plain ? paint(ColourRole::Text) : textOn(ground));
  painter.popClip();
  painter.hitRegion(rect, fmt::format("token {}", box.token));
}

void TokenStripCanvas::paintCaret(CanvasPainter& painter) {
  if (!m_live || m_layout.lines() == 0) return;
  const std::int64_t line = m_layout.lines() - 1;
  const float x = m_area.x + StripLayout::kMargin + m_layout.endOfLine(line) + 4.0F;
  const float y =
      m_area.y + StripLayout::kTop + static_cast<float>(line) * StripLayout::kLinePitch - m_scroll;
  painter.fillRect({x, y, kCaretWidth, StripLayout::kBoxHeight}, paint(ColourRole::Ink));
  painter.text({x + 8.0F, y + StripLayout::kBoxHeight / 2.0F}, "live", paint(ColourRole::Text2),
               FontRole::Small);
}

void TokenStripCanvas::focusChanged(bool hasFocus) {
  m_hasFocus = hasFocus;
  Q_EMIT changed();
}

std::optional<ToolTipContent> TokenStripCanvas::toolTip(const CanvasEvent& event) {
  const auto token = regionToken(event);
  if (!token || m_selecting || m_detail.token != *token) return std::nullopt;
  ToolTipContent tip;
  tip.heading = tr("Token %1 · %2").arg(qt(figure::countText(*token)), qt(m_text->text(*token)));
  tip.tag = m_detail.phase == trace::Phase::Prefill ? tr("prefill") : tr("decode");
  const auto nat = [](float value) {
    return tr("%1 nat").arg(qt(figure::decimalText(static_cast<double>(value), 2)));
  };
  tip.rows.push_back({tr("id"), QString::number(m_detail.id)});
  if (m_detail.sequence > 0 || m_detail.position != *token)
    tip.rows.push_back({tr("position"), tr("%1 of text %2").arg(m_detail.position).arg(m_detail.sequence)});
  tip.rows.push_back({tr("log-probability"), std::isnan(m_detail.logProb) ? tr("none, nothing predicts it")
                                                                          : nat(m_detail.logProb)});
  if (!std::isnan(m_detail.entropy)) tip.rows.push_back({tr("next-token entropy"), nat(m_detail.entropy)});
  const std::int64_t at = *token - m_colours.firstToken;
  const bool coloured =
      m_colours.settings == m_settings && at >= 0 && at < static_cast<std::int64_t>(m_colours.values.size());
  const float value = coloured ? m_colours.values[static_cast<std::size_t>(at)] : trace::kMissing;
  if (m_settings.value == StripValue::Entropy && !std::isnan(value))
    tip.rows.push_back({tr("routing entropy"), nat(value)});
  if (m_settings.value == StripValue::TopExpert && !std::isnan(value))
    tip.rows.push_back({tr("top-1 expert"), QStringLiteral("E%1").arg(static_cast<int>(value))});
  for (const TokenDetail::Alternative& alternative : m_detail.alternatives) {
    const double probability = std::exp(static_cast<double>(alternative.logProb));
    tip.rows.push_back(
        {qt(alternative.text) + (alternative.taken ? QStringLiteral("  ✓") : QString()),
         QString::fromStdString(figure::decimalText(probability * 100.0, 1)) + QStringLiteral("\u2009%"),
         probability, true});
  }
  if (const auto box = m_layout.boxOf(*token)) tip.clearOf = rectOf(*box);
  return tip;
}

}  // namespace moescope::views
