#include "core/analysis/token_types.h"

#include <algorithm>
#include <limits>
#include <random>

#include "core/analysis/quality_estimator.h"

namespace moescope::analysis {

namespace {

using Points = std::vector<std::span<const float>>;
using Centres = std::vector<std::vector<double>>;

double squaredDistance(std::span<const float> point, std::span<const double> centre) {
  double sum = 0.0;
  for (std::size_t i = 0; i < point.size(); ++i) {
    const double difference = static_cast<double>(point[i]) - centre[i];
    sum += difference * difference;
  }
  return sum;
}

/// In [0, 1), the same on every machine.
double unit(std::mt19937_64& random) { return static_cast<double>(random() >> 11) * 0x1.0p-53; }

std::vector<double> asCentre(std::span<const float> point) { return {point.begin(), point.end()}; }

/// The next centre is a point drawn in proportion to its squared distance to the nearest centre so far.
Centres firstCentres(const Points& points, int types, std::mt19937_64& random) {
  Centres centres{
      asCentre(points[static_cast<std::size_t>(unit(random) * static_cast<double>(points.size()))])};
  std::vector<double> nearest(points.size(), std::numeric_limits<double>::infinity());
  while (static_cast<int>(centres.size()) < types) {
    double total = 0.0;
    for (std::size_t i = 0; i < points.size(); ++i) {
      nearest[i] = std::min(nearest[i], squaredDistance(points[i], centres.back()));
      total += nearest[i];
    }
    if (!(total > 0.0)) break;  // fewer different points than types
    double left = unit(random) * total;
    std::size_t chosen = 0;
    while (chosen + 1 < points.size() && (left -= nearest[chosen]) >= 0.0) ++chosen;
    centres.push_back(asCentre(points[chosen]));
  }
  return centres;
}

/// Nearest centre of each point; returns the mean squared distance.
double assign(const Points& points, const Centres& centres, std::vector<std::size_t>& owners) {
  double total = 0.0;
  for (std::size_t i = 0; i < points.size(); ++i) {
    double best = std::numeric_limits<double>::infinity();
    for (std::size_t c = 0; c < centres.size(); ++c) {
      const double distance = squaredDistance(points[i], centres[c]);
      if (distance < best) {
        best = distance;
        owners[i] = c;
      }
    }
    total += best;
  }
  return total / static_cast<double>(points.size());
}

/// Centres without a point stay where they are; returns how many points each has.
std::vector<double> moveCentres(const Points& points, const std::vector<std::size_t>& owners,
                                Centres& centres) {
  std::vector<double> sizes(centres.size(), 0.0);
  Centres sums(centres.size(), std::vector<double>(points[0].size(), 0.0));
  for (std::size_t i = 0; i < points.size(); ++i) {
    sizes[owners[i]] += 1.0;
    for (std::size_t e = 0; e < points[i].size(); ++e)
      sums[owners[i]][e] += static_cast<double>(points[i][e]);
  }
  for (std::size_t c = 0; c < centres.size(); ++c) {
    if (sizes[c] == 0.0) continue;
    for (std::size_t e = 0; e < sums[c].size(); ++e) centres[c][e] = sums[c][e] / sizes[c];
  }
  return sizes;
}

struct Clustering {
  Centres centres;
  double inertia = std::numeric_limits<double>::infinity();
};

Clustering cluster(const Points& points, const TokenTypeSettings& settings, std::mt19937_64& random,
                   const std::stop_token& stop) {
  Clustering out{firstCentres(points, settings.types, random), 0.0};
  std::vector<std::size_t> owners(points.size(), 0), before;
  for (int i = 0; i < settings.iterations && !stop.stop_requested(); ++i) {
    before = owners;
    out.inertia = assign(points, out.centres, owners);
    if (i > 0 && owners == before) break;
    moveCentres(points, owners, out.centres);
  }
  return out;
}

Points trainRows(const TextLogits& logits) {
  Points points;
  for (std::size_t r = 0; r < logits.rows(); ++r) {
    if (isIn(Half::Train, static_cast<std::size_t>(logits.texts[r]))) points.push_back(logits.row(r));
  }
  return points;
}

Points spaced(const Points& points, std::size_t most) {
  if (points.size() <= most) return points;
  Points out;
  for (std::size_t i = 0; i < most; ++i) out.push_back(points[i * points.size() / most]);
  return out;
}

}  // namespace

TokenTypes findTokenTypes(const TextLogits& logits, const TokenTypeSettings& settings,
                          const std::stop_token& stop) {
  const Points points = trainRows(logits);
  if (points.empty() || settings.types < 1) return {};
  const Points sample = spaced(points, settings.mostRows);
  std::mt19937_64 random(settings.seed);
  Clustering best;
  for (int restart = 0; restart < settings.restarts; ++restart) {
    Clustering found = cluster(sample, settings, random, stop);
    if (stop.stop_requested()) return {};
    if (found.inertia < best.inertia) best = std::move(found);
  }
  std::vector<std::size_t> owners(points.size(), 0);
  TokenTypes out;
  out.inertia = assign(points, best.centres, owners);
  const std::vector<double> sizes = moveCentres(points, owners, best.centres);
  for (std::size_t c = 0; c < sizes.size(); ++c) {
    if (sizes[c] == 0.0) continue;
    out.weights.push_back(sizes[c] / static_cast<double>(points.size()));
    out.means.push_back(std::move(best.centres[c]));
  }
  return out;
}

}  // namespace moescope::analysis
