// What memory there is and whether something fits, asked before it is allocated.
// Not for counting what is in use (MemoryTally).
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>

#include "core/base/result.h"
#include "core/engine/api/engine.h"

namespace moescope::engine {

/// What loading asks memory for, in its error.
inline constexpr const char* kModelWithContext = "the model with its context";

/// Tokens of a context: what was asked for, else all positions that the model knows.
std::int64_t contextOf(const checkpoint::Checkpoint& checkpoint, const LoadOptions& options);

struct MachineMemory {
  std::int64_t totalBytes = 0;
  std::int64_t freeBytes = 0;  ///< what can be had without swapping, page cache included
};

/// Of the machine, or of the control group if that allows less.
MachineMemory machineMemory();

/// "1.5 GiB", or "12.0 MiB" below one.
std::string memoryText(std::int64_t bytes);

/// `machine.out_of_memory` with what is missing, unless `neededBytes` fit into `freeBytes`.
Result<void> requireMemory(std::int64_t neededBytes, std::int64_t freeBytes, const std::string& purpose,
                           const std::string& device);

/// Bytes that are free on a device once a model on `modelDevice` is gone: all that it uses there but its
/// mapped weights, which are counted as free already. `cpu` and `cpu-torch` share their memory.
std::int64_t freeBytesWithout(const MemoryUse& model, const std::string& modelDevice,
                              const DeviceInfo& device);

/// `machine.out_of_memory` for an allocation that the system refused.
tl::unexpected<Error> refusedMemory(std::int64_t bytes, const std::string& purpose);

/// a * b and a + b, or the largest number if that overflows: sizes come from configurations.
std::int64_t saturatedProduct(std::int64_t a, std::int64_t b);
std::int64_t saturatedSum(std::int64_t a, std::int64_t b);

/// Bytes that the sessions of one model use.
struct MemoryTally {
  std::atomic<std::int64_t> cacheBytes{0};
  std::atomic<std::int64_t> otherBytes{0};
};

/// Adds to a tally for as long as it lives.
class TalliedBytes {
 public:
  TalliedBytes(std::shared_ptr<MemoryTally> tally, std::int64_t cacheBytes, std::int64_t otherBytes)
      : m_tally(std::move(tally)), m_cacheBytes(cacheBytes), m_otherBytes(otherBytes) {
    m_tally->cacheBytes += m_cacheBytes;
    m_tally->otherBytes += m_otherBytes;
  }
  ~TalliedBytes() {
    m_tally->cacheBytes -= m_cacheBytes;
    m_tally->otherBytes -= m_otherBytes;
  }
  TalliedBytes(const TalliedBytes&) = delete;
  TalliedBytes& operator=(const TalliedBytes&) = delete;

 private:
  std::shared_ptr<MemoryTally> m_tally;
  std::int64_t m_cacheBytes;
  std::int64_t m_otherBytes;
};

}  // namespace moescope::engine
