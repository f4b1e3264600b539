#include "views/panels/token_strip/strip_settings.h"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "core/base/half.h"
#include "core/trace/router_statistics.h"

namespace moescope::views {

namespace {

using trace::kBlockTokens;

/// Surprise at which the scale of log-probabilities ends; rarer tokens have the end's colour.
constexpr double kMostSurprise = 8.0;

/// Entropy of one row of logits; NaN if it is unknown.
float entropyOf(const trace::LogitBlock* block, const RouterSpec& router, std::size_t row,
                std::vector<float>& logits, std::vector<float>& probabilities) {
  if (block == nullptr || block->damaged || row >= static_cast<std::size_t>(block->count))
    return trace::kMissing;
  const auto experts = static_cast<std::size_t>(block->experts);
  logits.resize(experts);
  probabilities.resize(experts);
  for (std::size_t e = 0; e < experts; ++e) logits[e] = halfToFloat(block->halves[row * experts + e]);
  const auto statistics = trace::rowStatistics(logits, router.score, probabilities);
  return statistics.finite ? static_cast<float>(statistics.entropy) : trace::kMissing;
}

class ColourReader {
 public:
  ColourReader(const trace::TraceStore& store, trace::RunId run, const StripSettings& settings)
      : m_store(store), m_run(run), m_settings(settings), m_routers(store.routers(run)) {
    m_begin = settings.router < 0 ? 0 : settings.router;
    m_end = settings.router < 0 ? static_cast<int>(m_routers.size()) : settings.router + 1;
    m_end = std::min(m_end, static_cast<int>(m_routers.size()));
  }

  void readBlock(std::int64_t block) {
    m_tokens = m_store.tokenBlock(m_run, block);
    m_routes.clear();
    m_logits.clear();
    for (int router = m_begin; router < m_end; ++router) {
      m_routes.push_back(m_settings.value == StripValue::TopExpert ? m_store.routeBlock(m_run, router, block)
                                                                   : nullptr);
      m_logits.push_back(m_settings.value == StripValue::Entropy ? m_store.logitBlock(m_run, router, block)
                                                                 : nullptr);
    }
  }

  float value(std::size_t row) {
    switch (m_settings.value) {
      case StripValue::None: return trace::kMissing;
      case StripValue::Phase: return known(row) ? static_cast<float>(m_tokens->phases[row]) : trace::kMissing;
      case StripValue::LogProbability: return known(row) ? m_tokens->logProbs[row] : trace::kMissing;
      case StripValue::TopExpert: return topExpert(row);
      case StripValue::Entropy: return meanEntropy(row);
    }
    return trace::kMissing;
  }

 private:
  [[nodiscard]] bool known(std::size_t row) const {
    return m_tokens && !m_tokens->damaged && row < static_cast<std::size_t>(m_tokens->count);
  }

  [[nodiscard]] float topExpert(std::size_t row) const {
    const trace::RouteBlock* block = m_routes.empty() ? nullptr : m_routes.front().get();
    if (block == nullptr || block->damaged || block->width == 0 ||
        row >= static_cast<std::size_t>(block->count)) {
      return trace::kMissing;
    }
    const std::uint16_t id = block->ids[row * static_cast<std::size_t>(block->width)];
    return id == trace::kEmptySlot ? trace::kMissing : static_cast<float>(id);
  }

  float meanEntropy(std::size_t row) {
    double sum = 0.0;
    int count = 0;
    for (std::size_t i = 0; i < m_logits.size(); ++i) {
      const auto& router = m_routers[static_cast<std::size_t>(m_begin) + i];
      const float entropy = entropyOf(m_logits[i].get(), router, row, m_row, m_probabilities);
      if (std::isnan(entropy)) continue;
      sum += static_cast<double>(entropy);
      ++count;
    }
    return count > 0 ? static_cast<float>(sum / count) : trace::kMissing;
  }

  const trace::TraceStore& m_store;
  trace::RunId m_run;
  StripSettings m_settings;
  std::vector<RouterSpec> m_routers;
  int m_begin = 0, m_end = 0;
  std::shared_ptr<const trace::TokenBlock> m_tokens;
  std::vector<std::shared_ptr<const trace::RouteBlock>> m_routes;
  std::vector<std::shared_ptr<const trace::LogitBlock>> m_logits;
  std::vector<float> m_row, m_probabilities;
};

}  // namespace

StripColours stripColours(const trace::TraceStore& store, trace::RunId run, const StripSettings& settings,
                          trace::TokenRange tokens, std::stop_token stop) {
  StripColours colours{settings, tokens.begin, {}};
  ColourReader reader(store, run, settings);
  for (std::int64_t token = tokens.begin; token < tokens.end && !stop.stop_requested(); ++token) {
    if (token == tokens.begin || token % kBlockTokens == 0) reader.readBlock(token / kBlockTokens);
    colours.values.push_back(reader.value(static_cast<std::size_t>(token % kBlockTokens)));
  }
  return colours;
}

bool isRecorded(StripValue value, trace::CaptureLevel capture) {
  if (value == StripValue::TopExpert) return capture >= trace::CaptureLevel::Ids;
  if (value == StripValue::Entropy) return capture >= trace::CaptureLevel::Full;
  return true;
}

figure::ColourScale stripScale(const StripSettings& settings, const std::vector<RouterSpec>& routers) {
  using enum figure::ColourMapId;
  if (settings.value == StripValue::LogProbability)
    return {Cividis, figure::ScaleKind::Linear, -kMostSurprise, 0.0, "log-probability, nat"};
  int experts = 2;
  for (int router = 0; router < static_cast<int>(routers.size()); ++router) {
    if (settings.router < 0 || settings.router == router)
      experts = std::max(experts, routers[static_cast<std::size_t>(router)].experts);
  }
  // The end is what a uniform distribution has, whatever the data.
  return {Cividis, figure::ScaleKind::Linear, 0.0, std::log(experts), "routing entropy, nat"};
}

}  // namespace moescope::views
