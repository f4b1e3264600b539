#include "core/tokenizer/model.h"

#include "core/tokenizer/bpe.h"
#include "core/tokenizer/unigram.h"

namespace moescope::tokenizer {

namespace {

struct Row {
  const char* type;
  std::unique_ptr<const Model> (*make)(const Component&, bool byteLevel, Vocabulary&);
};

constexpr Row kRows[] = {
    {"BPE", makeBpe},
    {"Unigram", makeUnigram},
};

}  // namespace

void throwIfStopped(const std::stop_token& stop) {
  if (stop.stop_requested()) throw Refusal({"cancelled", "", "", "stopped before the end", ""});
}

std::unique_ptr<const Model> makeModel(const Component& component, bool byteLevel, Vocabulary& vocabulary) {
  // Old files leave the type out; only BPE has merges, only Unigram a list of pieces.
  const bool untyped = component.at("type").isNull();
  const bool list = untyped && component.at("vocab").value().is_array();
  const bool merges = untyped && !component.at("merges").isNull();
  const std::string type = merges ? "BPE" : list ? "Unigram" : component.type();
  for (const Row& row : kRows) {
    if (type == row.type) return row.make(component, byteLevel, vocabulary);
  }
  component.unsupported("the model " + shownText(type));
}

}  // namespace moescope::tokenizer
