// The seeded texts of tests/data/analysis/locality_vectors.json (made by make_locality_vectors.py) as plain
// arrays. Not for traces; locality_trace.h records them.
#pragma once

#include <QTest>

#include <algorithm>
#include <cmath>
#include <fstream>
#include <numeric>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "core/analysis/text_choices.h"

namespace moescope::test {

inline nlohmann::json vectorsIn(const std::string& name) {
  std::ifstream file(std::string(MOESCOPE_TEST_DATA "/analysis/") + name);
  return nlohmann::json::parse(file);
}

inline bool near(double actual, double expected, double tolerance = 1e-9) {
  return std::abs(actual - expected) <= tolerance;
}

#define QVERIFY_NEAR(actual, expected, tolerance)                                          \
  do {                                                                                     \
    const double a_ = (actual);                                                            \
    const double e_ = (expected);                                                          \
    QVERIFY2(moescope::test::near(a_, e_, tolerance),                                      \
             qPrintable(QString("%1 is not %2").arg(a_, 0, 'g', 12).arg(e_, 0, 'g', 12))); \
  } while (false)

struct LocalityTexts {
  nlohmann::json document = vectorsIn("locality_vectors.json");
  int experts = document["experts"];
  int topK = document["top_k"];
  std::vector<int> lengths = document["lengths"];
  int layers = static_cast<int>(document["logits64"][0].size());

  [[nodiscard]] int texts() const { return static_cast<int>(lengths.size()); }

  /// [tokens, experts]
  [[nodiscard]] std::vector<float> logits(int text, int layer) const {
    std::vector<float> out;
    for (const auto& z :
         document["logits64"][static_cast<std::size_t>(text)][static_cast<std::size_t>(layer)])
      out.push_back(static_cast<float>(z.get<int>()) / 64.0F);
    return out;
  }

  /// [tokens, topK] by logit descending, lower id first on ties.
  [[nodiscard]] std::vector<std::uint16_t> ids(int text, int layer) const {
    const std::vector<float> z = logits(text, layer);
    const auto width = static_cast<std::size_t>(experts);
    std::vector<std::uint16_t> order(width), out;
    for (std::size_t row = 0; row < z.size(); row += width) {
      std::iota(order.begin(), order.end(), std::uint16_t{0});
      std::ranges::stable_sort(order, [&](auto a, auto b) { return z[row + a] > z[row + b]; });
      out.insert(out.end(), order.begin(), order.begin() + topK);
    }
    return out;
  }

  [[nodiscard]] std::vector<analysis::TextChoices> pieces(int layer) const {
    std::vector<analysis::TextChoices> out;
    for (int text = 0; text < texts(); ++text) out.push_back({text, topK, ids(text, layer)});
    return out;
  }
};

}  // namespace moescope::test
