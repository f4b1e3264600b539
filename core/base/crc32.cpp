#include "core/base/crc32.h"

#include <zlib.h>

namespace moescope {

std::uint32_t crc32(std::uint32_t crc, std::span<const std::byte> bytes) {
  return static_cast<std::uint32_t>(
      ::crc32_z(crc, reinterpret_cast<const Bytef*>(bytes.data()), bytes.size()));
}

}  // namespace moescope
