#include "core/engine/generation/checkpoint_tokenizer.h"

#include "core/checkpoint/gguf_vocabulary.h"

namespace moescope::engine {

Result<std::shared_ptr<const tokenizer::Tokenizer>> openTokenizer(const checkpoint::Checkpoint& checkpoint) {
  using tokenizer::Tokenizer;
  if (!checkpoint::usesStoredVocabulary(checkpoint)) return Tokenizer::open(checkpoint.tokenizerFile());
  const auto stored = checkpoint::storedVocabulary(checkpoint);
  if (!stored) return fail(stored.error());
  return Tokenizer::fromStored(*stored, checkpoint.ggufFile().string());
}

Result<chat::ChatTemplate> openTemplate(const checkpoint::Checkpoint& checkpoint) {
  auto beside = chat::ChatTemplate::open(checkpoint.configFolder());
  const bool isMissing = !beside && beside.error().kind == "chat.missing";
  if (!isMissing || !checkpoint::usesStoredVocabulary(checkpoint)) return beside;
  const auto stored = checkpoint::storedVocabulary(checkpoint);
  if (!stored) return fail(stored.error());
  return chat::ChatTemplate::fromStored(*stored, checkpoint.ggufFile().string());
}

}  // namespace moescope::engine
