// ModelAdapter: a family whose forward pass the one decoder cannot do, as a plug-in gives it: how its
// configuration reads, which tensors it has, and its forward pass.
// Not for families that are a row of the table (family.h), and not how plug-ins are loaded.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "core/base/result.h"
#include "core/checkpoint/config_reader.h"
#include "core/checkpoint/family.h"
#include "core/checkpoint/model_description.h"

namespace moescope::engine {
class ForwardKit;
class ModelForward;
}  // namespace moescope::engine

namespace moescope::checkpoint {

struct AdapterFamily {
  std::string modelType;
  std::string architecture;  ///< used when config.json has no model_type
};

struct AdapterInfo {
  std::string id;     ///< "jetmoe": lower case with underscores
  std::string label;  ///< "JetMoE"
  std::vector<AdapterFamily> families;
};

/// A tensor that has no role in NameMap. A vector (or whatever is read whole), a matrix [out, in], or a
/// stack [count, out, in] of which ForwardKit::matrix gives the parts.
struct OwnTensor {
  std::string name;  ///< on disk, whole
  std::vector<std::int64_t> shape;
  bool isVector = false;  ///< read as float32 numbers, whatever its shape; not multiplied as a matrix
  /// A stack with a part an expert of this router, or a matrix or vector of one of its experts: what is not
  /// chosen is not touched.
  int router = -1;
};

/// Keys and values of attention: ForwardKit::newCache.
struct AttentionShape {
  int layers = 0;  ///< that have such attention
  int heads = 0;   ///< key-value heads
  int headDim = 0;
  int valueDim = 0;
};

/// What the family's files hold and a sequence keeps. Missing, doubled and misshapen tensors are reported as
/// for built-in families, and memory is asked for before anything is allocated.
struct AdapterNeeds {
  /// Embedding, head, layer prefix, and routers, experts and dense MLPs where they fit these roles; the texts
  /// outlive the adapter (literals). Norms and attention are the adapter's own.
  NameMap names;
  std::vector<OwnTensor> own;
  /// Names that files hold and the model does not need; with `*` at the end, all that begin so.
  std::vector<std::string> ignored;
  std::vector<AttentionShape> caches;
  std::int64_t bytesPerPosition = 0;  ///< what else a sequence keeps of every position of its context
};

/// Called on any thread, by several at once. What it throws becomes `adapter.plugin_failed`.
class ModelAdapter {
 public:
  virtual ~ModelAdapter() = default;

  [[nodiscard]] virtual const AdapterInfo& info() const = 0;
  /// Fills what the family's config.json says, class defaults where a key is missing; bad values become
  /// errors of `config`. Layers of an encoder come before those of the decoder. Routers ascend by layer,
  /// "ffn" before "attention" within one. The helpers of family.h read what many families share.
  virtual void describe(ConfigReader& config, ModelDescription& description) const = 0;
  /// Errors: any.
  [[nodiscard]] virtual Result<AdapterNeeds> needs(const ModelDescription& description) const = 0;
  /// One sequence. `kit` outlives what is made. Errors: `machine.out_of_memory`, any other.
  [[nodiscard]] virtual Result<std::unique_ptr<engine::ModelForward>> makeForward(
      engine::ForwardKit& kit) const = 0;
};

using AdapterList = std::vector<std::shared_ptr<const ModelAdapter>>;

/// Says where adapters come from: called when a model_type is not in the table, each time anew. An empty
/// function takes it away again. Any thread.
void setAdapterSource(std::function<AdapterList()> source);
/// What the source gives; nothing without one.
AdapterList knownAdapters();

}  // namespace moescope::checkpoint
