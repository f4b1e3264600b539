#include "core/analysis/text_choices.h"

#include <algorithm>
#include <numeric>
#include <random>

namespace moescope::analysis {

namespace {

bool hasChoice(std::span<const std::uint16_t> row) {
  return std::ranges::any_of(row, [](std::uint16_t id) { return id != trace::kEmptySlot; });
}

/// Appends rows of one text and starts a new piece after a gap. Blocks may differ in width (steering changes
/// k): a piece is as wide as its widest row.
class PieceWriter {
 public:
  PieceWriter(std::vector<TextChoices>& out, int text) : m_out(out), m_text(text) {}

  void add(std::int64_t token, std::span<const std::uint16_t> row) {
    if (!hasChoice(row)) return;
    const int width = static_cast<int>(row.size());
    if (token != m_next) m_out.push_back({m_text, width, {}});
    TextChoices& piece = m_out.back();
    if (width > piece.width) widen(piece, width);
    piece.ids.insert(piece.ids.end(), row.begin(), row.end());
    piece.ids.resize(piece.ids.size() + static_cast<std::size_t>(piece.width - width), trace::kEmptySlot);
    m_next = token + 1;
  }

 private:
  static void widen(TextChoices& piece, int width) {
    TextChoices wide{piece.text, width, {}};
    for (int token = 0; token < piece.tokens(); ++token) {
      const auto row = piece.row(token);
      wide.ids.insert(wide.ids.end(), row.begin(), row.end());
      wide.ids.resize(wide.ids.size() + static_cast<std::size_t>(width - piece.width), trace::kEmptySlot);
    }
    piece = std::move(wide);
  }

  std::vector<TextChoices>& m_out;
  int m_text;
  std::int64_t m_next = -1;
};

}  // namespace

Result<std::vector<TextChoices>> textChoices(const trace::TraceStore& store, trace::RunId run, int router,
                                             std::span<const trace::SequenceRecord> sequences,
                                             std::stop_token stop) {
  std::vector<TextChoices> out;
  for (std::size_t s = 0; s < sequences.size(); ++s) {
    PieceWriter writer(out, static_cast<int>(s));
    const trace::TokenRange range{sequences[s].firstToken, sequences[s].firstToken + sequences[s].length};
    const auto visited =
        forEachRoutedBlock(store, run, router, range, {}, stop, [&](const RoutedBlock& block) {
          for (int row = block.begin; row < block.end; ++row) writer.add(block.first + row, block.ids(row));
        });
    if (!visited) return fail(visited.error());
  }
  return out;
}

std::vector<trace::SequenceRecord> spreadTexts(std::span<const trace::SequenceRecord> sequences,
                                               std::int64_t mostTokens) {
  std::int64_t tokens = 0;
  for (const auto& sequence : sequences) tokens += sequence.length;
  const auto step = static_cast<std::size_t>(std::max<std::int64_t>(
      1, (tokens + std::max<std::int64_t>(mostTokens, 1) - 1) / std::max<std::int64_t>(mostTokens, 1)));
  std::vector<trace::SequenceRecord> out;
  for (std::size_t s = 0; s < sequences.size(); s += step) out.push_back(sequences[s]);
  return out;
}

std::vector<TextChoices> randomChoices(std::span<const TextChoices> like, int experts, int topK,
                                       std::int64_t mostTokens, std::uint64_t seed) {
  std::mt19937_64 random(seed);
  std::vector<std::uint16_t> deck(static_cast<std::size_t>(experts));
  std::iota(deck.begin(), deck.end(), std::uint16_t{0});
  const int k = std::min(topK, experts);
  std::vector<TextChoices> out;
  for (const TextChoices& piece : like) {
    mostTokens -= piece.tokens();
    if (mostTokens < 0 && !out.empty()) break;
    TextChoices drawn{piece.text, k, {}};
    for (int token = 0; token < piece.tokens(); ++token) {
      for (int slot = 0; slot < k; ++slot) {  // Fisher and Yates, the first k places
        const auto left = static_cast<std::uint64_t>(experts - slot);
        std::swap(deck[static_cast<std::size_t>(slot)],
                  deck[static_cast<std::size_t>(slot) + static_cast<std::size_t>(random() % left)]);
        drawn.ids.push_back(deck[static_cast<std::size_t>(slot)]);
      }
    }
    out.push_back(std::move(drawn));
  }
  return out;
}

}  // namespace moescope::analysis
