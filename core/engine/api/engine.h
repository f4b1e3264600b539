// The engine as the program sees it: models that run and can be watched, without a torch type.
// Not the implementation (core/engine/torch), which is loaded from a shared object.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <span>
#include <stop_token>
#include <string>
#include <vector>

#include "core/base/progress.h"
#include "core/base/result.h"
#include "core/checkpoint/checkpoint.h"
#include "core/steering/steering_plan.h"

namespace moescope::engine {

enum class Dtype : std::uint8_t {
  Auto,  ///< CPU: weights as stored, float32 activations; CUDA: the stored dtype
  F32,
  BF16,
  F16,
  Q8_0,  ///< CPU: weights rounded at load to blocks of 32 with 8 bits each (ggml's format), float32
         ///< activations
  Q4_0,  ///< the same with 4 bits
};

/// Whether the weights are rounded at load to a few bits.
constexpr bool roundsWeights(Dtype dtype) { return dtype == Dtype::Q8_0 || dtype == Dtype::Q4_0; }

struct DeviceInfo {
  std::string id;    ///< "cpu", "cuda:0"
  std::string name;  ///< "AMD EPYC ..., 2 cores", "NVIDIA L4"
  std::int64_t totalBytes = 0;
  std::int64_t freeBytes = 0;
};

struct LoadOptions {
  std::string device = "auto";  ///< "auto", "cpu", "cuda", "cuda:N"
  Dtype dtype = Dtype::Auto;
  int threads = 0;        ///< 0: cores - 1, at least 1
  int contextTokens = 0;  ///< KV cache length; 0: the model's maximum positions
  /// Folder for weights that were rounded at load, so that the next load need not round them; empty: not
  /// kept.
  std::filesystem::path roundedFolder{};
};

/// Memory in use on the device, in bytes.
struct MemoryUse {
  std::int64_t weights = 0;
  std::int64_t cache = 0;
  std::int64_t other = 0;
  std::int64_t mapped = 0;  ///< of the weights: in place in the file, so that freeBytes counts them as free
};

/// What one forward step shows of one router. Row-major over the step's tokens; valid until the next
/// call on the session. Ids are -1 where a row has fewer than `width` choices, and where one was dropped.
/// In an encoder-decoder a router sees the tokens of its own part; rows of the others have no choice (ids,
/// native ids and dropped -1, weights 0), and all other numbers are NaN.
struct RouterTap {
  int experts = 0;
  int width = 0;                      ///< largest choice in the step
  std::span<const float> logits;      ///< [tokens, experts] raw, before any steering
  std::span<const std::int32_t> ids;  ///< [tokens, width] in selection order
  std::span<const float> weights;     ///< [tokens, width] final
  /// [tokens, topK] the router's own choice, before any rule and any capacity; empty where the layer's plan
  /// is empty and experts have no capacity.
  std::span<const std::int32_t> nativeIds;
  std::span<const float> nativeWeights;  ///< [tokens, topK]; empty likewise
  /// [tokens, width] experts that were chosen at this rank and had no place left, else -1; `ids` is -1 and
  /// `weights` 0 there. Empty where experts have no capacity.
  std::span<const std::int32_t> dropped;
  std::span<const float> input;   ///< [tokens, hidden]; only if asked for
  std::span<const float> scores;  ///< [tokens, experts] native softmax or sigmoid; only if asked for
  /// [tokens, experts] what is ranked, after selection bias and group mask; only if asked for.
  std::span<const float> selection;
  std::span<const float> sharedGate;  ///< [tokens] of a gated shared expert; else empty
};

enum class LogitRows : std::uint8_t { None, Last, All };

struct StepRequest {
  std::span<const std::int32_t> ids;  ///< tokens to append at position()
  /// Phase of these tokens, for scopes and records. In an encoder-decoder it says whose they are: the
  /// encoder's input (false; one call, at position 0) or the decoder's.
  bool decode = false;
  LogitRows logits = LogitRows::Last;
  bool taps = true;     ///< fill `routers`
  bool inputs = false;  ///< fill RouterTap::input and scores
  bool hidden = false;  ///< fill StepOutput::hidden
};

struct StepOutput {
  std::span<const float> logits;               ///< [rows, vocabulary]; none of an encoder's input
  std::vector<RouterTap> routers;              ///< one a router
  std::vector<std::span<const float>> hidden;  ///< a layer each: [tokens, hidden], both residuals added
};

/// One sequence with its KV cache. Not thread-safe; all calls from one thread.
class Session {
 public:
  virtual ~Session() = default;

  [[nodiscard]] virtual std::int64_t position() const = 0;  ///< tokens in the cache
  [[nodiscard]] virtual std::int64_t capacity() const = 0;
  /// Forwards tokens and appends them to the cache. Errors: `engine.context_full`,
  /// `machine.out_of_memory`, `steering.all_banned`; of encoder-decoders `engine.no_source` (the decoder's
  /// tokens before any source), `engine.source_twice` (a source after position 0). After an error the cache
  /// is as before. Steps are cut into fixed blocks aligned to position (prefillBlock), so that a replay is
  /// bit-exact. Where experts have a capacity it is shared by the tokens of one call, and a block holds the
  /// whole context.
  virtual Result<StepOutput> forward(const StepRequest& request) = 0;
  /// Cuts the cache back; the kept part keeps its bits. `position` must not exceed position(). Every token of
  /// an encoder's input sees all others, so a position inside it counts as 0.
  virtual void rewind(std::int64_t position) = 0;
  /// A copy with its own cache.
  virtual Result<std::unique_ptr<Session>> fork() const = 0;
  /// Takes effect with the next forward; null = no steering.
  virtual void setPlan(std::shared_ptr<const steering::SteeringPlan> plan) = 0;
};

class Model {
 public:
  virtual ~Model() = default;
  [[nodiscard]] virtual const checkpoint::Checkpoint& checkpoint() const = 0;
  [[nodiscard]] virtual DeviceInfo device() const = 0;
  [[nodiscard]] virtual std::string dtypeName() const = 0;  ///< "bf16 weights, f32 activations"
  [[nodiscard]] virtual int threads() const = 0;
  [[nodiscard]] virtual MemoryUse memory() const = 0;
  [[nodiscard]] virtual int prefillBlock() const = 0;  ///< tokens a block of prefill
  virtual Result<std::unique_ptr<Session>> newSession() = 0;
};

class Engine {
 public:
  virtual ~Engine() = default;
  [[nodiscard]] virtual std::vector<DeviceInfo> devices() const = 0;
  [[nodiscard]] virtual std::string version() const = 0;  ///< "LibTorch 2.13.0"
  /// Errors: `machine.out_of_memory` (says how much is missing, before allocating),
  /// `machine.no_device`, `engine.unsupported`, `cancelled`.
  virtual Result<std::shared_ptr<Model>> load(std::shared_ptr<const checkpoint::Checkpoint> checkpoint,
                                              const LoadOptions& options, const ProgressCallback& progress,
                                              std::stop_token stop) = 0;
  /// Whether load() would find memory enough if `replaced` were gone. Reads no weights. Errors: as load().
  [[nodiscard]] virtual Result<void> fitsInsteadOf(const Model& replaced,
                                                   const checkpoint::Checkpoint& checkpoint,
                                                   const LoadOptions& options) const = 0;
};

/// Sets what libgomp reads when it is loaded, where the user has not: passive waiting, since spinning at its
/// barriers would stall a desktop that shares the cores. True if something was not set before. Only while
/// there is one thread, or before libgomp is loaded.
bool setOpenMpEnvironment();

/// Loads libmoescope_engine.so beside the program (or from its lib folder) once and returns its
/// engine. Sets the OpenMP wait policy first. Errors: `engine.missing` (built without, or the file is
/// not there), `engine.broken` with the loader's text.
Result<std::shared_ptr<Engine>> loadEngine();

/// The one symbol of the shared object. `abi` must equal kEngineAbi.
inline constexpr int kEngineAbi = 3;
using CreateEngine = Engine* (*)(int abi);
inline constexpr const char* kCreateEngineSymbol = "moescope_create_engine";

}  // namespace moescope::engine
