// Writes safetensors files for tests, right ones and wrong ones. Not for the program, which only reads them.
#pragma once

#include <cstdint>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <map>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "core/checkpoint/tensor_view.h"

namespace moescope::tests {

struct StoredTensor {
  std::string dtype;
  std::vector<std::int64_t> shape;
  std::string bytes;
};
using StoredTensors = std::map<std::string, StoredTensor>;

inline StoredTensors copyOf(const std::map<std::string, checkpoint::TensorView>& tensors) {
  StoredTensors copies;
  for (const auto& [name, view] : tensors) {
    const auto* data = reinterpret_cast<const char*>(view.bytes.data());
    copies[name] = {std::string(checkpoint::name(view.dtype)), view.shape,
                    std::string(data, view.bytes.size())};
  }
  return copies;
}

/// Length field, header text as given, data: nothing is checked.
inline std::string rawSafetensors(const std::string& header, const std::string& data) {
  const std::uint64_t length = header.size();
  std::string file(sizeof length, '\0');
  std::memcpy(file.data(), &length, sizeof length);
  return file + header + data;
}

inline std::string safetensorsOf(const StoredTensors& tensors) {
  nlohmann::ordered_json header = nlohmann::ordered_json::object();
  std::string data;
  for (const auto& [name, tensor] : tensors) {
    const auto begin = data.size();
    data += tensor.bytes;
    header[name] = {{"dtype", tensor.dtype}, {"shape", tensor.shape}, {"data_offsets", {begin, data.size()}}};
  }
  return rawSafetensors(header.dump(), data);
}

inline void writeFile(const std::filesystem::path& path, const std::string& content) {
  std::filesystem::create_directories(path.parent_path());
  std::ofstream(path, std::ios::binary) << content;
}

inline std::string readFile(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

}  // namespace moescope::tests
