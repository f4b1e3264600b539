// Fuzz target: any bytes as tokenizer.json or as a SentencePiece model. Whatever loads must encode and decode
// without a crash, and in bounds.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <vector>

#include "core/tokenizer/tokenizer.h"
#include "tests/fuzz/fuzz_input.h"

using moescope::tokenizer::Tokenizer;

namespace {

void use(const Tokenizer& tokenizer, const std::string& text) {
  std::vector<std::string> pieces;
  const auto tokens = tokenizer.encode(text, true, &pieces);
  if (!tokens) return;
  std::vector<std::int32_t> ids{-1, 0, tokenizer.vocabularySize()};
  for (const auto& token : *tokens) {
    const bool good = token.id >= 0 && token.id < tokenizer.vocabularySize() && token.begin >= 0 &&
                      token.begin <= token.end && token.end <= static_cast<std::int64_t>(text.size());
    if (!good) std::abort();
    ids.push_back(token.id);
  }
  if (pieces.size() != tokens->size()) std::abort();
  for (const bool skipSpecial : {false, true}) static_cast<void>(tokenizer.decode(ids, skipSpecial));
  for (const auto id : ids) static_cast<void>(tokenizer.bytes(id));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string file(reinterpret_cast<const char*>(data), size);
  // A protobuf message begins with the field of the pieces.
  const bool protobuf = size > 0 && data[0] == 0x0A;
  const auto opened =
      protobuf ? Tokenizer::parseSentencePiece(file, {}, "f.model") : Tokenizer::parse(file, {}, "f.json");
  if (!opened) {
    moescope::fuzz::requireError(opened.error());
    return 0;
  }
  for (const char* text :
       {"", " ", "a b  ab\n",
        "It's 12 w\xC3\xB6rds, \xE4\xB8\xAD\xE6\x96\x87\xF0\x9F\x98\x80 <s>[a] \xE2\x96\x81x\r\n"}) {
    use(**opened, text);
  }
  return 0;
}
