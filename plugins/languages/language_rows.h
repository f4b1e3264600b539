// LanguageRows: what each text of a run says about one router, as rows by text.
// Not for the formulas over them (core/analysis).
#pragma once

#include <span>
#include <stop_token>
#include <vector>

#include "core/analysis/bootstrap.h"
#include "core/analysis/language_divergence.h"
#include "core/analysis/text_labels.h"

namespace moescope::languages {

/// Sums of every text at one router, as recorded at every capture level.
struct LanguageRows {
  analysis::TextRows probabilities;  ///< [texts] mean router probabilities; NaN where not recorded
  analysis::TextRows rates;          ///< [texts] choices per token; NaN for a text without a routed token
  std::vector<double> tokens;        ///< [texts] with a decision
  std::vector<double>
      entropies;  ///< [texts] mean entropy of a token's probabilities, nat; NaN if not recorded
};
/// Rows of a text without statistics are NaN. Errors: `cancelled`.
Result<LanguageRows> languageRows(const trace::TraceStore& store, const analysis::AnalysedRun& run,
                                  int router, std::stop_token stop);

template <class Row>
std::vector<Row> chosen(const std::vector<Row>& rows, const std::vector<int>& texts) {
  std::vector<Row> out;
  out.reserve(texts.size());
  for (const int text : texts) out.push_back(rows[static_cast<std::size_t>(text)]);
  return out;
}

/// Draws of the texts of one label. Each label is drawn by itself.
class LabelDraws {
 public:
  LabelDraws(const std::vector<trace::SequenceRecord>& sequences, const std::vector<int>& texts, int draws,
             std::uint64_t seed);
  [[nodiscard]] int draws() const { return m_draws.draws(); }
  [[nodiscard]] const analysis::ResamplingUnits& units() const { return m_units; }
  /// [texts of the label] how often each is in the draw.
  [[nodiscard]] std::vector<std::uint16_t> times(int draw) const;

 private:
  analysis::ResamplingUnits m_units;
  analysis::TextDraws m_draws;
};

/// Draws of every label. Seeds differ between labels.
std::vector<LabelDraws> labelDraws(const analysis::AnalysedRun& run, const analysis::TextLabels& labels,
                                   int draws, std::uint64_t seed);
/// "95 % (...), bootstrap of 1000 over texts, each label by itself", or why there is none.
std::string labelIntervalText(const std::vector<LabelDraws>& draws, std::string_view kind);
/// A note for each label whose windows are drawn because it has few texts.
void addFewTextNotes(const analysis::TextLabels& labels, const std::vector<LabelDraws>& draws,
                     std::vector<std::string>& notes);

}  // namespace moescope::languages
