// The figures of the Phases panel and what their tool tips say.
#include <algorithm>
#include <cmath>

#include "core/figure/number_text.h"
#include "plugins/phases/phases_controls.h"
#include "plugins/phases/phases_panel.h"
#include "views/api/selection_model.h"

namespace moescope::phases {

using figure::FigureSpec;

namespace {

constexpr int kDecimals = 3;

QString qt(const std::string& text) { return QString::fromStdString(text); }

tl::unexpected<Error> nothing() {
  return fail("figure.no_series", "", "", "there is no series of checkpoints",
              "record one with File > Record series…");
}

/// "0.352 (95 %: 0.331 to 0.371)".
QString valueText(const analysis::SeriesMetric& metric, std::size_t index) {
  QString text = qt(figure::decimalText(metric.values[index], kDecimals));
  if (std::isfinite(metric.low[index]) && std::isfinite(metric.high[index])) {
    text += PhasesPanel::tr(" (95 %: %1 to %2)")
                .arg(qt(figure::decimalText(metric.low[index], kDecimals)),
                     qt(figure::decimalText(metric.high[index], kDecimals)));
  }
  return metric.unit.empty() ? text : text + QLatin1Char(' ') + qt(metric.unit);
}

}  // namespace

figure::SeriesFigureOptions PhasesPanel::options() const {
  figure::SeriesFigureOptions options;
  options.column = m_controls->column();
  options.bands = m_controls->bands();
  options.phases = m_controls->phases();
  options.ringed = m_context.selection().run().value_or(0);
  return options;
}

Result<FigureSpec> PhasesPanel::courseFigure() const {
  if (!m_series) return nothing();
  return figure::seriesCourseFigure(*m_series, m_controls->metric(), options());
}

Result<FigureSpec> PhasesPanel::planeFigure() const {
  if (!m_series) return nothing();
  std::vector<figure::SeriesExtraPoint> extra;
  if (m_live) extra.push_back(*m_live);
  return figure::seriesPlaneFigure(*m_series, m_controls->planeX(), m_controls->planeY(), options(), extra);
}

Result<FigureSpec> PhasesPanel::layersFigure() const {
  if (!m_series || m_series->empty()) return nothing();
  auto spec =
      figure::seriesLayersFigure(m_series->front(), m_controls->metric(), options(), m_controls->sameScale());
  if (spec) spec->columns = m_layerColumns;
  return spec;
}

std::vector<views::NamedFigure> PhasesPanel::figures() {
  return {{tr("Phases: metric over steps"), [this] { return courseFigure(); }},
          {tr("Phases: plane"), [this] { return planeFigure(); }},
          {tr("Phases: layer by layer"), [this] { return layersFigure(); }}};
}

views::FigureTip PhasesPanel::liveTip() const {
  views::FigureTip tip;
  if (!m_live || !m_series) return tip;
  tip.heading = qt(m_live->name);
  const std::pair<std::string, double> axes[] = {{m_controls->planeX(), m_live->x},
                                                 {m_controls->planeY(), m_live->y}};
  for (const auto& [id, value] : axes) {
    const analysis::SeriesMetric* metric = m_series->front().metric(id);
    QString text = qt(figure::decimalText(value, kDecimals));
    if (metric != nullptr && !metric->unit.empty()) text += QLatin1Char(' ') + qt(metric->unit);
    tip.rows.emplace_back(metric != nullptr ? qt(metric->label) : qt(id), text);
  }
  tip.footer = tr("Over all tokens of the run that is selected");
  return tip;
}

views::FigureTip PhasesPanel::tipOf(int line, int point, int column) const {
  views::FigureTip tip;
  if (!m_series || line < 0 || line >= static_cast<int>(m_series->size())) return tip;
  const analysis::SeriesMetrics& series = (*m_series)[static_cast<std::size_t>(line)];
  if (point < 0 || point >= static_cast<int>(series.checkpoints.size())) return tip;
  const auto at = static_cast<std::size_t>(point);
  if (column < 0 || column > static_cast<int>(series.layers.size())) return tip;
  const analysis::SeriesCheckpoint& checkpoint = series.checkpoints[at];
  tip.heading = checkpoint.step ? tr("Checkpoint at step %1").arg(qt(figure::countText(*checkpoint.step)))
                                : qt(checkpoint.label);
  tip.rows.emplace_back(
      tr("layers"), column == 0 ? tr("mean of %1").arg(series.layers.size())
                                : tr("layer %1").arg(series.layers[static_cast<std::size_t>(column - 1)]));
  if (checkpoint.tokens) tip.rows.emplace_back(tr("tokens seen"), qt(figure::countText(*checkpoint.tokens)));
  std::vector<std::string> shown{m_controls->planeX(), m_controls->planeY(), m_controls->metric()};
  for (const char* id : {"gamma", "t_eff", "heldout_l1", "l1_softmax", "l1_uniform"}) shown.emplace_back(id);
  std::vector<std::string> said;
  bool isBoundarySaid = false;
  for (const std::string& id : shown) {
    const analysis::SeriesMetric* metric = series.metric(id);
    const std::size_t index = series.at(at, static_cast<std::size_t>(column));
    if (metric == nullptr || std::find(said.begin(), said.end(), id) != said.end()) continue;
    if (index >= metric->values.size() || !std::isfinite(metric->values[index])) continue;
    said.push_back(id);
    tip.rows.emplace_back(qt(metric->label), valueText(*metric, index));
    if (!isBoundarySaid && index < metric->boundary.size() && metric->boundary[index] > 0.0) {
      isBoundarySaid = true;
      tip.rows.emplace_back(tr("fits on a boundary"), qt(figure::percentText(metric->boundary[index])));
    }
  }
  if (m_series->size() > 1) tip.rows.insert(tip.rows.begin(), {tr("series"), qt(series.name)});
  tip.footer = tr("Enter opens this checkpoint’s run");
  return tip;
}

}  // namespace moescope::phases
