// BlockCache: final blocks of all runs by (run, router, level, block), bounded in bytes, least recently used
// out first. Not for tails, which change (live_run.h).
#pragma once

#include <compare>
#include <cstddef>
#include <cstdint>
#include <list>
#include <map>
#include <memory>
#include <mutex>
#include <utility>

#include "core/trace/routing_types.h"

namespace moescope::trace {

struct BlockKey {
  RunId run = 0;
  int router = 0;
  int level = 0;  ///< of summaries; 0 for blocks
  std::int64_t block = 0;
  auto operator<=>(const BlockKey&) const = default;
};

/// All methods from any thread.
template <class Block>
class BlockCache {
 public:
  explicit BlockCache(std::size_t limitBytes) : m_limitBytes(limitBytes) {}

  [[nodiscard]] std::shared_ptr<const Block> find(const BlockKey& key) {
    const std::lock_guard lock(m_mutex);
    const auto found = m_index.find(key);
    if (found == m_index.end()) return nullptr;
    m_entries.splice(m_entries.begin(), m_entries, found->second);
    return found->second->block;
  }

  void put(const BlockKey& key, std::shared_ptr<const Block> block, std::size_t bytes) {
    const std::lock_guard lock(m_mutex);
    erase(key);
    m_entries.push_front({key, std::move(block), bytes});
    m_index[key] = m_entries.begin();
    m_bytes += bytes;
    while (m_bytes > m_limitBytes && m_entries.size() > 1) {
      const BlockKey oldest = m_entries.back().key;  // a copy: erase frees the entry
      erase(oldest);
    }
  }

  /// Forgets a run: its blocks changed or are gone.
  void drop(RunId run) {
    const std::lock_guard lock(m_mutex);
    for (auto it = m_index.lower_bound({run, INT32_MIN, INT32_MIN, INT64_MIN});
         it != m_index.end() && it->first.run == run;) {
      m_bytes -= it->second->bytes;
      m_entries.erase(it->second);
      it = m_index.erase(it);
    }
  }

 private:
  struct Entry {
    BlockKey key;
    std::shared_ptr<const Block> block;
    std::size_t bytes = 0;
  };

  void erase(const BlockKey& key) {
    const auto found = m_index.find(key);
    if (found == m_index.end()) return;
    m_bytes -= found->second->bytes;
    m_entries.erase(found->second);
    m_index.erase(found);
  }

  const std::size_t m_limitBytes;
  std::size_t m_bytes = 0;
  std::mutex m_mutex;
  std::list<Entry> m_entries;
  std::map<BlockKey, typename std::list<Entry>::iterator> m_index;
};

}  // namespace moescope::trace
