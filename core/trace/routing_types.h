// Value types of a trace: what the engine hands over and what panels read back.
// Not for storage; trace_store.h knows SQLite.
#pragma once

#include <array>
#include <cstdint>
#include <limits>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/base/router_spec.h"

namespace moescope::trace {

inline constexpr int kBlockTokens = 256;             ///< rows of a block; block b holds [256 b, 256 b + 256)
inline constexpr std::uint16_t kEmptySlot = 0xFFFF;  ///< in memory, whatever the stored width
inline constexpr int kAlternatives = 5;
/// More rows than any run has: what a file claims beyond it is not believed.
inline constexpr std::int64_t kMostTokens = std::int64_t{1} << 40;
inline constexpr float kMissing = std::numeric_limits<float>::quiet_NaN();

enum class CaptureLevel : std::uint8_t { None, Ids, Weights, Full };
std::string_view name(CaptureLevel level);
std::optional<CaptureLevel> captureLevelFrom(std::string_view word);

enum class Phase : std::uint8_t { Prefill = 0, Decode = 1 };

using RunId = std::int64_t;

/// Half-open range of token rows of a run, in order of arrival.
struct TokenRange {
  std::int64_t begin = 0;
  std::int64_t end = 0;
  [[nodiscard]] std::int64_t size() const { return end > begin ? end - begin : 0; }
  bool operator==(const TokenRange&) const = default;
};

/// One token when it becomes known (prompt or sampled); it is pending until it has been forwarded.
struct TokenRow {
  std::int32_t id = 0;
  std::int32_t sequence = 0;  ///< ordinal of its sequence in the run
  std::int32_t position = 0;  ///< in the sequence
  Phase phase = Phase::Prefill;
  float logProb = kMissing;  ///< given what stood before it, raw logits; NaN for the first
  std::array<std::int32_t, kAlternatives> alternativeIds{-1, -1, -1, -1, -1};
  /// Most probable tokens at this place (the distribution that logProb is taken from), NaN where none.
  std::array<float, kAlternatives> alternativeLogProbs{kMissing, kMissing, kMissing, kMissing, kMissing};
};

/// One router's part of a forward step; borrows, row-major over the step's tokens.
struct RouterRows {
  int width = 0;
  std::span<const float> logits;            ///< [tokens, experts] raw
  std::span<const std::int32_t> ids;        ///< [tokens, width] selection order, -1 = none
  std::span<const float> weights;           ///< [tokens, width]
  std::span<const std::int32_t> nativeIds;  ///< [tokens, topK]; empty where no rule is on the layer
  std::span<const float> nativeWeights;     ///< [tokens, topK]; empty likewise
};

/// Everything one forward step decided, for rows that were appended before.
struct RoutingBatch {
  std::int64_t firstToken = 0;  ///< row in the run
  int count = 0;
  std::span<const float> entropyAfter;  ///< [tokens] nat, of the distribution after each token
  std::vector<RouterRows> routers;
};

/// Columns of one token block. Immutable once shared.
struct TokenBlock {
  int count = 0;
  std::vector<std::int32_t> ids, sequences, positions;
  std::vector<std::uint8_t> phases;
  std::vector<float> logProbs, entropies;    ///< entropies: NaN while pending
  std::vector<std::int32_t> alternativeIds;  ///< [count, 5]
  std::vector<float> alternativeLogProbs;    ///< [count, 5]
  bool damaged = false;                      ///< failed its checksum: everything above is missing
};

/// Columns of one route block. `count` may be smaller than the token block's (pending rows).
struct RouteBlock {
  int count = 0;
  int width = 0;
  std::vector<std::uint16_t> ids;        ///< [count, width] selection order, kEmptySlot = none
  std::vector<float> weights;            ///< [count, width]; empty at capture ids
  std::vector<std::uint16_t> nativeIds;  ///< [count, topK]; empty if no rule was on the layer in the block
  std::vector<float>
      droppedNativeMass;  ///< [count]; native gate mass of native ids not chosen; empty likewise
  bool damaged = false;
};

/// Raw router logits of one block, capture full only.
struct LogitBlock {
  int count = 0;
  int experts = 0;
  std::vector<std::uint16_t> halves;  ///< [count, experts] binary16
  bool damaged = false;
};

/// Load of one router over a range of tokens. Counts are counted, not multiplied out.
struct LoadSummary {
  std::int64_t tokens = 0;           ///< rows with a routing decision
  std::int64_t slots = 0;            ///< choices made = sum of counts
  std::vector<std::int64_t> counts;  ///< [experts]
  std::vector<double> gateMass;      ///< [experts]; sums of weights, kept at every capture level
  double entropySum = 0.0;           ///< nat, of the native softmax/sigmoid distribution of each token
  /// Tokens that gateMass covers. Fewer than `tokens` only at capture ids, where the edges of a range
  /// that does not lie on the block grid have choices but no weights.
  std::int64_t massTokens = 0;
  /// Tokens that entropySum covers. Fewer than `tokens` below capture full, where the edges of a range
  /// have no logits; entropySum / entropyTokens is the mean over what is known.
  std::int64_t entropyTokens = 0;
  std::int64_t missing = 0;  ///< rows lost to damaged blocks
};

struct ModelRecord {
  std::int64_t id = 0;
  std::string family, name, configJson, tokenizerHash, weightsFingerprint;
  std::int64_t parametersTotal = 0, parametersActive = 0;
  std::vector<RouterSpec> routers;
};

enum class RunKind : std::uint8_t { Generate, Corpus, Import };
enum class RunStatus : std::uint8_t { Open, Closed, Aborted };
std::string_view name(RunKind kind);
std::string_view name(RunStatus status);

struct RunRecord {
  RunId id = 0;
  std::int64_t model = 0;
  std::string name;  ///< shown; the user can change it
  std::string notes;
  RunKind kind = RunKind::Generate;
  std::string engine, device, dtype;
  int threads = 0;
  std::uint64_t seed = 0;
  std::string samplerJson;  ///< or the corpus settings of a corpus run
  CaptureLevel capture = CaptureLevel::Weights;
  std::optional<RunId> twin;
  std::string checkpointLabel;
  std::optional<std::int64_t> trainStep, trainTokens;
  RunStatus status = RunStatus::Open;
  std::int64_t startedMs = 0, endedMs = 0;  ///< Unix time
  std::int64_t tokens = 0;                  ///< rows
  std::int64_t routedTokens = 0;            ///< rows with routing
  std::int64_t sequences = 0;
};

struct SequenceRecord {
  std::int32_t ordinal = 0;
  std::int64_t firstToken = 0;
  std::int64_t promptLength = 0;
  std::int64_t length = 0;
  bool complete = false;
  std::string textHash;
  std::vector<std::pair<std::string, std::string>> labels;
};

struct SteeringEvent {
  std::int64_t token = 0;  ///< first row that the program acted on
  std::string programJson;
  bool counterfactual = false;
};

/// Sums over one sequence and one router, written when the sequence ends.
struct SequenceStats {
  std::int64_t tokens = 0;
  std::vector<std::int64_t> counts;  ///< [experts]
  /// [experts]; probabilities are the native scores, for a sigmoid router divided by their sum.
  std::vector<double> gateMass, logitSum, probabilitySum;
  double logSumExpSum = 0.0;
  double entropySum = 0.0;  ///< nat
  /// Tokens that gateMass covers, and that the sums over logits cover. Fewer than `tokens` only in the
  /// sequence of a counterfactual run whose first rows were copied without weights or logits.
  std::int64_t massTokens = 0, logitTokens = 0;
};

}  // namespace moescope::trace
