#include "core/analysis/routing_consistency.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace moescope::analysis {

namespace {

/// Activations of each expert in a window that slides by one token; a histogram takes the time that each
/// expert stays at a count, so that a step costs 2 K and not M.
class SlidingWindow {
 public:
  /// `histogramOf(expert)` is where the pairs of an expert go.
  template <class HistogramOf>
  static void slide(const TextChoices& piece, int experts, int windowTokens, HistogramOf histogramOf) {
    const int windows = piece.tokens() - windowTokens + 1;
    if (windows <= 0) return;
    SlidingWindow state(experts);
    for (int token = 0; token < windowTokens; ++token) state.change(piece.row(token), 1, 0, histogramOf);
    for (int window = 1; window < windows; ++window) {
      state.change(piece.row(window - 1), -1, window, histogramOf);
      state.change(piece.row(window + windowTokens - 1), 1, window, histogramOf);
    }
    for (int expert = 0; expert < experts; ++expert)
      state.close(static_cast<std::size_t>(expert), windows, histogramOf);
  }

 private:
  explicit SlidingWindow(int experts)
      : m_count(static_cast<std::size_t>(experts)), m_since(static_cast<std::size_t>(experts)) {}

  template <class HistogramOf>
  void close(std::size_t expert, int window, HistogramOf histogramOf) {
    histogramOf(expert).pairs[static_cast<std::size_t>(m_count[expert])] += window - m_since[expert];
    m_since[expert] = window;
  }

  template <class HistogramOf>
  void change(std::span<const std::uint16_t> ids, int by, int window, HistogramOf histogramOf) {
    for (const std::uint16_t id : ids) {
      if (id >= m_count.size()) continue;
      close(id, window, histogramOf);
      m_count[id] += by;
    }
  }

  std::vector<int> m_count, m_since;
};

WindowHistogram emptyHistogram(int windowTokens) {
  return {std::vector<std::int64_t>(static_cast<std::size_t>(windowTokens) + 1), 0};
}

/// A cache with look-ahead over one piece.
class LookAheadCache {
 public:
  LookAheadCache(int experts, int capacity)
      : m_capacity(capacity),
        m_left(static_cast<std::size_t>(experts)),
        m_lastUse(static_cast<std::size_t>(experts), -1),
        m_cached(static_cast<std::size_t>(experts)) {}

  CacheHits run(const TextChoices& piece, int windowTokens) {
    for (int token = 0; token < std::min(windowTokens, piece.tokens()); ++token) expect(piece.row(token));
    for (int token = 0; token < piece.tokens(); ++token) {
      count(piece.row(token));
      for (const std::uint16_t id : piece.row(token)) serve(id);
      if (token + windowTokens < piece.tokens()) expect(piece.row(token + windowTokens));
    }
    return m_hits;
  }

 private:
  [[nodiscard]] bool known(std::uint16_t id) const { return id < m_left.size(); }

  void expect(std::span<const std::uint16_t> ids) {
    for (const std::uint16_t id : ids) {
      if (known(id)) ++m_left[id];
    }
  }

  void count(std::span<const std::uint16_t> ids) {
    int unused = m_capacity - static_cast<int>(m_content.size());
    for (const std::uint16_t id : ids) {
      if (!known(id)) continue;
      ++m_hits.requests;
      if (m_cached[id] != 0 || unused-- > 0) ++m_hits.hits;
    }
  }

  void serve(std::uint16_t id) {
    if (!known(id)) return;
    --m_left[id];
    m_lastUse[id] = m_clock++;
    if (m_cached[id] != 0) return;
    m_cached[id] = 1;
    if (static_cast<int>(m_content.size()) < m_capacity) {
      m_content.push_back(id);
      return;
    }
    const auto victim = std::ranges::min_element(
        m_content, {}, [this](std::uint16_t e) { return std::pair(m_left[e], m_lastUse[e]); });
    m_cached[*victim] = 0;
    *victim = id;
  }

  int m_capacity;
  std::vector<int> m_left;
  std::vector<std::int64_t> m_lastUse;
  std::vector<char> m_cached;
  std::vector<std::uint16_t> m_content;
  std::int64_t m_clock = 0;
  CacheHits m_hits;
};

}  // namespace

std::vector<WindowHistogram> windowHistograms(std::span<const TextChoices> pieces, int texts, int experts,
                                              int windowTokens, std::stop_token stop) {
  std::vector<WindowHistogram> out(static_cast<std::size_t>(texts), emptyHistogram(windowTokens));
  for (const TextChoices& piece : pieces) {
    if (stop.stop_requested()) break;
    WindowHistogram& histogram = out[static_cast<std::size_t>(piece.text)];
    histogram.windows += std::max(0, piece.tokens() - windowTokens + 1);
    SlidingWindow::slide(piece, experts, windowTokens,
                         [&](std::size_t) -> WindowHistogram& { return histogram; });
  }
  return out;
}

std::vector<WindowHistogram> expertWindowHistograms(std::span<const TextChoices> pieces, int experts,
                                                    int windowTokens) {
  std::vector<WindowHistogram> out(static_cast<std::size_t>(experts), emptyHistogram(windowTokens));
  for (const TextChoices& piece : pieces) {
    for (WindowHistogram& histogram : out)
      histogram.windows += std::max(0, piece.tokens() - windowTokens + 1);
    SlidingWindow::slide(piece, experts, windowTokens,
                         [&](std::size_t expert) -> WindowHistogram& { return out[expert]; });
  }
  return out;
}

SegmentRouting segmentRouting(std::span<const double> pairs) {
  const int windowTokens = static_cast<int>(pairs.size()) - 1;
  double active = 0.0;
  for (int c = 1; c <= windowTokens; ++c) active += c * pairs[static_cast<std::size_t>(c)];
  SegmentRouting best{std::numeric_limits<double>::quiet_NaN(), 0, std::numeric_limits<double>::quiet_NaN()};
  if (!(active > 0.0)) return best;
  double match = 0.0;
  double predicted = 0.0;
  best.f1 = -1.0;
  for (int r = windowTokens; r >= 1; --r) {
    match += r * pairs[static_cast<std::size_t>(r)];
    predicted += windowTokens * pairs[static_cast<std::size_t>(r)];
    const double f1 = 2.0 * match / (predicted + active);
    if (f1 >= best.f1) best = {f1, r, predicted / active};
  }
  return best;
}

SegmentRouting segmentRouting(const WindowHistogram& histogram) {
  return segmentRouting(std::vector<double>(histogram.pairs.begin(), histogram.pairs.end()));
}

SegmentRouting randomSegmentRouting(int experts, int topK, int windowTokens) {
  const double p = static_cast<double>(topK) / experts;
  std::vector<double> pairs;
  for (int c = 0; c <= windowTokens; ++c) {
    const double ways =
        std::lgamma(windowTokens + 1.0) - std::lgamma(c + 1.0) - std::lgamma(windowTokens - c + 1.0);
    const double rest = windowTokens - c;
    // 0 log 0 = 0: with K = M every expert is active all the time.
    const double logMass = (c > 0 ? c * std::log(p) : 0.0) + (rest > 0.0 ? rest * std::log1p(-p) : 0.0);
    pairs.push_back(std::exp(ways + logMass));
  }
  return segmentRouting(pairs);
}

std::vector<CacheHits> cacheHits(std::span<const TextChoices> pieces, int texts, int experts,
                                 int windowTokens, int cacheExperts, std::stop_token stop) {
  std::vector<CacheHits> out(static_cast<std::size_t>(texts));
  for (const TextChoices& piece : pieces) {
    if (stop.stop_requested()) break;
    const CacheHits hits = LookAheadCache(experts, std::max(1, cacheExperts)).run(piece, windowTokens);
    out[static_cast<std::size_t>(piece.text)].hits += hits.hits;
    out[static_cast<std::size_t>(piece.text)].requests += hits.requests;
  }
  return out;
}

}  // namespace moescope::analysis
