#include "core/engine/generation/run_records.h"

#include "core/base/unix_time.h"
#include "core/engine/generation/generation.h"

namespace moescope::engine {

trace::ModelRecord modelRecord(const Model& model, const tokenizer::Tokenizer& tokenizer) {
  const auto& checkpoint = model.checkpoint();
  const auto& description = checkpoint.description();
  trace::ModelRecord record;
  record.family = description.family;
  record.name = checkpoint.displayName();
  record.configJson = description.configJson;
  record.tokenizerHash = tokenizer.contentHash();
  record.weightsFingerprint = checkpoint.fingerprint();
  record.parametersTotal = description.parametersTotal;
  record.parametersActive = description.parametersActive;
  record.routers = description.routers;
  return record;
}

trace::RunRecord newRunRecord(const Model& model, trace::RunKind kind, trace::CaptureLevel capture) {
  trace::RunRecord run;
  run.kind = kind;
  run.engine = "moescope " MOESCOPE_VERSION;
  run.device = model.device().id;
  run.dtype = model.dtypeName();
  run.threads = model.threads();
  run.capture = capture;
  run.startedMs = unixMilliseconds();
  return run;
}

std::string firstWords(std::string_view text) {
  constexpr int kMaxCharacters = 40;
  std::string words;
  std::size_t lastSpace = 0;
  int characters = 0;
  for (const char byte : text) {
    const bool starts = (static_cast<unsigned char>(byte) & 0xC0U) != 0x80U;
    const bool space = byte == ' ' || byte == '\n' || byte == '\t' || byte == '\r';
    if (space && (words.empty() || words.back() == ' ')) continue;
    if (starts && characters == kMaxCharacters) {
      words.resize(lastSpace > 0 ? lastSpace : words.size());
      return words + "…";
    }
    characters += starts ? 1 : 0;
    if (space) lastSpace = words.size();
    words += space ? ' ' : byte;
  }
  while (!words.empty() && words.back() == ' ') words.pop_back();
  return words;
}

}  // namespace moescope::engine
