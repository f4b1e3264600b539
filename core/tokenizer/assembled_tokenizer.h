// AssembledTokenizer: the components of one tokenizer, one after the other. Not for reading files
// (tokenizer_parts.h).
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "core/tokenizer/tokenizer.h"
#include "core/tokenizer/tokenizer_parts.h"

namespace moescope::tokenizer {

class AssembledTokenizer final : public Tokenizer {
 public:
  /// `read(parts)` fills the parts, which stay where they are; what it throws passes. `content` is for the
  /// hash.
  template <class Read>
  AssembledTokenizer(std::string_view content, const std::string& file, const Read& read)
      : m_file(file), m_hash(hashOf(content)) {
    read(m_parts);
  }

  [[nodiscard]] Result<std::vector<EncodedToken>> encode(std::string_view text, bool addSpecial,
                                                         std::vector<std::string>* pieces,
                                                         std::stop_token stop) const override;
  [[nodiscard]] std::string decode(const std::vector<std::int32_t>& ids, bool skipSpecial) const override;
  [[nodiscard]] std::string bytes(std::int32_t id) const override;
  [[nodiscard]] std::string piece(std::int32_t id) const override { return m_parts.vocabulary.piece(id); }
  [[nodiscard]] std::int32_t idOf(std::string_view piece) const override {
    return m_parts.vocabulary.idOf(piece);
  }
  [[nodiscard]] bool isSpecial(std::int32_t id) const override { return m_parts.vocabulary.isSpecial(id); }
  [[nodiscard]] std::int32_t vocabularySize() const override { return m_parts.vocabulary.size(); }
  [[nodiscard]] std::string contentHash() const override { return m_hash; }

 private:
  [[nodiscard]] Encoding encodeText(std::string_view text, bool addSpecial,
                                    const std::stop_token& stop) const;
  void encodeSegment(AlignedText text, PieceEncoder& encoder, Encoding& encoding,
                     const std::stop_token& stop) const;
  void addConfigured(Encoding& encoding) const;

  static std::string hashOf(std::string_view text);

  std::string m_file;
  std::string m_hash;
  TokenizerParts m_parts;
};

}  // namespace moescope::tokenizer
