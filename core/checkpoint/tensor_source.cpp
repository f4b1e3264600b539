#include "core/checkpoint/tensor_source.h"

#include <algorithm>
#include <charconv>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "core/checkpoint/shown_text.h"

namespace moescope::checkpoint {

namespace {

constexpr std::size_t kMaxNamed = 20;
constexpr std::int64_t kMicroscaledBlock = 32;

}  // namespace

TensorView Microscaled::rowsOf(std::int64_t expert, std::int64_t first, std::int64_t count,
                               std::int64_t step) const {
  const std::int64_t start = expert * rows + first;
  const std::int64_t span = (count - 1) * step + 1;
  const auto cut = [&](const TensorView& tensor, std::int64_t rowBytes) {
    return tensor.bytes.subspan(static_cast<std::size_t>(start * rowBytes),
                                static_cast<std::size_t>(span * rowBytes));
  };
  TensorView view;
  view.name = values.name;
  view.dtype = DType::Mxfp4;
  view.shape = {count, columns};
  view.strides = {step * columns, 1};
  view.bytes = cut(values, columns / 2);
  view.scales =
      std::make_shared<BlockScales>(BlockScales{cut(scales, columns / kMicroscaledBlock), DType::U8, 1,
                                                kMicroscaledBlock, step * columns / kMicroscaledBlock});
  return view;
}

TensorSource::TensorSource(const CheckpointFiles& files, std::string_view embeddingName,
                           const QuantisationSpec& quantisation)
    : m_files(files), m_quantisation(quantisation) {
  for (const char* prefix : {"", "language_model."}) {
    m_prefix = prefix;
    if (find(std::string(embeddingName)) != nullptr) return;
  }
  m_prefix.clear();
}

const TensorView* TensorSource::find(const std::string& name) const {
  const auto found = m_files.tensors.find(m_prefix + name);
  return found == m_files.tensors.end() ? nullptr : &found->second;
}

TensorView TensorSource::take(const std::string& name, const std::vector<std::int64_t>& shape) {
  const std::string key = m_prefix + name;
  const TensorView* tensor = find(name);
  if (tensor == nullptr) {
    ++m_missing;
    addProblem("tensor.missing", key, fmt::format("{} is missing", key));
    return {};
  }
  m_used.insert(key);
  if (tensor->shape != shape) {
    addProblem("tensor.wrong_shape", key,
               fmt::format("{} has the shape [{}] instead of [{}]", key, fmt::join(tensor->shape, ","),
                           fmt::join(shape, ",")));
    return {};
  }
  if (tensor->dtype == DType::F8E4M3) return withScales(*tensor, name);
  if (hasBlocks(tensor->dtype)) return *tensor;
  if (tensor->dtype != DType::F32 && tensor->dtype != DType::F16 && tensor->dtype != DType::BF16) {
    addProblem("tensor.unsupported_dtype", key,
               fmt::format("{} is stored as {}", key, checkpoint::name(tensor->dtype)));
  }
  return *tensor;
}

/// A float8 matrix with its factors, one a block; block size from the configuration, the grid rounded up.
TensorView TensorSource::withScales(const TensorView& tensor, const std::string& name) {
  const QuantisationSpec& spec = m_quantisation;
  const std::string scaleName = name + "_scale_inv";
  const TensorView* stored = find(scaleName);
  if (stored == nullptr || tensor.shape.size() != 2) {
    addProblem("tensor.missing_scale", m_prefix + scaleName,
               fmt::format("{} is stored as F8_E4M3 without {}", m_prefix + name, m_prefix + scaleName));
    return {};
  }
  m_used.insert(m_prefix + scaleName);
  m_scales.insert(m_prefix + scaleName);
  const std::vector<std::int64_t> grid{(tensor.shape[0] + spec.blockRows - 1) / spec.blockRows,
                                       (tensor.shape[1] + spec.blockColumns - 1) / spec.blockColumns};
  if (stored->shape != grid || stored->dtype != DType::F32) {
    addProblem(
        "tensor.wrong_shape", m_prefix + scaleName,
        fmt::format("{} is {} [{}] instead of F32 [{}]", m_prefix + scaleName,
                    checkpoint::name(stored->dtype), fmt::join(stored->shape, ","), fmt::join(grid, ",")));
    return {};
  }
  TensorView view = tensor;
  view.scales = std::make_shared<BlockScales>(
      BlockScales{stored->bytes, DType::F32, spec.blockRows, spec.blockColumns, grid[1]});
  return view;
}

Microscaled TensorSource::takeMicroscaled(const std::string& name, std::int64_t experts, std::int64_t rows,
                                          std::int64_t columns) {
  Microscaled both;
  if (columns % kMicroscaledBlock != 0) {
    addProblem("tensor.wrong_shape", m_prefix + name + "_blocks",
               fmt::format("{} has {} columns, which blocks of {} do not divide", m_prefix + name, columns,
                           kMicroscaledBlock));
    return both;
  }
  const std::int64_t blocks = columns / kMicroscaledBlock;
  both = {takeBytes(name + "_blocks", {experts, rows, blocks, kMicroscaledBlock / 2}, false),
          takeBytes(name + "_scales", {experts, rows, blocks}, true), rows, columns};
  constexpr std::byte kNotANumber{255};
  if (std::find(both.scales.bytes.begin(), both.scales.bytes.end(), kNotANumber) != both.scales.bytes.end())
    addProblem("tensor.non_finite", m_prefix + name + "_scales",
               fmt::format("{}_scales holds a scale that is not a number", m_prefix + name));
  return both;
}

TensorView TensorSource::takeBytes(const std::string& name, const std::vector<std::int64_t>& shape,
                                   bool isScales) {
  const TensorView* tensor = find(name);
  if (tensor == nullptr) {
    ++m_missing;
    addProblem(isScales ? "tensor.missing_scale" : "tensor.missing", m_prefix + name,
               fmt::format("{} is missing", m_prefix + name));
    return {};
  }
  m_used.insert(m_prefix + name);
  (isScales ? m_scales : m_packed).insert(m_prefix + name);
  if (tensor->shape == shape && tensor->dtype == DType::U8) return *tensor;
  addProblem("tensor.wrong_shape", m_prefix + name,
             fmt::format("{} is {} [{}] instead of U8 [{}]", m_prefix + name, checkpoint::name(tensor->dtype),
                         fmt::join(tensor->shape, ","), fmt::join(shape, ",")));
  return {};
}

void TensorSource::addProblem(const char* kind, const std::string& tensor, std::string text) {
  ++m_problemCount;
  const auto found = m_files.fileOfTensor.find(tensor);
  if (m_problems.size() < kMaxNamed)
    m_problems.push_back(
        {kind, found == m_files.fileOfTensor.end() ? m_files.mainFile : found->second, std::move(text)});
}

tl::unexpected<Error> TensorSource::error() const {
  std::string text;
  for (const auto& problem : m_problems) text += (text.empty() ? "" : "; ") + problem.text;
  if (m_problemCount > static_cast<std::int64_t>(m_problems.size())) {
    text += fmt::format("; and {} more", m_problemCount - static_cast<std::int64_t>(m_problems.size()));
  }
  return fail(m_problems.front().kind, m_problems.front().file, "", text,
              "config.json and the weights do not belong together, or the download is incomplete");
}

std::int64_t TensorSource::usedElements() const {
  std::int64_t total = 0;
  for (const auto& name : m_used) {
    if (m_scales.contains(name)) continue;
    const std::int64_t elements = m_files.tensors.at(name).elementCount();
    total += m_packed.contains(name) ? 2 * elements : elements;
  }
  return total;
}

std::vector<std::string> TensorSource::unused(std::string_view layerPrefix, int layers) const {
  std::vector<std::string> names;
  const std::string prefix = m_prefix + std::string(layerPrefix);
  for (const auto& [name, tensor] : m_files.tensors) {
    if (m_used.contains(name) || m_spare.contains(name) || name.ends_with("rotary_emb.inv_freq")) continue;
    if (name.starts_with(prefix)) {
      int layer = 0;
      const auto* end = name.data() + name.size();
      const bool isNumbered = std::from_chars(name.data() + prefix.size(), end, layer).ec == std::errc{};
      if (isNumbered && layer >= layers) continue;
    }
    names.push_back(shown(name));
  }
  return names;
}

}  // namespace moescope::checkpoint
