// The synthetic loads of tests/data/analysis/congestion_vectors.json
// (tests/support/make_congestion_vectors.py). Not for values: each test reads those itself.
#pragma once

#include <fstream>
#include <string>

#include <nlohmann/json.hpp>

#include "core/analysis/series_loads.h"

namespace moescope::analysis::vectors {

inline const nlohmann::json& document() {
  static const nlohmann::json read = [] {
    std::ifstream file(MOESCOPE_TEST_DATA "/analysis/congestion_vectors.json");
    return nlohmann::json::parse(file);
  }();
  return read;
}

inline RouterLoads loadsOf(const nlohmann::json& entry) {
  const auto tokens = entry["tokens"].get<std::vector<double>>();
  RouterLoads loads(static_cast<int>(entry["counts"][0].size()), static_cast<int>(tokens.size()));
  loads.tokens = tokens;
  const auto flat = [&](const char* name, std::vector<double>& out) {
    out.clear();
    for (const auto& row : entry[name]) {
      for (const auto& value : row) out.push_back(value.get<double>());
    }
  };
  flat("counts", loads.counts);
  flat("logit_sum", loads.logitSum);
  flat("probability_sum", loads.probabilitySum);
  flat("gate_mass", loads.gateMass);
  return loads;
}

inline std::vector<std::uint16_t> once(const RouterLoads& loads) {
  return std::vector<std::uint16_t>(static_cast<std::size_t>(loads.texts), 1);
}

}  // namespace moescope::analysis::vectors
