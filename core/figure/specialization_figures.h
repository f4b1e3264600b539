// Figures of what experts specialise in: labels and experts of a layer, what a layer tells about the label,
// and one expert's rate by label. Not for computing them: they read the result of the analysis
// `specialization`.
#pragma once

#include <cstdint>
#include <optional>

#include "core/analysis/analysis_result.h"
#include "core/base/indices.h"
#include "core/figure/figure_spec.h"

namespace moescope::figure {

enum class SpecializationValue : std::uint8_t {
  RateRatio,  ///< choices per token of the label over chance, logarithmic
  Rate,       ///< choices per token of the label, %
  Share,      ///< part of the expert's choices that come from the label, %
};
enum class ExpertOrder : std::uint8_t {
  Number,
  Label,  ///< by the label that chooses the expert most, then by that rate
};

/// Rows with fewer tokens say little and are hatched (ui.md, Specialization).
inline constexpr std::int64_t kFewLabelTokens = 1000;

struct SpecializationFigureOptions {
  SpecializationValue value = SpecializationValue::RateRatio;
  ExpertOrder order = ExpertOrder::Label;
  bool greyIndistinct = true;  ///< cells whose 95 % interval includes chance
};

// All errors: `figure.no_such_layer` (the result does not have the layer), `figure.bad_result`.

/// Labels x experts of one layer, with tokens behind each row.
Result<FigureSpec> specializationFigure(const analysis::AnalysisResult& result, const RouterKey& router,
                                        const SpecializationFigureOptions& options);
/// The experts of the columns of that figure, left to right.
std::vector<int> expertsInOrder(const analysis::ResultMatrix& rates, ExpertOrder order);
/// Mutual information of expert and label, layer by layer, with intervals and the level of shuffled labels.
Result<FigureSpec> labelInformationFigure(const analysis::AnalysisResult& result,
                                          const std::optional<RouterKey>& selected);
/// How far the input token, the next and the predicted one tell the expert, layer by layer, beside shuffled
/// ids. Reads the result of the analysis `vocabulary`.
Result<FigureSpec> vocabularyFigure(const analysis::AnalysisResult& result);
/// How often the tokens of each label choose one expert, with intervals and the chance line.
Result<FigureSpec> expertRatesFigure(const analysis::AnalysisResult& result, const RouterKey& router,
                                     ExpertIndex expert);

/// The matrix `name`_layerN of a result, `name`_layerN_attention of attention routers; or null.
const analysis::ResultMatrix* layerMatrix(const analysis::AnalysisResult& result, std::string_view name,
                                          const RouterKey& router);
/// The router of a row: its columns `layer` and `kind`.
RouterKey routerAt(const analysis::ResultTable& table, std::size_t row);

}  // namespace moescope::figure
