#include "core/tokenizer/vocabulary.h"

namespace moescope::tokenizer {

std::int64_t Vocabulary::largestId(std::size_t entries) {
  constexpr std::int64_t kFairGap = 64 << 10;
  return 2 * static_cast<std::int64_t>(entries) + kFairGap;
}

bool Vocabulary::add(std::int32_t id, std::string_view piece, bool ofModel) {
  if (contains(id) || m_ids.contains(piece)) return false;
  if (id >= size()) m_entries.resize(static_cast<std::size_t>(id) + 1);
  Entry& entry = m_entries[static_cast<std::size_t>(id)];
  entry.piece = piece;
  entry.known = true;
  entry.ofModel = ofModel;
  m_ids.emplace(piece, id);
  return true;
}

void Vocabulary::setSpecial(std::int32_t id) { m_entries[static_cast<std::size_t>(id)].special = true; }

void Vocabulary::setNormalized(std::int32_t id, std::string_view text) { m_normalized[id] = text; }

const std::string& Vocabulary::normalizedPiece(std::int32_t id) const {
  const auto found = m_normalized.find(id);
  return found == m_normalized.end() ? piece(id) : found->second;
}

bool Vocabulary::contains(std::int32_t id) const { return id >= 0 && id < size() && entry(id).known; }

const std::string& Vocabulary::piece(std::int32_t id) const {
  static const std::string kNone;
  return contains(id) ? entry(id).piece : kNone;
}

std::int32_t Vocabulary::idOf(std::string_view piece) const {
  const auto found = m_ids.find(piece);
  return found == m_ids.end() ? -1 : found->second;
}

}  // namespace moescope::tokenizer
