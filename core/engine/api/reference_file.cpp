#include "core/engine/api/reference_file.h"

#include <algorithm>
#include <cstring>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "core/base/router_label.h"
#include "core/checkpoint/safetensors.h"

namespace moescope::engine {

using checkpoint::DType;
using checkpoint::TensorView;

namespace {

template <class Element>
std::vector<Element> elements(const TensorView& view) {
  std::vector<Element> values(view.bytes.size() / sizeof(Element));
  std::memcpy(values.data(), view.bytes.data(), values.size() * sizeof(Element));
  return values;
}

/// What a tensor's name says it is, and how many columns and possible ids the model gives it.
struct Expected {
  int columns = 0;        ///< 0: unknown to verify
  int idLimit = 0;        ///< for ids; 0 for floats
  bool isChoice = false;  ///< of a router
  bool isFlag = false;    ///< stored as U8
  bool ofDecoder = false;
};

/// Whether a layer sees the decoder's tokens and not the encoder's.
bool isOfDecoder(int layer, const checkpoint::ModelDescription& d) {
  return d.encoder && layer >= d.encoder->layers;
}

Expected expectedOf(const std::string& name, const checkpoint::ModelDescription& d) {
  if (name == "logits") return {.columns = d.vocabularySize, .ofDecoder = d.encoder.has_value()};
  for (int layer = 0; layer < d.layers; ++layer) {
    if (name == hiddenName(layer, d)) return {.columns = d.hiddenSize, .ofDecoder = isOfDecoder(layer, d)};
  }
  for (const RouterSpec& router : d.routers) {
    const std::string prefix = referencePrefix(router);
    if (!name.starts_with(prefix)) continue;
    Expected expected{.ofDecoder = isOfDecoder(router.layer.value, d)};
    const std::string part = name.substr(prefix.size());
    const auto set = [&](const char* quantity, int columns, int idLimit = 0) {
      if (part != quantity) return false;
      expected.columns = columns;
      expected.idLimit = idLimit;
      return true;
    };
    set("input", d.hiddenSize);
    for (const char* scores : {"logits", "scores", "selection"}) set(scores, router.experts);
    set("groups", router.groups.keep, router.groups.count);
    set("shared_gate", d.shared.gated ? 1 : 0);
    set("topk_weights", router.topK);
    expected.isChoice = set("topk_ids", router.topK, router.experts);
    expected.isFlag = set("dropped", d.capacity ? router.topK : 0);
    return expected;
  }
  return {};
}

/// Int64 ids in [low, limit) as int32.
Result<std::vector<std::int32_t>> idsOf(const TensorView& view, int limit, const std::string& file,
                                        int low = 0) {
  if (view.dtype != DType::I64) {
    return fail("tensor.wrong_shape", file, view.name, "ids must be stored as I64");
  }
  const auto wide = elements<std::int64_t>(view);
  const auto stray =
      std::find_if(wide.begin(), wide.end(), [&](std::int64_t id) { return id < low || id >= limit; });
  if (stray != wide.end()) {
    return fail("tensor.bad_value", file, view.name, fmt::format("id {} is not below {}", *stray, limit),
                "use the reference that belongs to this model");
  }
  return std::vector<std::int32_t>(wide.begin(), wide.end());
}

tl::unexpected<Error> wrongShape(const std::string& file, const TensorView& view, const std::string& wanted) {
  return fail("tensor.wrong_shape", file, view.name,
              fmt::format("has shape [{}] and should have {}", fmt::join(view.shape, ", "), wanted),
              "use the reference that belongs to this model");
}

/// Ids [rows, tokens].
struct TokenTable {
  std::int64_t rows = 0, tokens = 0;
  std::vector<std::int32_t> ids;
};

Result<TokenTable> tokensOf(const TensorView& view, int vocabulary, const std::string& file) {
  if (view.shape.size() != 2 || view.elementCount() == 0) return wrongShape(file, view, "[rows, tokens]");
  auto ids = idsOf(view, vocabulary, file);
  if (!ids) return fail(std::move(ids).error());
  return TokenTable{view.shape[0], view.shape[1], *std::move(ids)};
}

/// "3", "encoder.3".
std::string layerPart(LayerIndex layer, int encoderLayers) {
  std::string label = layerLabel(layer, encoderLayers);
  std::replace(label.begin(), label.end(), ' ', '.');
  return label;
}

}  // namespace

std::string referencePrefix(const RouterSpec& router) {
  return fmt::format("{}.{}.", router.kind == "attention" ? "attn_router" : "router",
                     layerPart(router.layer, router.encoderLayers));
}

std::string hiddenName(int layer, const checkpoint::ModelDescription& description) {
  return "hidden." + layerPart({layer}, description.encoder ? description.encoder->layers : 0);
}

Result<ReferenceFile> ReferenceFile::open(const std::filesystem::path& path,
                                          const checkpoint::ModelDescription& description) {
  const std::string file = path.string();
  const auto opened = checkpoint::openSafetensors(path, file);
  if (!opened) return fail(opened.error());
  std::vector<std::string> needed{"input_ids", "logits"};
  if (description.encoder) needed.emplace_back("decoder_input_ids");
  for (const std::string& name : needed) {
    if (opened->tensors.contains(name)) continue;
    return fail("tensor.missing", file, name, "a reference needs this tensor",
                "make it with tests/support/make_demo_reference.py");
  }
  ReferenceFile reference;
  auto ids = tokensOf(opened->tensors.at("input_ids"), description.vocabularySize, file);
  if (!ids) return fail(std::move(ids).error());
  reference.m_rows = ids->rows;
  reference.m_tokens = ids->tokens;
  reference.m_ids = std::move(ids->ids);
  if (description.encoder) {
    const TensorView& decoder = opened->tensors.at("decoder_input_ids");
    auto decoderIds = tokensOf(decoder, description.vocabularySize, file);
    if (!decoderIds) return fail(std::move(decoderIds).error());
    if (decoderIds->rows != reference.m_rows) return wrongShape(file, decoder, "as many rows as input_ids");
    reference.m_decoderTokens = decoderIds->tokens;
    reference.m_decoderIds = std::move(decoderIds->ids);
  }
  for (const auto& [name, view] : opened->tensors) {
    if (name == "input_ids" || (name == "decoder_input_ids" && description.encoder)) continue;
    if (auto read = reference.read(view, description, file); !read) return fail(std::move(read).error());
  }
  return reference;
}

/// What is no input: greedy ids and quantities.
Result<void> ReferenceFile::read(const TensorView& view, const checkpoint::ModelDescription& description,
                                 const std::string& file) {
  const std::string& name = view.name;
  if (name == "greedy_ids") {
    auto ids = idsOf(view, description.vocabularySize, file);
    if (!ids) return fail(std::move(ids).error());
    m_greedyIds = *std::move(ids);
    return {};
  }
  const Expected expected = expectedOf(name, description);
  if (expected.columns == 0) {
    m_unknown.push_back(name);
    return {};
  }
  const std::vector<std::int64_t> shape{m_rows, expected.ofDecoder ? m_decoderTokens : m_tokens,
                                        expected.columns};
  if (view.shape != shape) return wrongShape(file, view, fmt::format("[{}]", fmt::join(shape, ", ")));
  if (expected.idLimit > 0) {
    const bool mayDrop = expected.isChoice && description.capacity;  // -1: dropped
    auto ids = idsOf(view, expected.idLimit, file, mayDrop ? -1 : 0);
    if (!ids) return fail(std::move(ids).error());
    if (expected.isChoice) {
      m_choices[name] = *std::move(ids);
    } else {
      m_values[name].assign(ids->begin(), ids->end());
    }
  } else if (expected.isFlag && view.dtype == DType::U8) {
    const auto flags = elements<std::uint8_t>(view);
    m_values[name].assign(flags.begin(), flags.end());
  } else if (view.dtype == DType::F32 && !expected.isFlag) {
    m_values[name] = elements<float>(view);
  } else {
    return fail("tensor.wrong_shape", file, name,
                fmt::format("values must be stored as {}", expected.isFlag ? "U8" : "F32"));
  }
  return {};
}

const std::vector<float>* ReferenceFile::values(const std::string& name) const {
  const auto found = m_values.find(name);
  return found == m_values.end() ? nullptr : &found->second;
}

const std::vector<std::int32_t>* ReferenceFile::choices(const RouterSpec& router) const {
  const auto found = m_choices.find(referencePrefix(router) + "topk_ids");
  return found == m_choices.end() ? nullptr : &found->second;
}

}  // namespace moescope::engine
