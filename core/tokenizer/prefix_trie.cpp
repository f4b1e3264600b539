#include "core/tokenizer/prefix_trie.h"

#include <algorithm>

namespace moescope::tokenizer {

PrefixTrie::PrefixTrie(std::vector<std::pair<std::string_view, std::int32_t>> entries) : m_ofRoot(256) {
  std::stable_sort(entries.begin(), entries.end(),
                   [](const auto& a, const auto& b) { return a.first < b.first; });
  // Strings [begin, end) share the first `depth` bytes, which are the node.
  struct Range {
    std::size_t begin, end, depth;
    std::uint32_t node;
  };
  m_nodes.emplace_back();
  std::vector<Range> open{{0, entries.size(), 0, 0}};
  while (!open.empty()) {
    const Range range = open.back();
    open.pop_back();
    std::size_t at = range.begin;
    for (; at < range.end && entries[at].first.size() == range.depth; ++at) {
      if (range.node != 0) m_nodes[range.node].value = entries[at].second;
    }
    m_nodes[range.node].firstChild = static_cast<std::uint32_t>(m_nodes.size());
    while (at < range.end) {
      const char label = entries[at].first[range.depth];
      std::size_t end = at;
      while (end < range.end && entries[end].first[range.depth] == label) ++end;
      const auto node = static_cast<std::uint32_t>(m_nodes.size());
      m_nodes.emplace_back().label = static_cast<unsigned char>(label);
      ++m_nodes[range.node].childCount;
      if (range.node == 0) m_ofRoot[static_cast<unsigned char>(label)] = node;
      open.push_back({at, end, range.depth + 1, node});
      at = end;
    }
  }
}

}  // namespace moescope::tokenizer
