#include "views/panels/routing_map/token_picture.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "core/base/half.h"
#include "core/trace/router_statistics.h"

namespace moescope::views {

namespace {

using figure::TokenValue;
using trace::kBlockTokens;

constexpr float kNan = std::numeric_limits<float>::quiet_NaN();

/// Sums of one row of the picture.
struct RowSums {
  std::vector<double> sums;
  std::vector<int> counts;  // tokens with a value, a column
  int tokens = 0;           // tokens with data
  int lost = 0;             // tokens in damaged blocks
};

class PictureMaker {
 public:
  PictureMaker(const trace::TraceStore& store, TokenPicture& picture, std::vector<RouterSpec> routers)
      : m_store(store), m_picture(picture), m_request(picture.request), m_routers(std::move(routers)) {
    const bool oneRouter = m_request.mode == MapMode::TokenExpert;
    m_firstRouter = oneRouter ? m_request.router : 0;
    m_endRouter = oneRouter ? m_request.router + 1 : static_cast<int>(m_routers.size());
    m_needsLogits = m_request.value == TokenValue::Logit || m_request.value == TokenValue::Entropy;
  }

  void make(const std::stop_token& stop) {
    m_row.sums.assign(static_cast<std::size_t>(m_picture.columns), 0.0);
    m_row.counts.assign(static_cast<std::size_t>(m_picture.columns), 0);
    const bool bySummaries =
        m_request.step >= kBlockTokens &&
        (m_request.value == TokenValue::Entropy ||
         (m_request.value == TokenValue::Weight && m_request.mode == MapMode::TokenExpert));
    if (bySummaries) {
      makeFromSummaries(stop);
    } else {
      makeFromBlocks(stop);
    }
    for (const float value : m_picture.values) {
      if (!std::isfinite(value)) continue;
      m_picture.largest = std::max(m_picture.largest, value);
      m_picture.least = std::min(m_picture.least, value);
    }
  }

 private:
  void makeFromSummaries(const std::stop_token& stop) {
    for (int row = 0; row < m_picture.rows && !stop.stop_requested(); ++row) {
      const std::int64_t begin = m_picture.firstToken + row * m_request.step;
      const std::int64_t end = std::min(begin + m_request.step, m_picture.endToken);
      bool any = false;
      for (int router = m_firstRouter; router < m_endRouter; ++router) {
        const trace::LoadSummary load = m_store.load(m_request.run, router, {begin, end}, stop);
        any = any || load.tokens > 0;
        if (m_request.value == TokenValue::Entropy) {
          if (load.entropyTokens > 0)
            cell(row, router) = static_cast<float>(load.entropySum / static_cast<double>(load.entropyTokens));
        } else {
          for (std::size_t e = 0; e < load.counts.size() && load.massTokens > 0; ++e) {
            if (load.counts[e] > 0)
              cell(row, static_cast<int>(e)) =
                  static_cast<float>(load.gateMass[e] / static_cast<double>(load.massTokens));
          }
        }
      }
      m_picture.missing[static_cast<std::size_t>(row)] = any ? 0 : 1;
    }
  }

  void makeFromBlocks(const std::stop_token& stop) {
    const std::int64_t last = (m_picture.endToken - 1) / kBlockTokens;
    for (std::int64_t block = m_picture.firstToken / kBlockTokens; block <= last && !stop.stop_requested();
         ++block) {
      readBlocks(block);
      const std::int64_t begin = std::max(m_picture.firstToken, block * kBlockTokens);
      const std::int64_t end = std::min(m_picture.endToken, (block + 1) * kBlockTokens);
      for (std::int64_t token = begin; token < end; ++token) {
        addToken(static_cast<std::size_t>(token - block * kBlockTokens));
        if ((token + 1 - m_picture.firstToken) % m_request.step == 0 || token + 1 == m_picture.endToken)
          finishRow(m_picture.rowOf(token));
      }
    }
  }

  void readBlocks(std::int64_t block) {
    m_routes.clear();
    m_logits.clear();
    const bool keep = m_request.step == 1;
    for (int router = m_firstRouter; router < m_endRouter; ++router) {
      m_routes.push_back(m_store.routeBlock(m_request.run, router, block));
      m_logits.push_back(m_needsLogits || (keep && m_request.mode == MapMode::TokenExpert)
                             ? m_store.logitBlock(m_request.run, router, block)
                             : nullptr);
      if (!keep) continue;
      const auto at = static_cast<std::size_t>(router - m_firstRouter);
      m_picture.routes[at].push_back(m_routes.back());
      m_picture.logits[at].push_back(m_logits.back());
    }
  }

  void addToken(std::size_t at) {
    bool any = false;
    for (std::size_t i = 0; i < m_routes.size(); ++i) {
      const bool has = m_needsLogits ? addLogits(i, at) : addChoice(i, at);
      any = any || has;
    }
    if (any) {
      ++m_row.tokens;
    } else {
      ++m_row.lost;
    }
  }

  /// False if the token has no data at this router.
  bool addChoice(std::size_t i, std::size_t at) {
    const trace::RouteBlock* block = m_routes[i].get();
    if (block == nullptr || block->damaged || at >= static_cast<std::size_t>(block->count)) return false;
    const auto width = static_cast<std::size_t>(block->width);
    double largest = -1.0;
    for (std::size_t slot = 0; slot < width; ++slot) {
      const std::size_t place = at * width + slot;
      const std::uint16_t expert = block->ids[place];
      if (expert == trace::kEmptySlot) continue;
      const double weight = place < block->weights.size() ? block->weights[place] : kNan;
      if (m_request.mode == MapMode::TokenLayer) {
        largest = std::max(largest, weight);
      } else if (m_request.value == TokenValue::Rank) {
        addRank(expert, static_cast<int>(slot) + 1);
      } else {
        add(expert, weight);
      }
    }
    if (m_request.mode == MapMode::TokenLayer && largest >= 0.0) add(i, largest);
    return true;
  }

  bool addLogits(std::size_t i, std::size_t at) {
    const trace::LogitBlock* block = m_logits[i].get();
    if (block == nullptr || block->damaged || at >= static_cast<std::size_t>(block->count)) return false;
    const auto experts = static_cast<std::size_t>(block->experts);
    if (m_request.value == TokenValue::Logit) {
      for (std::size_t e = 0; e < experts; ++e) add(e, halfToFloat(block->halves[at * experts + e]));
      return true;
    }
    m_floats.resize(experts);
    m_probabilities.resize(experts);
    for (std::size_t e = 0; e < experts; ++e) m_floats[e] = halfToFloat(block->halves[at * experts + e]);
    const auto& router = m_routers[static_cast<std::size_t>(m_firstRouter) + i];
    const auto statistics = trace::rowStatistics(m_floats, router.score, m_probabilities);
    if (statistics.finite) add(i, statistics.entropy);
    return true;
  }

  void add(std::size_t column, double value) {
    if (column >= m_row.sums.size() || std::isnan(value)) return;
    m_row.sums[column] += value;
    ++m_row.counts[column];
  }

  void addRank(std::size_t column, int rank) {
    if (column >= m_row.sums.size()) return;
    m_row.sums[column] = m_row.counts[column] == 0 ? rank : std::min<double>(m_row.sums[column], rank);
    m_row.counts[column] = 1;
  }

  void finishRow(int row) {
    const bool meanOfAll = m_request.mode == MapMode::TokenExpert && m_request.value == TokenValue::Weight;
    for (std::size_t column = 0; column < m_row.sums.size(); ++column) {
      if (m_row.counts[column] == 0) continue;
      const int over = meanOfAll ? m_row.tokens : m_row.counts[column];
      cell(row, static_cast<int>(column)) = static_cast<float>(m_row.sums[column] / over);
    }
    m_picture.missing[static_cast<std::size_t>(row)] = m_row.tokens == 0 && m_row.lost > 0 ? 1 : 0;
    std::ranges::fill(m_row.sums, 0.0);
    std::ranges::fill(m_row.counts, 0);
    m_row.tokens = m_row.lost = 0;
  }

  float& cell(int row, int column) {
    return m_picture.values[static_cast<std::size_t>(row) * static_cast<std::size_t>(m_picture.columns) +
                            static_cast<std::size_t>(column)];
  }

  const trace::TraceStore& m_store;
  TokenPicture& m_picture;
  const TokenPictureRequest& m_request;
  std::vector<RouterSpec> m_routers;
  int m_firstRouter = 0, m_endRouter = 0;
  bool m_needsLogits = false;
  std::vector<std::shared_ptr<const trace::RouteBlock>> m_routes;
  std::vector<std::shared_ptr<const trace::LogitBlock>> m_logits;
  RowSums m_row;
  std::vector<float> m_floats, m_probabilities;
};

void addTokenFacts(TokenPicture& picture, const trace::TraceStore& store) {
  std::shared_ptr<const trace::TokenBlock> block;
  for (std::int64_t token = picture.firstToken; token < picture.endToken; ++token) {
    const auto at = static_cast<std::size_t>(token % kBlockTokens);
    if (!block || at == 0) block = store.tokenBlock(picture.request.run, token / kBlockTokens);
    const bool known = block && !block->damaged && at < block->ids.size();
    picture.texts.push_back(known ? store.tokenBytes(picture.request.run, block->ids[at]) : std::string());
    picture.logProbs.push_back(known ? block->logProbs[at] : kNan);
    picture.prefill.push_back(
        known && block->phases[at] == static_cast<std::uint8_t>(trace::Phase::Prefill) ? 1 : 0);
    picture.sequences.push_back(known ? block->sequences[at] : 0);
    picture.positions.push_back(known ? block->positions[at] : -1);
  }
}

}  // namespace

TokenPicture tokenPicture(const trace::TraceStore& store, const TokenPictureRequest& request,
                          std::stop_token stop) {
  TokenPicture picture;
  picture.request = request;
  const auto run = store.run(request.run);
  const std::vector<RouterSpec> routers = store.routers(request.run);
  if (!run || request.router < 0 || request.router >= static_cast<int>(routers.size())) return picture;
  const std::int64_t step = std::max<std::int64_t>(1, request.step);
  picture.request.step = step;
  picture.firstToken = std::max<std::int64_t>(0, request.tokens.begin) / step * step;
  picture.endToken =
      std::clamp(request.tokens.end, picture.firstToken, std::max(picture.firstToken, run->routedTokens));
  const bool layers = request.mode == MapMode::TokenLayer;
  picture.columns =
      layers ? static_cast<int>(routers.size()) : routers[static_cast<std::size_t>(request.router)].experts;
  picture.rows = static_cast<int>((picture.endToken - picture.firstToken + step - 1) / step);
  picture.firstRouter = layers ? 0 : request.router;
  picture.firstBlock = picture.firstToken / kBlockTokens;
  picture.routes.resize(layers ? routers.size() : 1);
  picture.logits.resize(picture.routes.size());
  picture.missing.assign(static_cast<std::size_t>(picture.rows), 0);
  picture.values.assign(static_cast<std::size_t>(picture.rows) * static_cast<std::size_t>(picture.columns),
                        kNan);
  if (picture.rows == 0) return picture;
  PictureMaker(store, picture, routers).make(stop);
  if (step == 1) {
    addTokenFacts(picture, store);
    picture.steering = readSteeringHistory(store, request.run);
  }
  return picture;
}

TokenChoice choiceOf(const TokenPicture& picture, std::int64_t token, int router, int expert) {
  TokenChoice choice;
  const auto r = static_cast<std::size_t>(router - picture.firstRouter);
  const auto b = static_cast<std::size_t>(token / kBlockTokens - picture.firstBlock);
  if (!picture.contains(token) || r >= picture.routes.size() || b >= picture.routes[r].size()) return choice;
  const auto at = static_cast<std::size_t>(token % kBlockTokens);
  const trace::RouteBlock* routes = picture.routes[r][b].get();
  if (routes != nullptr && !routes->damaged && at < static_cast<std::size_t>(routes->count)) {
    choice.routed = true;
    const auto width = static_cast<std::size_t>(routes->width);
    for (std::size_t slot = 0; slot < width; ++slot) {
      const std::uint16_t id = routes->ids[at * width + slot];
      if (id == trace::kEmptySlot) continue;
      choice.chosen.push_back(id);
      if (id != expert) continue;
      choice.rank = static_cast<int>(slot) + 1;
      if (!routes->weights.empty()) choice.weight = routes->weights[at * width + slot];
    }
    choice.chosenCount = static_cast<int>(choice.chosen.size());
    if (!routes->nativeIds.empty()) {
      const std::size_t topK = routes->nativeIds.size() / static_cast<std::size_t>(routes->count);
      for (std::size_t slot = 0; slot < topK; ++slot) {
        const std::uint16_t id = routes->nativeIds[at * topK + slot];
        if (id != trace::kEmptySlot) choice.native.push_back(id);
      }
    }
  }
  const trace::LogitBlock* logits = picture.logits[r][b].get();
  if (logits != nullptr && !logits->damaged && at < static_cast<std::size_t>(logits->count) && expert >= 0 &&
      expert < logits->experts) {
    choice.logit = halfToFloat(
        logits->halves[at * static_cast<std::size_t>(logits->experts) + static_cast<std::size_t>(expert)]);
  }
  return choice;
}

}  // namespace moescope::views
