// JsonTokenizer: the components of one tokenizer.json, one after the other. Not for reading files.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "core/tokenizer/added_tokens.h"
#include "core/tokenizer/decoder.h"
#include "core/tokenizer/model.h"
#include "core/tokenizer/normalizer.h"
#include "core/tokenizer/post_processor.h"
#include "core/tokenizer/pre_tokenizer.h"
#include "core/tokenizer/special_tokens.h"
#include "core/tokenizer/tokenizer.h"

namespace moescope::tokenizer {

class JsonTokenizer final : public Tokenizer {
 public:
  /// Throws a Refusal.
  JsonTokenizer(std::string_view tokenizerJson, std::string_view configJson, const std::string& file);

  [[nodiscard]] Result<std::vector<EncodedToken>> encode(std::string_view text, bool addSpecial,
                                                         std::vector<std::string>* pieces) const override;
  [[nodiscard]] std::string decode(const std::vector<std::int32_t>& ids, bool skipSpecial) const override;
  [[nodiscard]] std::string bytes(std::int32_t id) const override;
  [[nodiscard]] std::string piece(std::int32_t id) const override { return m_vocabulary.piece(id); }
  [[nodiscard]] std::int32_t idOf(std::string_view piece) const override { return m_vocabulary.idOf(piece); }
  [[nodiscard]] bool isSpecial(std::int32_t id) const override { return m_vocabulary.isSpecial(id); }
  [[nodiscard]] std::int32_t vocabularySize() const override { return m_vocabulary.size(); }
  [[nodiscard]] std::string contentHash() const override { return m_hash; }

 private:
  [[nodiscard]] Encoding encodeText(std::string_view text, bool addSpecial) const;
  void encodeSegment(AlignedText text, PieceEncoder& encoder, Encoding& encoding) const;
  void addConfigured(Encoding& encoding) const;

  std::string m_file;
  std::string m_hash;
  Vocabulary m_vocabulary;
  std::unique_ptr<const Normalizer> m_normalizer;
  std::unique_ptr<const PreTokenizer> m_preTokenizer;
  std::unique_ptr<const Model> m_model;
  AddedTokens m_addedTokens;
  std::unique_ptr<const PostProcessor> m_postProcessor;
  std::unique_ptr<const Decoder> m_decoder;
  SpecialTokens m_special;
};

}  // namespace moescope::tokenizer
