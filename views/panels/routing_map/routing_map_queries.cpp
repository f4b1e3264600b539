// What the routing map asks of a trace, off the GUI thread, and what becomes of the answers.
#include <algorithm>

#include "core/base/router_label.h"
#include "core/figure/figure_sample.h"
#include "core/figure/number_text.h"
#include "views/api/canvas_widget.h"
#include "views/api/panel_widgets.h"
#include "views/api/sample_line.h"
#include "views/api/selection_model.h"
#include "views/api/view_context.h"
#include "views/panels/routing_map/routing_map_panel.h"

namespace moescope::views {

namespace {

constexpr std::int64_t kOverviewRows = 512;

QString qt(const std::string& text) { return QString::fromStdString(text); }

/// Sample line and baseline of the rows in sight, counted as figures count them.
std::pair<std::string, std::string> tokenSample(const trace::TraceStore& store,
                                                const TokenPictureRequest& request, trace::TokenRange shown,
                                                std::stop_token stop) {
  const figure::FigureSource source{store, request.run, shown};
  const auto sample = figure::sampleOf(source);
  if (!sample) return {"Run " + std::to_string(request.run) + " · no routing yet", ""};
  figure::Counted counted;
  int experts = 0;
  for (int router = 0; router < static_cast<int>(sample->routers.size()); ++router) {
    if (request.mode == MapMode::TokenExpert && router != request.router) continue;
    const RouterSpec& spec = sample->routers[static_cast<std::size_t>(router)];
    const trace::LoadSummary load = store.load(request.run, router, sample->tokens, stop);
    counted.choices += load.slots;
    counted.expected += load.tokens * spec.topK;
    counted.missing += load.missing;
    ++counted.layers;
    experts = std::max(experts, spec.experts);
  }
  std::string line = figure::sampleLine(source, *sample, counted);
  if (request.mode == MapMode::TokenExpert) {
    const RouterSpec& spec = sample->routers[static_cast<std::size_t>(request.router)];
    line += " · " + layerName(spec.layer, spec.encoderLayers) + (spec.kind == "ffn" ? "" : " " + spec.kind);
  }
  std::string baseline = figure::uniformBaseline(experts);
  if (request.mode == MapMode::TokenLayer) baseline = "1 cell = 1 token at 1 layer";
  if (request.step > 1) baseline = figure::countText(request.step) + " tokens a row · " + baseline;
  return {line, baseline};
}

}  // namespace

void RoutingMapPanel::refresh(QueryRunner::Urgency urgency) {
  if (m_run.id == 0 || !m_context.store()) return;
  if (m_settings.mode == MapMode::LayerExpert) {
    askForLayers(urgency);
  } else {
    askForTokens(urgency);
    askForOverview();
  }
}

void RoutingMapPanel::askForLayers(QueryRunner::Urgency urgency) {
  m_pictures.request(
      [this, store = m_context.store(), run = m_run.id, tokens = window(),
       value = m_settings.loadValue](std::stop_token stop) {
        auto picture = std::make_shared<Result<LayerPicture>>(layerPicture(*store, run, tokens, value, stop));
        return [this, picture] { layersArrived(*picture); };
      },
      urgency);
}

void RoutingMapPanel::layersArrived(const Result<LayerPicture>& picture) {
  if (!picture) {
    showFailure(picture.error());
    return;
  }
  m_error->hide();
  m_sampleLine->setSample(qt(picture->figure.sampleLine), qt(picture->runName), qt(picture->figure.baseline));
  m_sampleLine->setStale(false);
  m_widget->setAccessibleName(m_sampleLine->sample());
  m_canvas->showLayers(std::make_shared<LayerPicture>(*picture));
  if (m_sorted && m_canvas->scene().order.byId()) sortNow();
  refreshMarks();
  if (m_canvas->hovered()) askForDetail(QueryRunner::Urgency::Refresh);
}

void RoutingMapPanel::showFailure(const Error& error) {
  if (error.kind == "cancelled") return;
  if (error.kind == "figure.no_routing") {
    m_canvas->clearData();
    const bool selection = m_settings.window.kind == MapWindow::Kind::Selection;
    m_sampleLine->setSample(
        tr("Run %1 · %2")
            .arg(qt(m_run.name), selection ? tr("no tokens selected") : tr("no routing in this window")),
        qt(m_run.name), {});
    return;
  }
  m_error->showError(qt(error.text()));
  m_sampleLine->setStale(true);  // the last good picture stays
}

void RoutingMapPanel::askForTokens(QueryRunner::Urgency urgency) {
  if (m_run.id == 0 || !m_context.store()) return;
  const MapGeometry& g = m_canvas->scene().geometry;
  TokenPictureRequest request{m_run.id,          m_settings.mode,          m_settings.tokenValue(),
                              m_settings.router, m_canvas->wantedTokens(), m_canvas->wantedStep()};
  if (request.tokens.size() == 0) return;
  const trace::TokenRange shown{g.beginRow(), g.endRow()};
  m_pictures.request(
      [this, store = m_context.store(), request, shown](std::stop_token stop) {
        auto picture = std::make_shared<const TokenPicture>(tokenPicture(*store, request, stop));
        auto [sample, baseline] = tokenSample(*store, request, shown, stop);
        return [this, picture, sample = qt(sample), baseline = qt(baseline)] {
          tokensArrived(picture, sample, baseline);
        };
      },
      urgency);
}

void RoutingMapPanel::tokensArrived(std::shared_ptr<const TokenPicture> picture, const QString& sample,
                                    const QString& baseline) {
  m_error->hide();
  m_sampleLine->setSample(sample, qt(m_run.name), baseline);
  m_sampleLine->setStale(false);
  m_widget->setAccessibleName(sample);
  m_canvas->showTokens(std::move(picture));
  refreshMarks();
}

void RoutingMapPanel::askForOverview() {
  TokenPictureRequest request{m_run.id,          m_settings.mode,         m_settings.tokenValue(),
                              m_settings.router, {0, m_run.routedTokens}, 1};
  while (request.tokens.size() / request.step > kOverviewRows) request.step *= 2;
  m_overviews.request(
      [this, store = m_context.store(), request](std::stop_token stop) {
        auto picture = std::make_shared<const TokenPicture>(tokenPicture(*store, request, stop));
        return [this, picture] { m_canvas->showOverview(picture); };
      },
      QueryRunner::Urgency::Refresh);
}

void RoutingMapPanel::askForDetail(QueryRunner::Urgency urgency) {
  const auto cell = m_canvas->hovered();
  const auto expert = cell ? m_canvas->scene().expertAt(*cell) : std::nullopt;
  if (!expert || m_run.id == 0 || !m_context.store()) {
    m_details.cancel();
    return;
  }
  const bool layers = m_settings.mode == MapMode::LayerExpert;
  const auto router = m_canvas->scene().routerOf(expert->router());
  const auto& shown = m_canvas->scene().layers;
  const trace::TokenRange tokens = layers && shown ? shown->tokens : trace::TokenRange{0, m_run.routedTokens};
  m_details.request(
      [this, store = m_context.store(), run = m_run.id, router = router.value_or(0), cell = *cell,
       id = expert->expert.value, tokens](std::stop_token stop) {
        CellDetail detail = cellDetail(*store, run, router, id, tokens, stop);
        return [this, cell, detail = std::move(detail)] { m_canvas->showDetail(cell, detail); };
      },
      urgency);
}

}  // namespace moescope::views
