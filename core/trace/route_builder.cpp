#include "core/trace/route_builder.h"

#include <algorithm>
#include <atomic>

#include "core/base/half.h"
#include "core/trace/decided_row.h"
#include "core/trace/router_statistics.h"
#include "core/trace/row_kernels.h"

namespace moescope::trace {

namespace {

constexpr std::uint16_t kHalfNan = 0x7E00;  // logits of a row that never got a decision

template <class T>
std::span<const T> rowOf(std::span<const T> values, int row, int width) {
  return values.subspan(static_cast<std::size_t>(row) * static_cast<std::size_t>(width),
                        static_cast<std::size_t>(width));
}

/// Largest choice of any row: columns after it hold only empty slots.
int widest(const RouterRows& rows, int first, int count) {
  int widestRow = 0;
  for (int row = first; row < first + count && widestRow < rows.width; ++row) {
    const auto ids = rowOf(rows.ids, row, rows.width);
    int width = rows.width;
    while (width > widestRow && ids[static_cast<std::size_t>(width - 1)] < 0) --width;
    widestRow = std::max(widestRow, width);
  }
  return widestRow;
}

bool isNativeKnown(const RouterRows& rows, int row, int topK) {
  return !rows.nativeIds.empty() &&
         std::ranges::any_of(rowOf(rows.nativeIds, row, topK), [](std::int32_t id) { return id >= 0; });
}

/// Takes a private copy if anybody else holds the block.
template <class Block>
void makeOwnCopy(std::shared_ptr<Block>& block) {
  if (block.use_count() > 1) {
    block = std::make_shared<Block>(*block);
  } else {
    std::atomic_thread_fence(std::memory_order_acquire);  // a reader may just have let go
  }
}

}  // namespace

SequenceStats emptyStats(int experts) {
  const auto n = static_cast<std::size_t>(experts);
  SequenceStats stats;
  stats.counts.resize(n);
  stats.gateMass.resize(n);
  stats.logitSum.resize(n);
  stats.probabilitySum.resize(n);
  return stats;
}

RouteBuilder::RouteBuilder(const RouterSpec& router, CaptureLevel capture, std::int64_t block)
    : m_router(router),
      m_capture(capture),
      m_block(block),
      m_probabilities(static_cast<std::size_t>(router.experts)) {
  startBlock();
}

void RouteBuilder::next() {
  ++m_block;
  startBlock();
}

void RouteBuilder::startBlock() {
  m_route = std::make_shared<RouteBlock>();
  m_summary = BlockSummary(m_router.experts);
  const auto slots = static_cast<std::size_t>(kBlockTokens) * static_cast<std::size_t>(m_router.topK);
  m_route->ids.reserve(slots);
  if (m_capture != CaptureLevel::Ids) m_route->weights.reserve(slots);
  if (m_capture == CaptureLevel::Full) {
    m_logits = std::make_shared<LogitBlock>();
    m_logits->experts = m_router.experts;
    m_logits->halves.reserve(static_cast<std::size_t>(kBlockTokens) *
                             static_cast<std::size_t>(m_router.experts));
  }
}

void RouteBuilder::makeOwn() {
  makeOwnCopy(m_route);
  if (m_logits) makeOwnCopy(m_logits);
}

void RouteBuilder::widen(RouteBlock& block, int width) const {
  const auto rows = static_cast<std::size_t>(block.count);
  const auto before = static_cast<std::size_t>(block.width);
  const auto after = static_cast<std::size_t>(width);
  std::vector<std::uint16_t> ids(rows * after, kEmptySlot);
  std::vector<float> weights(m_capture == CaptureLevel::Ids ? 0 : rows * after, 0.0F);
  for (std::size_t row = 0; row < rows; ++row) {
    std::copy_n(block.ids.begin() + static_cast<std::ptrdiff_t>(row * before), before,
                ids.begin() + static_cast<std::ptrdiff_t>(row * after));
    if (!weights.empty())
      std::copy_n(block.weights.begin() + static_cast<std::ptrdiff_t>(row * before), before,
                  weights.begin() + static_cast<std::ptrdiff_t>(row * after));
  }
  block.ids = std::move(ids);
  block.weights = std::move(weights);
  block.width = width;
}

void RouteBuilder::startNative(RouteBlock& block) const {
  // Rows before the first rule were chosen natively: their own ids are the native ones.
  const auto topK = static_cast<std::size_t>(m_router.topK);
  const auto width = static_cast<std::size_t>(block.width);
  const auto rows = static_cast<std::size_t>(block.count);
  block.nativeIds.assign(rows * topK, kEmptySlot);
  for (std::size_t row = 0; row < rows; ++row) {
    std::copy_n(block.ids.begin() + static_cast<std::ptrdiff_t>(row * width), std::min(topK, width),
                block.nativeIds.begin() + static_cast<std::ptrdiff_t>(row * topK));
  }
  block.droppedNativeMass.assign(rows, 0.0F);
}

std::span<const float> RouteBuilder::storedWeights(const RouterRows& rows, int first, int count) {
  const auto width = static_cast<std::size_t>(rows.width);
  const auto given =
      rows.weights.subspan(static_cast<std::size_t>(first) * width, static_cast<std::size_t>(count) * width);
  if (m_capture != CaptureLevel::Weights) return given;
  m_weights.resize(given.size());
  rowKernels().roundToHalf(given.data(), m_weights.data(), given.size());
  return m_weights;
}

void RouteBuilder::addChoices(RouteBlock& block, const RouterRows& rows, int first, int count,
                              SequenceStats& stats) {
  const auto weights = storedWeights(rows, first, count);
  const auto width = static_cast<std::size_t>(std::min(block.width, rows.width));
  const auto before = block.ids.size();
  const auto slots = static_cast<std::size_t>(count) * static_cast<std::size_t>(block.width);
  const bool keepsWeights = m_capture != CaptureLevel::Ids;
  block.ids.resize(before + slots, kEmptySlot);
  if (keepsWeights) block.weights.resize(before + slots, 0.0F);
  for (int row = 0; row < count; ++row) {
    const auto ids = rowOf(rows.ids, first + row, rows.width);
    const auto gates = rowOf(weights, row, rows.width);
    const std::size_t slot = before + static_cast<std::size_t>(row) * static_cast<std::size_t>(block.width);
    int chosen = 0;
    for (std::size_t rank = 0; rank < width; ++rank) {
      if (ids[rank] < 0) continue;
      const auto expert = static_cast<std::size_t>(ids[rank]);
      const auto gate = static_cast<double>(gates[rank]);
      block.ids[slot + rank] = static_cast<std::uint16_t>(ids[rank]);
      if (keepsWeights) block.weights[slot + rank] = gates[rank];
      ++chosen;
      ++m_summary.counts[expert];
      m_summary.gateMass[expert] += gate;
      ++stats.counts[expert];
      stats.gateMass[expert] += gate;
    }
    // A router that knows its native choice decided, whatever a rule or a full expert left of it.
    const int decided = chosen > 0 || isNativeKnown(rows, first + row, m_router.topK) ? 1 : 0;
    m_summary.tokens += decided;
    m_summary.massTokens += decided;
    m_summary.slots += chosen;
    stats.tokens += decided;
    stats.massTokens += decided;
  }
}

void RouteBuilder::addLogits(std::span<const float> logits, SequenceStats* stats) {
  const RowStatistics row = rowStatistics(logits, m_router.score, m_probabilities);
  if (!row.finite) return;
  ++m_summary.entropyTokens;
  m_summary.entropySum += row.entropy;
  if (stats == nullptr) return;
  ++stats->logitTokens;
  stats->entropySum += row.entropy;
  stats->logSumExpSum += row.logSumExp;
  const RowKernels& kernels = rowKernels();
  kernels.accumulate(logits.data(), stats->logitSum.data(), logits.size());
  kernels.accumulate(m_probabilities.data(), stats->probabilitySum.data(), logits.size());
}

void RouteBuilder::addNative(RouteBlock& block, const RouterRows& rows, int row) {
  const auto chosen = rowOf(rows.ids, row, rows.width);
  const auto topK = static_cast<std::size_t>(m_router.topK);
  if (rows.nativeIds.empty()) {
    for (std::size_t rank = 0; rank < topK; ++rank) {
      const bool has = rank < chosen.size() && chosen[rank] >= 0;
      block.nativeIds.push_back(has ? static_cast<std::uint16_t>(chosen[rank]) : kEmptySlot);
    }
    block.droppedNativeMass.push_back(0.0F);
    return;
  }
  const auto ids = rowOf(rows.nativeIds, row, m_router.topK);
  float dropped = 0.0F;
  for (std::size_t rank = 0; rank < topK; ++rank) {
    block.nativeIds.push_back(ids[rank] < 0 ? kEmptySlot : static_cast<std::uint16_t>(ids[rank]));
    if (ids[rank] >= 0 && std::ranges::find(chosen, ids[rank]) == chosen.end())
      dropped += rowOf(rows.nativeWeights, row, m_router.topK)[rank];
  }
  block.droppedNativeMass.push_back(dropped);
}

void RouteBuilder::add(const RouterRows& rows, int first, int count, SequenceStats& stats) {
  makeOwn();
  RouteBlock& block = *m_route;
  const int width = widest(rows, first, count);
  if (width > block.width) widen(block, width);
  if (!rows.nativeIds.empty() && block.droppedNativeMass.empty()) startNative(block);
  const bool native = !rows.nativeIds.empty() || !block.droppedNativeMass.empty();
  addChoices(block, rows, first, count, stats);
  for (int row = first; row < first + count; ++row) {
    const auto logits = rowOf(rows.logits, row, m_router.experts);
    addLogits(logits, &stats);
    if (native) addNative(block, rows, row);
    if (m_logits) {
      const std::size_t before = m_logits->halves.size();
      m_logits->halves.resize(before + logits.size());
      rowKernels().toHalf(logits.data(), m_logits->halves.data() + before, logits.size());
    }
  }
  block.count += count;
  m_summary.count += count;
  if (m_logits) m_logits->count += count;
}

void RouteBuilder::addEmpty(int count) {
  makeOwn();
  RouteBlock& block = *m_route;
  const auto rows = static_cast<std::size_t>(count);
  const auto slots = rows * static_cast<std::size_t>(block.width);
  block.ids.insert(block.ids.end(), slots, kEmptySlot);
  if (m_capture != CaptureLevel::Ids) block.weights.insert(block.weights.end(), slots, 0.0F);
  if (!block.droppedNativeMass.empty()) {
    block.nativeIds.insert(block.nativeIds.end(), rows * static_cast<std::size_t>(m_router.topK), kEmptySlot);
    block.droppedNativeMass.insert(block.droppedNativeMass.end(), rows, 0.0F);
  }
  if (m_logits) {
    m_logits->halves.insert(m_logits->halves.end(), rows * static_cast<std::size_t>(m_router.experts),
                            kHalfNan);
    m_logits->count += count;
  }
  block.count += count;
  m_summary.count += count;
}

void RouteBuilder::assignColumns(const RouteBlock& route, const LogitBlock* logits, int count) {
  const auto rows = static_cast<std::size_t>(count);
  const auto head = [](const auto& values, std::size_t n) {
    return std::remove_cvref_t<decltype(values)>(values.begin(),
                                                 values.begin() + static_cast<std::ptrdiff_t>(n));
  };
  m_route = std::make_shared<RouteBlock>();
  m_route->count = count;
  m_route->width = route.width;
  m_route->ids = head(route.ids, rows * static_cast<std::size_t>(route.width));
  if (m_capture != CaptureLevel::Ids)
    m_route->weights = head(route.weights, rows * static_cast<std::size_t>(route.width));
  if (!route.droppedNativeMass.empty()) {
    m_route->nativeIds = head(route.nativeIds, rows * static_cast<std::size_t>(m_router.topK));
    m_route->droppedNativeMass = head(route.droppedNativeMass, rows);
  }
  if (!m_logits) return;
  const std::size_t values = rows * static_cast<std::size_t>(m_router.experts);
  m_logits = std::make_shared<LogitBlock>();
  m_logits->experts = m_router.experts;
  m_logits->count = count;
  if (logits != nullptr) m_logits->halves = head(logits->halves, values);
  m_logits->halves.resize(values, kHalfNan);
}

bool RouteBuilder::sumChoices(std::size_t row, SequenceStats* stats) {
  const auto width = static_cast<std::size_t>(m_route->width);
  int chosen = 0;
  for (std::size_t slot = row * width; slot < (row + 1) * width; ++slot) {
    const std::uint16_t expert = m_route->ids[slot];
    if (expert == kEmptySlot) continue;
    const double weight = m_route->weights.empty() ? 0.0 : static_cast<double>(m_route->weights[slot]);
    ++chosen;
    ++m_summary.counts[expert];
    m_summary.gateMass[expert] += weight;
    if (stats == nullptr) continue;
    ++stats->counts[expert];
    stats->gateMass[expert] += weight;
  }
  const int decided = isDecided(*m_route, row) ? 1 : 0;
  const int weighed = m_route->weights.empty() ? 0 : decided;
  m_summary.tokens += decided;
  m_summary.massTokens += weighed;
  m_summary.slots += chosen;
  if (stats != nullptr) stats->tokens += decided;
  if (stats != nullptr) stats->massTokens += weighed;
  return decided == 1;
}

void RouteBuilder::assign(const RouteBlock& route, const LogitBlock* logits, int count, int statsFrom,
                          SequenceStats& stats) {
  if (logits != nullptr && (logits->damaged || logits->count < count)) logits = nullptr;
  assignColumns(route, logits, count);
  m_summary = BlockSummary(m_router.experts);
  m_summary.count = count;
  const auto experts = static_cast<std::size_t>(m_router.experts);
  std::vector<float> row(experts);
  for (int r = 0; r < count; ++r) {
    SequenceStats* const own = r >= statsFrom ? &stats : nullptr;
    const auto index = static_cast<std::size_t>(r);
    if (!sumChoices(index, own) || logits == nullptr) continue;
    for (std::size_t e = 0; e < experts; ++e) row[e] = halfToFloat(logits->halves[index * experts + e]);
    addLogits(row, own);
  }
}

}  // namespace moescope::trace
