#include <utility>

#include "core/tokenizer/tokenizer.h"
#include "core/tokenizer/utf8.h"

namespace moescope::tokenizer {

StreamDecoder::StreamDecoder(std::shared_ptr<const Tokenizer> tokenizer)
    : m_tokenizer(std::move(tokenizer)) {}

std::string StreamDecoder::push(std::int32_t id) {
  if (m_tokenizer->isSpecial(id)) return {};
  m_pending += m_tokenizer->bytes(id);
  std::size_t whole = 0;
  while (whole < m_pending.size()) {
    const Utf8Unit unit = utf8At(m_pending, whole);
    if (unit.kind == Utf8Unit::Kind::Incomplete) break;
    whole += unit.length;
  }
  std::string text = replaceInvalid(std::string_view(m_pending).substr(0, whole));
  m_pending.erase(0, whole);
  return text;
}

std::string StreamDecoder::finish() { return replaceInvalid(std::exchange(m_pending, {})); }

}  // namespace moescope::tokenizer
