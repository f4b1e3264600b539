// ProtobufReader: the fields of one message in protobuf's wire format. Not for any one message.
#pragma once

#include <cstdint>
#include <string_view>

namespace moescope::tokenizer {

struct ProtobufField {
  std::uint64_t number = 0;
  std::uint64_t value = 0;  ///< of a varint, 32 or 64 bits
  std::string_view bytes;   ///< of a length-delimited field
  bool isBytes = false;

  [[nodiscard]] float real() const;  ///< value as 32-bit float
};

class ProtobufReader {
 public:
  explicit ProtobufReader(std::string_view message) : m_message(message) {}
  /// The next field; false at the end or where the message is broken.
  bool next(ProtobufField& field);
  [[nodiscard]] bool broken() const { return m_broken; }

 private:
  bool varint(std::uint64_t& value);
  bool fixed(std::size_t size, std::uint64_t& value);

  std::string_view m_message;
  bool m_broken = false;
};

}  // namespace moescope::tokenizer
