#include "core/tokenizer/protobuf.h"

#include <bit>

namespace moescope::tokenizer {

float ProtobufField::real() const { return std::bit_cast<float>(static_cast<std::uint32_t>(value)); }

bool ProtobufReader::varint(std::uint64_t& value) {
  value = 0;
  for (unsigned shift = 0; shift < 64 && !m_message.empty(); shift += 7) {
    const auto byte = static_cast<unsigned char>(m_message.front());
    m_message.remove_prefix(1);
    value |= static_cast<std::uint64_t>(byte & 0x7FU) << shift;
    if ((byte & 0x80U) == 0) return true;
  }
  return false;
}

bool ProtobufReader::fixed(std::size_t size, std::uint64_t& value) {
  if (m_message.size() < size) return false;
  value = 0;
  for (std::size_t i = size; i-- > 0;) value = (value << 8U) | static_cast<unsigned char>(m_message[i]);
  m_message.remove_prefix(size);
  return true;
}

bool ProtobufReader::next(ProtobufField& field) {
  if (m_message.empty() || m_broken) return false;
  field = {};
  std::uint64_t tag = 0;
  bool good = varint(tag);
  field.number = tag >> 3U;
  switch (tag & 7U) {
    case 0: good = good && varint(field.value); break;
    case 1: good = good && fixed(8, field.value); break;
    case 2:
      good = good && varint(field.value) && field.value <= m_message.size();
      if (!good) break;
      field.isBytes = true;
      field.bytes = m_message.substr(0, field.value);
      m_message.remove_prefix(field.value);
      break;
    case 5: good = good && fixed(4, field.value); break;
    default: good = false;
  }
  m_broken = !good || field.number == 0;
  return !m_broken;
}

}  // namespace moescope::tokenizer
