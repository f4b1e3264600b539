// crc32 with the zlib polynomial over several buffers in order. Not cryptographic.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace moescope {

/// Continues `crc` (0 to start) over `bytes`.
std::uint32_t crc32(std::uint32_t crc, std::span<const std::byte> bytes);

}  // namespace moescope
