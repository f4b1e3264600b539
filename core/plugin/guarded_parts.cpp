#include "core/plugin/guarded_parts.h"

namespace moescope::plugin {

namespace {

class GuardedAnalysis : public analysis::Analysis {
 public:
  GuardedAnalysis(std::unique_ptr<analysis::Analysis> inner, PluginGuard& guard)
      : m_inner(std::move(inner)), m_guard(guard), m_info(m_inner->info()) {}

  [[nodiscard]] const analysis::AnalysisInfo& info() const override { return m_info; }

  [[nodiscard]] Result<analysis::AnalysisResult> run(const analysis::AnalysisInput& input) const override {
    return m_guard.call("analysis.plugin_failed", [&] { return m_inner->run(input); });
  }

 private:
  std::unique_ptr<analysis::Analysis> m_inner;
  PluginGuard& m_guard;
  analysis::AnalysisInfo m_info;
};

class GuardedExporter : public figure::Exporter {
 public:
  GuardedExporter(std::unique_ptr<figure::Exporter> inner, PluginGuard& guard)
      : m_inner(std::move(inner)), m_guard(guard), m_info(m_inner->info()) {}

  [[nodiscard]] const figure::ExporterInfo& info() const override { return m_info; }

  [[nodiscard]] Result<std::string> writeResult(const analysis::AnalysisResult& result) const override {
    return m_guard.call("export.plugin_failed", [&] { return m_inner->writeResult(result); });
  }

  [[nodiscard]] Result<std::string> writeFigure(const figure::FigureSpec& spec) const override {
    return m_guard.call("export.plugin_failed", [&] { return m_inner->writeFigure(spec); });
  }

 private:
  std::unique_ptr<figure::Exporter> m_inner;
  PluginGuard& m_guard;
  figure::ExporterInfo m_info;
};

}  // namespace

std::unique_ptr<analysis::Analysis> guarded(std::unique_ptr<analysis::Analysis> inner, PluginGuard& guard) {
  return std::make_unique<GuardedAnalysis>(std::move(inner), guard);
}

std::unique_ptr<figure::Exporter> guarded(std::unique_ptr<figure::Exporter> inner, PluginGuard& guard) {
  return std::make_unique<GuardedExporter>(std::move(inner), guard);
}

}  // namespace moescope::plugin
