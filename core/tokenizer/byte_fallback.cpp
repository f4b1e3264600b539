#include "core/tokenizer/byte_fallback.h"

#include "core/base/strict_json.h"
#include "core/tokenizer/byte_pieces.h"
#include "core/tokenizer/utf8.h"

namespace moescope::tokenizer {

namespace {

class ByteFallback final : public Decoder {
 public:
  void apply(std::vector<std::string>& parts) const override {
    std::vector<std::string> result;
    std::string run;
    for (auto& part : parts) {
      if (const auto byte = byteOfPiece(part)) {
        run += *byte;
        continue;
      }
      finish(run, result);
      result.push_back(std::move(part));
    }
    finish(run, result);
    parts = std::move(result);
  }
  void applyTo(Continuation& part) const override {
    if (const auto byte = byteOfPiece(part.text)) part.text.assign(1, *byte);
  }

 private:
  /// As in the library, a run that is not text becomes one U+FFFD for each of its bytes.
  static void finish(std::string& run, std::vector<std::string>& result) {
    if (run.empty()) return;
    if (isValidUtf8(run)) {
      result.push_back(run);
    } else {
      std::string unknown;
      appendUtf8(unknown, 0xFFFD);
      result.insert(result.end(), run.size(), unknown);
    }
    run.clear();
  }
};

}  // namespace

std::unique_ptr<const Decoder> makeByteFallback(const Component&) { return std::make_unique<ByteFallback>(); }

}  // namespace moescope::tokenizer
