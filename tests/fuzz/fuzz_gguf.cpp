// Fuzz target: a GGUF file from its bytes to weights in their roles. A finding is a crash, a sanitizer's
// report, or an error without a kind.
#include "core/checkpoint/float_values.h"
#include "core/checkpoint/gguf_model.h"
#include "core/checkpoint/weight_map.h"
#include "tests/fuzz/fuzz_input.h"

namespace {

using namespace moescope::checkpoint;
using moescope::fuzz::MemoryFile;
using moescope::fuzz::requireError;

/// The first and the last row of everything that has a role: reads at both ends of its bytes.
void touch(const ModelWeights& weights) {
  struct Nothing {};
  const auto read = [](const TensorView& view, Nothing&) {
    if (!view.exists() || view.elementCount() == 0) return;
    std::vector<float> row(static_cast<std::size_t>(view.shape.back()));
    readRow(view, 0, row);
    if (view.shape.size() == 2) readRow(view, view.shape.front() - 1, row);
  };
  LayerRoles<Nothing, Nothing> nowhere;
  for (const LayerWeights& layer : weights.layers) forEachRole(layer, nowhere, read, read);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const MemoryFile file(data, size);
  auto model = openGgufModel(file.path(), Definition::Authors);
  if (!model) {
    requireError(model.error());
    return 0;
  }
  const auto weights = mapWeights(model->files, *model->names, model->description);
  if (weights) {
    touch(*weights);
  } else {
    requireError(weights.error());
  }
  return 0;
}
