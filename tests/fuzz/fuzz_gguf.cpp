// Fuzz target: a GGUF file from its bytes to weights in their roles. A finding is a crash, a sanitizer's
// report, or an error without a kind.
#include "core/checkpoint/float_values.h"
#include "core/checkpoint/gguf_file.h"
#include "core/checkpoint/gguf_model.h"
#include "core/checkpoint/gguf_vocabulary.h"
#include "core/checkpoint/weight_map.h"
#include "core/tokenizer/tokenizer.h"
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

/// The tokenizer of the metadata, if it has one, encodes and decodes.
void useTokenizer(const std::string& path) {
  const auto file = openGgufFile(path, "f.gguf");
  if (!file) return;
  const auto stored = readGgufVocabulary(*file, "f.gguf");
  if (!stored) return requireError(stored.error());
  const auto tokenizer = moescope::tokenizer::Tokenizer::fromStored(*stored, "f.gguf");
  if (!tokenizer) return requireError(tokenizer.error());
  const auto tokens = (*tokenizer)->encode(" ab 12 <s>\xC3\xA9", true);
  if (!tokens) return;
  for (const auto& token : *tokens) {
    if (token.id < 0 || token.id >= (*tokenizer)->vocabularySize()) std::abort();
    static_cast<void>((*tokenizer)->bytes(token.id));
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const MemoryFile file(data, size);
  useTokenizer(file.path());
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
