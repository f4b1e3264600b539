// The figures of the Specialization panel and what their tool tips say.
#include <cmath>

#include "core/base/router_label.h"
#include "core/figure/number_text.h"
#include "plugins/specialization/panel/specialization_controls.h"
#include "plugins/specialization/panel/specialization_panel.h"

namespace moescope::specialization {

using figure::FigureSpec;

namespace {

QString qt(const std::string& text) { return QString::fromStdString(text); }

/// The figure with its title above the axes, as the window shows it, or without a name of the x axis that
/// the heading tells as well.
Result<FigureSpec> headed(Result<FigureSpec> spec, bool named) {
  if (!spec) return spec;
  if (spec->heading.empty()) spec->heading = spec->title;
  if (!named) spec->x.label.clear();
  return spec;
}

tl::unexpected<Error> nothing(const char* advice) {
  return fail("figure.no_result", "", "", "there is nothing to show yet", advice);
}

}  // namespace

Result<FigureSpec> SpecializationPanel::mapFigure() const {
  const auto router = m_controls->router();
  if (!result() || !router) return nothing("choose a run with labelled texts");
  return figure::specializationFigure(*result(), *router, m_controls->options());
}

Result<FigureSpec> SpecializationPanel::informationFigure() const {
  if (!result()) return nothing("choose a run with labelled texts");
  return figure::labelInformationFigure(*result(), m_controls->router());
}

Result<FigureSpec> SpecializationPanel::vocabularyFigure() const {
  if (!m_vocabulary) return nothing("it is being computed");
  return figure::vocabularyFigure(*m_vocabulary);
}

Result<FigureSpec> SpecializationPanel::ratesFigure() const {
  const auto cell = expert();
  if (!result() || !cell) return nothing("select an expert on the map");
  return figure::expertRatesFigure(*result(), cell->router(), cell->expert);
}

std::vector<views::NamedFigure> SpecializationPanel::figures() {
  return {{tr("Specialization: labels and experts"), [this] { return mapFigure(); }},
          {tr("Specialization: mutual information"), [this] { return informationFigure(); }},
          {tr("Specialization: token ids"), [this] { return vocabularyFigure(); }},
          {tr("Specialization: one expert"), [this] { return ratesFigure(); }}};
}

void SpecializationPanel::refreshFigures() {
  m_byToken->setResult(m_roomy ? headed(vocabularyFigure(), true) : vocabularyFigure());
  if (!result()) return;
  const auto cursor = m_map->current();
  m_map->setResult(headed(mapFigure(), m_roomy));
  placeCursor(cursor);
  m_information->setResult(m_roomy ? headed(informationFigure(), true) : informationFigure());
  m_rates->setResult(headed(ratesFigure(), m_roomy));
  refreshTokens();
  showSample(chanceText(), tr("associated, not causal"));
}

views::FigureTip SpecializationPanel::tipOf(const views::FigureHit& hit) const {
  views::FigureTip tip;
  const auto* spec = m_map->figure();
  const auto router = m_controls->router();
  if (spec == nullptr || !spec->map || !router || !result()) return tip;
  const auto* rates = figure::layerMatrix(*result(), "rates", *router);
  const auto* shares = figure::layerMatrix(*result(), "shares", *router);
  const auto row = static_cast<std::size_t>(hit.row), column = static_cast<std::size_t>(hit.column);
  if (rates == nullptr || row >= rates->rowNames.size() || column >= spec->map->columnNames.size())
    return tip;
  const auto expertNumber = static_cast<std::size_t>(std::stoi(spec->map->columnNames[column]));
  const std::size_t index = row * rates->columnNames.size() + expertNumber;
  tip.heading = tr("%1 · layer %2 · expert %3")
                    .arg(qt(rates->rowNames[row]), qt(routerLabel(*router)))
                    .arg(expertNumber);
  tip.rows.emplace_back(tr("selection rate"), qt(figure::percentText(rates->values[index])));
  if (!rates->low.empty()) {
    tip.rows.emplace_back(tr("95 % interval"), tr("%1 to %2")
                                                   .arg(qt(figure::percentText(rates->low[index])),
                                                        qt(figure::percentText(rates->high[index]))));
  }
  if (rates->baseline) tip.rows.emplace_back(tr("chance"), qt(figure::percentText(*rates->baseline)));
  if (shares != nullptr)
    tip.rows.emplace_back(tr("share of the expert"), qt(figure::percentText(shares->values[index])));
  const auto* labels = result()->table("labels");
  const double tokenCount =
      labels != nullptr && row < labels->rows.size() ? numberAt(*labels, row, "tokens") : std::nan("");
  if (std::isfinite(tokenCount * rates->values[index])) {
    tip.rows.emplace_back(tr("tokens"),
                          tr("%1 of %2")
                              .arg(qt(figure::countText(std::llround(rates->values[index] * tokenCount))),
                                   qt(figure::countText(std::llround(tokenCount)))));
  }
  tip.footer = tr("Enter lists these tokens");
  return tip;
}

}  // namespace moescope::specialization
