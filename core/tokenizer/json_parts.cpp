#include <filesystem>

#include "core/tokenizer/tokenizer_parts.h"

namespace moescope::tokenizer {

void readJsonParts(std::string_view tokenizerJson, std::string_view configJson, const std::string& file,
                   TokenizerParts& parts) {
  readJsonParts(parseDocument(tokenizerJson, file), configJson, file, parts);
}

void readJsonParts(const nlohmann::json& document, std::string_view configJson, const std::string& file,
                   TokenizerParts& parts) {
  const Component root(document, file, "");
  if (const Component version = root.at("version"); !version.isNull() && version.text() != "1.0") {
    version.unsupported("version " + shownText(version.text()) + " of tokenizer.json");
  }
  parts.normalizer = makeNormalizer(root.at("normalizer"));
  parts.preTokenizer = makePreTokenizer(root.at("pre_tokenizer"));
  parts.decoder = makeDecoder(root.at("decoder"));
  parts.model = makeModel(root.at("model"), parts.preTokenizer->byteLevel(), parts.vocabulary);
  parts.addedTokens = AddedTokens(root.at("added_tokens"), *parts.normalizer, parts.vocabulary);
  parts.postProcessor = makePostProcessor(root.at("post_processor"), parts.vocabulary);
  const auto folder = std::filesystem::path(file).parent_path();
  parts.special =
      readSpecialTokens(configJson, (folder / "tokenizer_config.json").string(), parts.vocabulary);
}

}  // namespace moescope::tokenizer
