#include "core/checkpoint/model_adapter.h"

#include <mutex>

namespace moescope::checkpoint {

namespace {

std::mutex g_mutex;
std::function<AdapterList()>& sourceSlot() {
  static std::function<AdapterList()> source;
  return source;
}

}  // namespace

void setAdapterSource(std::function<AdapterList()> source) {
  const std::lock_guard lock(g_mutex);
  sourceSlot() = std::move(source);
}

AdapterList knownAdapters() {
  std::function<AdapterList()> source;
  {
    const std::lock_guard lock(g_mutex);
    source = sourceSlot();
  }
  return source ? source() : AdapterList{};
}

}  // namespace moescope::checkpoint
