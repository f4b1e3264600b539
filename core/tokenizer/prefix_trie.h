// PrefixTrie: which of many strings a text begins with. Not for searching a text (token_trie.h).
#pragma once

#include <cstdint>
#include <string_view>
#include <utility>
#include <vector>

namespace moescope::tokenizer {

class PrefixTrie {
 public:
  PrefixTrie() = default;
  /// Strings with values >= 0; empty ones are left out, of equal ones the last counts.
  explicit PrefixTrie(std::vector<std::pair<std::string_view, std::int32_t>> entries);

  /// Calls `found(length, value)` for every string that `text` begins with, the shortest first.
  template <class Found>
  void prefixes(std::string_view text, const Found& found) const {
    std::uint32_t node = 0;
    for (std::size_t length = 1; length <= text.size(); ++length) {
      node = child(node, static_cast<unsigned char>(text[length - 1]));
      if (node == 0) return;
      if (m_nodes[node].value >= 0) found(length, m_nodes[node].value);
    }
  }

 private:
  struct Node {
    std::uint32_t firstChild = 0;
    std::uint16_t childCount = 0;
    unsigned char label = 0;
    std::int32_t value = -1;
  };
  [[nodiscard]] std::uint32_t child(std::uint32_t node, unsigned char label) const {  // 0: none
    if (m_nodes.empty()) return 0;
    if (node == 0) return m_ofRoot[label];
    const std::uint32_t end = m_nodes[node].firstChild + m_nodes[node].childCount;
    for (std::uint32_t at = m_nodes[node].firstChild; at < end; ++at) {
      if (m_nodes[at].label >= label) return m_nodes[at].label == label ? at : 0;
    }
    return 0;
  }

  std::vector<Node> m_nodes;  // 0 is the root; the children of a node lie together, by label
  std::vector<std::uint32_t> m_ofRoot;
};

}  // namespace moescope::tokenizer
