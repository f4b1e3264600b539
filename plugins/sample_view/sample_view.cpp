// The tutorial of docs/plugins.md: the busiest expert of each layer, as an analysis and as a panel.
#include <QVBoxLayout>
#include <algorithm>

#include "core/plugin/plugin_registry.h"
#include "views/api/canvas_widget.h"
#include "views/api/query_runner.h"
#include "views/api/selection_model.h"
#include "views/api/theme.h"
#include "views/api/view_context.h"
#include "views/api/view_factory.h"

using namespace moescope;

analysis::ResultTable busiestExperts(const trace::TraceStore& store, trace::RunId run) {
  analysis::ResultTable table{"busiest", "Busiest", {{"layer", ""}, {"expert", ""}, {"share", ""}}, {}};
  const auto routers = store.routers(run);
  for (std::size_t i = 0; i < routers.size(); ++i) {
    const auto load = store.load(run, static_cast<int>(i), {0, store.run(run)->routedTokens});
    if (load.slots == 0) continue;  // no share of nothing
    const auto most = std::max_element(load.counts.begin(), load.counts.end());
    table.rows.push_back({std::int64_t{routers[i].layer.value}, most - load.counts.begin(),
                          static_cast<double>(*most) / static_cast<double>(load.slots)});
  }
  return table;
}

struct BusiestAnalysis : analysis::Analysis {
  analysis::AnalysisInfo m_info{
      "busiest-expert", "Busiest expert", "The busiest of each layer", {}, trace::CaptureLevel::Ids, {}};
  const analysis::AnalysisInfo& info() const override { return m_info; }
  Result<analysis::AnalysisResult> run(const analysis::AnalysisInput& input) const override {
    analysis::AnalysisResult result;
    result.sample = "run " + std::to_string(input.runs[0]) + ", all routed tokens";
    result.baseline = "uniform load";
    result.tables = {busiestExperts(input.store, input.runs[0])};
    return result;
  }
};

struct BusiestPanel : QWidget, views::Canvas {
  views::CanvasWidget* m_picture = new views::CanvasWidget(*this);
  views::QueryRunner* m_queries = new views::QueryRunner(this);
  analysis::ResultTable m_table;

  explicit BusiestPanel(views::ViewContext& context) {
    (new QVBoxLayout(this))->addWidget(m_picture);
    const auto refresh = [this, &context] {
      if (!context.selection().run()) return;
      auto work = [this, store = context.store(), run = *context.selection().run()](std::stop_token) {
        return [this, table = busiestExperts(*store, run)] { m_table = table, m_picture->wake(); };
      };
      m_queries->request(work, views::QueryRunner::Urgency::Replace);
    };
    connect(&context.selection(), &views::SelectionModel::runChanged, this, refresh);
    refresh();
  }
  ~BusiestPanel() override { delete m_picture; }  // before the canvas that it draws

  void build(views::Rect area, views::CanvasPainter& painter) override {  // a bar a layer
    for (std::size_t row = 0; row < m_table.rows.size(); ++row) {
      const float share = static_cast<float>(std::get<double>(m_table.rows[row][2]));
      const views::Rect bar{area.x, area.y + 14.0F * static_cast<float>(row), share * area.width, 12.0F};
      painter.fillRect(bar, views::Theme::current().paint(views::ColourRole::Accent));
    }
  }
};

struct BusiestView : views::ViewFactory {
  plugin::ViewInfo m_info{"busiest", "Busiest experts", "The busiest expert of each layer"};
  const plugin::ViewInfo& info() const override { return m_info; }
  std::unique_ptr<QWidget> create(views::ViewContext& context) override {
    return std::make_unique<BusiestPanel>(context);
  }
};

MOESCOPE_PLUGIN(sample_view) {
  registry.add(std::make_unique<BusiestAnalysis>());
  registry.add(std::make_unique<BusiestView>());
}
