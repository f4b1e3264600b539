#include "views/panels/token_strip/strip_text.h"

#include <algorithm>

#include "core/figure/token_text.h"

namespace moescope::views {

namespace {

std::string labelOf(const trace::SequenceRecord& sequence) {
  std::string text;
  for (const auto& [name, value] : sequence.labels) text += (text.empty() ? "" : ", ") + value;
  return text.empty() ? "text " + std::to_string(sequence.ordinal) : text;
}

}  // namespace

const std::string& StripText::text(std::int64_t token) const {
  static const std::string lost = "‹lost›";
  const auto found = texts->find(ids[static_cast<std::size_t>(token)]);
  return found == texts->end() ? lost : found->second;
}

StripText stripText(const trace::TraceStore& store, trace::RunId run, const StripText& before,
                    std::stop_token stop) {
  StripText strip = before;
  // Shared with what the canvas draws, so it is copied before it grows.
  strip.texts = before.texts ? std::make_shared<std::unordered_map<std::int32_t, std::string>>(*before.texts)
                             : std::make_shared<std::unordered_map<std::int32_t, std::string>>();
  const auto record = store.run(run);
  const std::int64_t end = record ? record->tokens : 0;
  if (strip.size() > end) strip.ids.resize(static_cast<std::size_t>(end));
  for (std::int64_t block = strip.size() / trace::kBlockTokens; strip.size() < end && !stop.stop_requested();
       ++block) {
    const auto rows = store.tokenBlock(run, block);
    const std::int64_t first = block * trace::kBlockTokens;
    const std::int64_t last = std::min(end, first + trace::kBlockTokens);
    for (std::int64_t token = strip.size(); token < last; ++token) {
      const auto at = static_cast<std::size_t>(token - first);
      const bool known = rows && !rows->damaged && at < rows->ids.size();
      const std::int32_t id = known ? rows->ids[at] : -1;
      strip.ids.push_back(id);
      if (!known) continue;
      if (rows->phases[at] == static_cast<std::uint8_t>(trace::Phase::Prefill))
        strip.promptTokens = token + 1;
      if (!strip.texts->contains(id)) strip.texts->emplace(id, figure::tokenText(store.tokenBytes(run, id)));
    }
  }
  strip.breaks.clear();
  for (const trace::SequenceRecord& sequence : store.sequences(run)) {
    if (sequence.firstToken > 0 || !sequence.labels.empty())
      strip.breaks.emplace(sequence.firstToken, labelOf(sequence));
  }
  if (record && record->kind == trace::RunKind::Generate) {
    const auto sequences = store.sequences(run);
    if (sequences.size() == 1) strip.promptTokens = std::min(end, sequences.front().promptLength);
  }
  return strip;
}

}  // namespace moescope::views
