#include "core/checkpoint/fingerprint.h"

#include <algorithm>
#include <memory>

#include <fmt/format.h>
#include <xxhash.h>

namespace moescope::checkpoint {

namespace {

constexpr std::size_t kSampleBytes = 64u << 10;
constexpr std::size_t kSamples = 256;  // 16 MiB a file: smaller files are read whole

}  // namespace

std::string fingerprintOf(const CheckpointFiles& files) {
  const std::unique_ptr<XXH3_state_t, XXH_errorcode (*)(XXH3_state_t*)> state(XXH3_createState(),
                                                                              XXH3_freeState);
  XXH3_128bits_reset(state.get());
  for (std::size_t i = 0; i < files.files.size(); ++i) {
    const auto bytes = files.files[i]->bytes();
    const std::size_t header = std::min(bytes.size(), files.headerBytes[i] + sizeof(std::uint64_t));
    XXH3_128bits_update(state.get(), bytes.data(), header);
    const auto data = bytes.subspan(header);
    const std::size_t step = std::max(kSampleBytes, data.size() / kSamples);
    for (std::size_t at = 0; at < data.size(); at += step) {
      XXH3_128bits_update(state.get(), data.data() + at, std::min(kSampleBytes, data.size() - at));
    }
  }
  const XXH128_hash_t hash = XXH3_128bits_digest(state.get());
  return fmt::format("{:016x}{:016x}", hash.high64, hash.low64);
}

}  // namespace moescope::checkpoint
