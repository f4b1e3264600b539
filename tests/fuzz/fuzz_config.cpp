// Fuzz target: any text as config.json, with what stands behind a zero byte as generation_config.json. What
// is described must be fit for building a model: sizes above zero, routers where the layers say.
#include "core/checkpoint/architecture_text.h"
#include "core/checkpoint/model_description.h"
#include "tests/fuzz/fuzz_input.h"

using namespace moescope;
using namespace moescope::checkpoint;

namespace {

void require(bool condition) {
  if (!condition) std::abort();
}

void check(const ModelDescription& model) {
  require(model.hiddenSize > 0 && model.layers > 0 && model.vocabularySize > 0);
  require(model.attention.heads > 0 && model.attention.keyValueHeads > 0 && model.attention.headDim > 0);
  require(model.layerSpecs.size() == static_cast<std::size_t>(model.layers));
  int next = 0;
  for (const LayerSpec& layer : model.layerSpecs) {
    require(layer.window >= 0 && layer.chunk >= 0);
    if (layer.router < 0) continue;
    require(layer.router == next++);
  }
  require(model.routers.size() == static_cast<std::size_t>(next));
  for (const RouterSpec& router : model.routers) {
    require(router.experts > 0 && router.topK > 0 && router.topK <= router.experts);
  }
  require(!describeInWords(model).attention.empty());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text = fuzz::textOf(data, size);
  const auto cut = text.find('\0');
  const std::string_view config = text.substr(0, cut);
  const std::string_view generation = cut == std::string_view::npos ? "" : text.substr(cut + 1);
  for (const Definition definition : {Definition::Authors, Definition::Transformers}) {
    const auto model = describeModel(config, "config.json", generation, definition);
    if (model) {
      check(*model);
    } else {
      fuzz::requireError(model.error());
    }
  }
  return 0;
}
