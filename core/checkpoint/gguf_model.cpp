#include "core/checkpoint/gguf_model.h"

#include <algorithm>
#include <cstring>
#include <exception>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "core/base/half.h"
#include "core/checkpoint/float_values.h"
#include "core/checkpoint/gguf_config.h"
#include "core/checkpoint/gguf_file.h"
#include "core/checkpoint/moe_map.h"
#include "core/checkpoint/shown_text.h"

namespace moescope::checkpoint {

namespace {

namespace fs = std::filesystem;

constexpr std::size_t kMostNamed = 5;

void write(DType dtype, float value, std::int64_t index, std::vector<std::byte>& bytes) {
  std::byte* to = bytes.data() + index * static_cast<std::int64_t>(bytesPerElement(dtype));
  if (dtype == DType::F32) {
    std::memcpy(to, &value, sizeof value);
    return;
  }
  const std::uint16_t bits = dtype == DType::F16 ? floatToHalf(value) : floatToBfloat16(value);
  std::memcpy(to, &bits, sizeof bits);
}

/// Newer files of latent attention hold the projection up from keys and values in two: of keys
/// [heads, rank, nope], transposed, and of values [heads, valueDim, rank]. Here they become one matrix
/// [heads * (nope + valueDim), rank], with the rows of a head's keys before those of its values.
Result<void> joinKeyValueUp(CheckpointFiles& files, int layer) {
  const std::string prefix = fmt::format("blk.{}.attn_", layer);
  const std::string name = prefix + "kv_b.weight";
  const auto keys = files.tensors.find(prefix + "k_b.weight");
  const auto values = files.tensors.find(prefix + "v_b.weight");
  if (keys == files.tensors.end() || values == files.tensors.end() || files.tensors.contains(name)) return {};
  const TensorView k = keys->second;
  const TensorView v = values->second;
  const auto isReal = [](const TensorView& view) {
    return view.isQuantised() || view.dtype == DType::F32 || view.dtype == DType::F16 ||
           view.dtype == DType::BF16;
  };
  if (k.shape.size() != 3 || v.shape.size() != 3 || k.shape[0] != v.shape[0] || k.shape[1] != v.shape[2] ||
      !isReal(k) || !isReal(v))
    return fail(
        "gguf.bad_shape", files.mainFile, "tensor " + k.name,
        fmt::format("{} [{}] does not belong to {} {} [{}]", checkpoint::name(k.dtype),
                    fmt::join(k.shape, ","), v.name, checkpoint::name(v.dtype), fmt::join(v.shape, ",")),
        "fetch the file again; if that does not help, it was written wrongly");
  const std::int64_t heads = k.shape[0], rank = k.shape[1], nope = k.shape[2], own = v.shape[1];
  const bool isNarrow = k.dtype == v.dtype && (k.dtype == DType::F16 || k.dtype == DType::BF16);
  TensorView both;
  both.name = name;
  both.dtype = isNarrow ? k.dtype : DType::F32;
  both.shape = {heads * (nope + own), rank};
  std::vector<std::byte>& bytes = files.made.emplace_back();
  try {
    bytes.resize(static_cast<std::size_t>(both.elementCount()) * bytesPerElement(both.dtype));
  } catch (const std::exception&) {
    return fail("gguf.too_large", files.mainFile, "tensor " + k.name,
                fmt::format("there is not enough memory to put it and {} together", v.name),
                "close other programs, or use a file whose attn_kv_b is whole");
  }
  std::vector<float> row(static_cast<std::size_t>(std::max(nope, rank)));
  for (std::int64_t head = 0; head < heads; ++head) {
    const std::int64_t first = head * (nope + own);
    for (std::int64_t r = 0; r < rank; ++r) {
      readRow(part(k, head), r, std::span(row).first(static_cast<std::size_t>(nope)));
      for (std::int64_t i = 0; i < nope; ++i)
        write(both.dtype, row[static_cast<std::size_t>(i)], (first + i) * rank + r, bytes);
    }
    for (std::int64_t j = 0; j < own; ++j) {
      readRow(part(v, head), j, std::span(row).first(static_cast<std::size_t>(rank)));
      for (std::int64_t r = 0; r < rank; ++r)
        write(both.dtype, row[static_cast<std::size_t>(r)], (first + nope + j) * rank + r, bytes);
    }
  }
  both.bytes = bytes;
  files.tensors.erase(keys);
  files.tensors.erase(values);
  files.tensors.emplace(name, std::move(both));
  files.fileOfTensor[name] = files.mainFile;
  return {};
}

/// What is a matrix of one row there is a vector in the file.
void shapeSharedRouter(CheckpointFiles& files, int layer) {
  const auto found = files.tensors.find(fmt::format("blk.{}.ffn_gate_inp_shexp.weight", layer));
  if (found != files.tensors.end() && found->second.shape.size() == 1)
    found->second.shape.insert(found->second.shape.begin(), 1);
}

bool hasSafetensors(const fs::path& folder) {
  return presence(folder, "model.safetensors") != Presence::Absent ||
         presence(folder, "model.safetensors.index.json") != Presence::Absent;
}

}  // namespace

bool isGgufPath(const fs::path& path) { return path.extension() == ".gguf"; }

Result<GgufModel> openGgufModel(const fs::path& path, Definition definition) {
  const std::string displayName = path.filename().string();
  auto file = openGgufFile(path, displayName);
  if (!file) return fail(file.error());
  auto description = describeGguf(*file, displayName, definition);
  if (!description) return fail(description.error());
  const auto names = ggufNames(*file, displayName, *description);
  if (!names) return fail(names.error());
  GgufModel model;
  model.description = *std::move(description);
  model.names = *names;
  model.files.mainFile = displayName;
  model.files.files.push_back(std::move(file->file));
  model.files.headerBytes.push_back(file->headerBytes);
  model.files.tensors = std::move(file->tensors);
  for (const auto& [name, tensor] : model.files.tensors) model.files.fileOfTensor[name] = displayName;
  for (int layer = 0; layer < model.description.layers; ++layer) {
    shapeSharedRouter(model.files, layer);
    if (!model.description.attention.latent) continue;
    if (auto joined = joinKeyValueUp(model.files, layer); !joined) return fail(joined.error());
  }
  return model;
}

Result<fs::path> ggufFileIn(const fs::path& folder) {
  std::error_code error;
  std::vector<std::string> found;
  if (hasSafetensors(folder)) return fs::path{};
  for (fs::directory_iterator entry(folder, error), end; !error && entry != end; entry.increment(error)) {
    const std::string name = entry->path().filename().string();
    if (isGgufPath(name) && presence(folder, name) == Presence::File) found.push_back(name);
  }
  if (found.empty()) return fs::path{};
  if (found.size() == 1) return folder / found.front();
  std::sort(found.begin(), found.end());
  const std::size_t count = found.size();
  found.resize(std::min(count, kMostNamed));
  for (std::string& name : found) name = shown(name);
  return fail("gguf.several", folder.string(), "",
              fmt::format("holds {} GGUF files: {}{}", count, fmt::join(found, ", "),
                          count > kMostNamed ? ", ..." : ""),
              "choose one of the files");
}

}  // namespace moescope::checkpoint
