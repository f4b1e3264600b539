// Verification: runs a model on the tokens of a reference file and compares everything in it.
// Not for making references; transformers does that (tests/support/make_demo_reference.py).
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "core/base/result.h"
#include "core/engine/api/engine.h"

namespace moescope::engine {

struct VerifyOptions {
  double tolerance = 1e-4;    ///< largest absolute difference of a value
  bool tokenByToken = false;  ///< one step a token instead of one prefill a row
  /// What changed sets are held against; Auto is float32. It decides nothing about passing.
  Dtype rounding = Dtype::Auto;
  std::stop_token stop;
};

/// Largest difference of one tensor of the reference.
struct ValueDifference {
  std::string quantity;      ///< name in the file: "router.3.logits"
  std::int64_t values = 0;   ///< compared
  double maxAbsolute = 0.0;  ///< infinite if one of the two is not finite
  double maxRelative = 0.0;  ///< maxAbsolute / largest magnitude in the reference
  std::string where;         ///< "row 0, token 12, index 45"
  bool failed = false;       ///< maxAbsolute > tolerance
};

/// The choices of one router. Ids are compared as sets, then weights by id.
struct RoutingDifference {
  std::int32_t layer = 0;
  std::string label;         ///< of the router: "3", "encoder 3", "3 attention"
  std::string kind = "ffn";  ///< or "attention"
  std::int64_t rows = 0;
  std::int64_t setDiffers = 0;         ///< rows whose set of ids differs
  std::int64_t setDiffersClearly = 0;  ///< of these, where the reference's margin is above kClearMargin
  /// Of these, where the reference's margin is above what rounding explains (roundingOfMargin).
  std::int64_t setDiffersBeyondRounding = 0;
  double widestMargin = 0.0;      ///< of the rows whose set differs, in such roundings
  std::int64_t orderDiffers = 0;  ///< rows with the same set in another order
  double maxWeight = 0.0;         ///< largest difference of a weight of an id that both chose
  std::string where;              ///< of the first differing set, else of maxWeight
  bool failed = false;            ///< setDiffersClearly > 0 or maxWeight > tolerance
};

/// The greedy continuation of row 0, teacher-forced with the reference's ids. Of encoder-decoders the
/// decoder's tokens are forwarded together again for every step, as their references are computed, but with
/// `tokenByToken`.
struct GreedyDifference {
  std::int64_t tokens = 0;
  std::int64_t differ = 0;  ///< steps whose own largest logit is another token's
  double maxGap = 0.0;      ///< largest logit minus that of the reference's token
  bool failed = false;      ///< maxGap > 2 * tolerance: not explained by differences of two logits
};

struct VerifyReport {
  std::int64_t rows = 0;
  std::int64_t tokensPerRow = 0;
  std::int64_t decoderTokensPerRow = 0;  ///< of encoder-decoders, whose tokensPerRow are the encoder's
  std::vector<ValueDifference> values;
  std::vector<RoutingDifference> routing;
  std::optional<GreedyDifference> greedy;
  std::vector<std::string> notCompared;  ///< tensors of the file that no output corresponds to
  bool passed = false;
};

/// Margin between the last chosen and the first not chosen value of the ranked quantity, above which another
/// set of ids is an error and not rounding.
inline constexpr double kClearMargin = 2e-5;

/// Errors: `safetensors.*`, `tensor.missing`, `tensor.wrong_shape`, `tensor.bad_value` of the reference,
/// those of Session::forward, `cancelled`.
Result<VerifyReport> verify(Model& model, const std::filesystem::path& reference,
                            const VerifyOptions& options);

}  // namespace moescope::engine
