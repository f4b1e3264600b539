#include "core/engine/torch/float_buffer.h"

#include <sys/mman.h>

#include "core/engine/torch/memory_check.h"

namespace moescope::engine {

FloatBuffer::~FloatBuffer() {
  if (m_data != nullptr) ::munmap(m_data, m_bytes);
}

Result<FloatBuffer> FloatBuffer::allocate(std::size_t bytes, const char* purpose) {
  FloatBuffer buffer;
  if (bytes == 0) return buffer;
  void* data = ::mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (data == MAP_FAILED) return refusedMemory(static_cast<std::int64_t>(bytes), purpose);
  // Huge pages where the system gives them: a decode step touches every page once.
  ::madvise(data, bytes, MADV_HUGEPAGE);
  buffer.m_data = data;
  buffer.m_bytes = bytes;
  return buffer;
}

}  // namespace moescope::engine
