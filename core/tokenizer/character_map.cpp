#include "core/tokenizer/character_map.h"

#include "core/tokenizer/utf8.h"

namespace moescope::tokenizer {

namespace {

constexpr std::size_t kLow = 0x10000;

}  // namespace

CharacterMap::CharacterMap(const Vocabulary& vocabulary) : m_low(kLow, -1) {
  for (std::int32_t id = 0; id < vocabulary.size(); ++id) {
    const std::string& piece = vocabulary.piece(id);
    if (piece.empty() || piece.size() > 4) continue;
    const Utf8Unit unit = utf8At(piece, 0);
    if (unit.kind != Utf8Unit::Kind::Character || unit.length != piece.size()) continue;
    if (unit.character < kLow) {
      m_low[unit.character] = id;
    } else {
      m_high[unit.character] = id;
    }
  }
}

}  // namespace moescope::tokenizer
