#include "core/tokenizer/token_trie.h"

namespace moescope::tokenizer {

void TokenTrie::add(std::string_view content, std::int32_t value) {
  if (content.empty()) return;
  m_firstBytes[static_cast<unsigned char>(content.front())] = true;
  std::int32_t node = 0;
  for (const char byte : content) {
    const auto next = static_cast<std::int32_t>(m_values.size());
    const auto [child, isNew] = m_children.try_emplace(key(node, byte), next);
    if (isNew) m_values.push_back(-1);
    node = child->second;
  }
  auto& slot = m_values[static_cast<std::size_t>(node)];
  if (slot < 0) slot = value;
}

TokenTrie::Match TokenTrie::find(std::string_view text, std::size_t from) const {
  for (std::size_t begin = from; begin < text.size(); ++begin) {
    if (!m_firstBytes[static_cast<unsigned char>(text[begin])]) continue;
    Match longest;
    std::int32_t node = 0;
    for (std::size_t at = begin; at < text.size(); ++at) {
      const auto child = m_children.find(key(node, text[at]));
      if (child == m_children.end()) break;
      node = child->second;
      const std::int32_t value = m_values[static_cast<std::size_t>(node)];
      if (value >= 0) longest = {value, begin, at + 1};
    }
    if (longest.value >= 0) return longest;
  }
  return {};
}

}  // namespace moescope::tokenizer
