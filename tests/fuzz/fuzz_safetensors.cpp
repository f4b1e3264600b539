// Fuzz target: a safetensors file from its bytes to the numbers of its tensors.
#include <vector>

#include "core/checkpoint/float_values.h"
#include "core/checkpoint/safetensors.h"
#include "tests/fuzz/fuzz_input.h"

using namespace moescope;
using namespace moescope::checkpoint;

namespace {

bool isReal(DType dtype) { return dtype == DType::F32 || dtype == DType::F16 || dtype == DType::BF16; }

/// Both ends of a tensor's bytes; rows of those that have some.
void touch(const TensorView& view) {
  const auto count = static_cast<std::uint64_t>(view.elementCount());
  if (count * bytesPerElement(view.dtype) != view.bytes.size()) std::abort();
  if (count == 0) return;
  if (view.bytes.front() == std::byte{1} && view.bytes.back() == std::byte{2}) return;  // reads them
  if (view.shape.empty() || !isReal(view.dtype)) return;
  std::vector<float> row(static_cast<std::size_t>(view.shape.back()));
  readRow(view, 0, row);
  if (view.shape.size() == 2) readRow(view, view.shape.front() - 1, row);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const fuzz::MemoryFile file(data, size);
  const auto opened = openSafetensors(file.path(), "f.safetensors");
  if (!opened) {
    fuzz::requireError(opened.error());
    return 0;
  }
  for (const auto& [name, view] : opened->tensors) touch(view);
  return 0;
}
