// PairList: the strongest pairs of a layer as a table. Not for choosing which pairs are strong.
#pragma once

#include <QTableWidget>

#include <optional>
#include <utility>

#include "core/analysis/analysis_result.h"
#include "core/base/indices.h"

namespace moescope::co_activation {

/// "12.5 %".
QString percent(double share);

/// GUI thread only.
class PairList : public QTableWidget {
  Q_OBJECT

 public:
  using Pair = std::pair<int, int>;  ///< experts i, j

  explicit PairList(QWidget* parent = nullptr);

  /// The pairs of the layer in the table `pairs` of the result.
  void setPairs(const analysis::AnalysisResult& result, const RouterKey& router);
  /// Selects the row of the pair, or none; tells nobody.
  void mark(const std::optional<Pair>& pair);

 Q_SIGNALS:
  void chosen(int from, int to);

 private:
  [[nodiscard]] Pair pairAt(int row) const;
};

}  // namespace moescope::co_activation
