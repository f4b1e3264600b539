// What can be said about a family that is not in the table: which one it resembles, and what that one does
// not know. Never a guess that is acted on.
#pragma once

#include <string>
#include <vector>

#include <nlohmann/json.hpp>

namespace moescope::checkpoint {

struct NearestFamily {
  std::string name;                        ///< the family that reads the most keys of the configuration
  std::vector<std::string> notUnderstood;  ///< keys about the model that it does not read, sorted
};

/// `config` is an object.
NearestFamily nearestFamily(const nlohmann::json& config);

}  // namespace moescope::checkpoint
