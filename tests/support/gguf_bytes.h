// Writes small GGUF files for tests, well-formed or not. Not a writer of models.
#pragma once

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>
#include <vector>

namespace moescope::tests {

/// Bytes in the order of the format; every part can also be written wrongly.
class GgufBytes {
 public:
  template <class Number>
  GgufBytes& number(Number value) {
    m_bytes.append(reinterpret_cast<const char*>(&value), sizeof value);
    return *this;
  }
  GgufBytes& raw(std::string_view text) {
    m_bytes.append(text);
    return *this;
  }
  GgufBytes& string(std::string_view text) { return number<std::uint64_t>(text.size()).raw(text); }
  GgufBytes& start(std::uint64_t tensors, std::uint64_t keys, std::uint32_t version = 3) {
    return raw("GGUF").number(version).number(tensors).number(keys);
  }
  /// A key with a value of type U32.
  GgufBytes& key(std::string_view name, std::uint32_t value) {
    return string(name).number<std::uint32_t>(4).number(value);
  }
  GgufBytes& key(std::string_view name, std::string_view value) {
    return string(name).number<std::uint32_t>(8).string(value);
  }
  /// Extents fastest first, as the format has them.
  GgufBytes& tensor(std::string_view name, const std::vector<std::uint64_t>& extents, std::uint32_t type,
                    std::uint64_t offset) {
    string(name).number(static_cast<std::uint32_t>(extents.size()));
    for (const std::uint64_t extent : extents) number(extent);
    return number(type).number(offset);
  }
  GgufBytes& pad(std::size_t alignment = 32) {
    while (m_bytes.size() % alignment != 0) m_bytes.push_back('\0');
    return *this;
  }
  GgufBytes& data(std::size_t bytes) {
    m_bytes.append(bytes, '\0');
    return *this;
  }
  [[nodiscard]] const std::string& bytes() const { return m_bytes; }

 private:
  std::string m_bytes;
};

inline void writeBytes(const std::filesystem::path& path, std::string_view bytes) {
  std::ofstream(path, std::ios::binary).write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
}

inline std::string readBytes(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

}  // namespace moescope::tests
