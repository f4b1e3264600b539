// Figures of specialization and co-activation from results written by hand.
#include <QTest>

#include <cmath>
#include <limits>

#include "core/figure/co_activation_figures.h"
#include "core/figure/specialization_figures.h"

using namespace moescope;
using namespace moescope::figure;
using analysis::AnalysisResult;
using analysis::ResultMatrix;

namespace {

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

/// Two labels, three experts, k = 1 of M = 4 for a chance level of 0.25; "rare" has 900 tokens.
AnalysisResult labels() {
  AnalysisResult result;
  result.analysis = "specialization";
  result.sample = "run 1";
  ResultMatrix rates;
  rates.id = "rates_layer3";
  rates.rowNames = {"code", "law"};
  rates.columnNames = {"0", "1", "2"};
  rates.values = {0.1, 0.25, 0.5, 0.75, 0.2, kNan};
  rates.low = {0.05, 0.2, 0.4, 0.7, 0.1, kNan};
  rates.high = {0.15, 0.3, 0.6, 0.8, 0.24, kNan};
  rates.baseline = 0.25;
  ResultMatrix shares = rates;
  shares.id = "shares_layer3";
  shares.values = {0.2, 0.6, 1.0, 0.8, 0.4, 0.0};
  result.matrices = {rates, shares};
  result.tables.push_back(
      {"labels",
       "Labels",
       {{"label", ""}, {"tokens", "tokens"}},
       {{std::string("code"), std::int64_t{4096}}, {std::string("law"), std::int64_t{900}}}});
  result.tables.push_back(
      {"information",
       "",
       {{"layer", ""},
        {"mi_bits", "bits"},
        {"mi_basic_low", "bits"},
        {"mi_basic_high", "bits"},
        {"miller_madow_bits", "bits"},
        {"shuffled_max_bits", "bits"}},
       {{std::int64_t{3}, 0.5, -0.1, 0.6, 0.48, 0.02}, {std::int64_t{5}, 0.2, 0.1, 0.3, 0.19, 0.03}}});
  return result;
}

AnalysisResult pairs() {
  AnalysisResult result;
  ResultMatrix matrix;
  matrix.id = "co_activation_layer2";
  matrix.rowNames = matrix.columnNames = {"0", "1", "2"};
  matrix.values = {1.0, 0.5, 0.1, 0.6, 1.0, 0.2, 0.3, 0.4, 1.0};
  matrix.baseline = 1.0 / 3.0;
  result.matrices = {matrix};
  result.tables.push_back({"order",
                           "",
                           {{"layer", ""}, {"place", ""}, {"expert", ""}},
                           {{std::int64_t{2}, std::int64_t{0}, std::int64_t{2}},
                            {std::int64_t{2}, std::int64_t{1}, std::int64_t{0}},
                            {std::int64_t{2}, std::int64_t{2}, std::int64_t{1}}}});
  return result;
}

}  // namespace

class TestSpecializationFigures : public QObject {
  Q_OBJECT

 private Q_SLOTS:
  void experts_stand_by_label_then_rate() {
    const AnalysisResult result = labels();
    const ResultMatrix& rates = result.matrices[0];
    QCOMPARE(expertsInOrder(rates, ExpertOrder::Number), (std::vector<int>{0, 1, 2}));
    QCOMPARE(expertsInOrder(rates, ExpertOrder::Label), (std::vector<int>{2, 1, 0}));
  }

  void a_cell_is_its_rate_over_chance() {
    const auto spec = specializationFigure(labels(), LayerIndex{3}, {});
    QVERIFY(spec);
    QCOMPARE(spec->map->rows, 2);
    QCOMPARE(spec->map->columnNames, (std::vector<std::string>{"2", "1", "0"}));
    QCOMPARE(spec->map->values[0], 2.0);
    QCOMPARE(spec->map->values[2], 0.4);
    QVERIFY(std::isnan(spec->map->values[3]));
    // Only expert 1 of "code" has chance inside its interval; "law" is hatched as a whole.
    QCOMPARE(spec->map->indistinct, (std::vector<bool>{false, true, false, false, false, false}));
    QCOMPARE(spec->map->missingRows, std::vector<int>{1});
    QCOMPARE(spec->sideColumns.back().texts[1], std::string("900"));
  }

  void texts_of_a_label_are_what_is_resampled() {
    AnalysisResult result = labels();
    auto& table = result.tables[0];
    table.columns.push_back({"resampled", ""});
    table.rows[0].push_back(std::string("60 windows of 256 tokens of 5 texts"));
    table.rows[1].push_back(std::string("1 text"));
    const auto spec = specializationFigure(result, LayerIndex{3}, {});
    QVERIFY(spec);
    QCOMPARE(spec->sideColumns.size(), std::size_t{3});
    QCOMPARE(spec->sideColumns[2].heading, std::string("texts"));
    QCOMPARE(spec->sideColumns[2].texts, (std::vector<std::string>{"5", "1"}));
    // Labels of tokens have the texts of the run in common.
    result.parameters["labels"] = "positions:32";
    QCOMPARE(specializationFigure(result, LayerIndex{3}, {})->sideColumns.size(), std::size_t{2});
  }

  void shares_are_in_percent() {
    const auto spec = specializationFigure(
        labels(), LayerIndex{3}, {.value = SpecializationValue::Share, .order = ExpertOrder::Number});
    QVERIFY(spec);
    QCOMPARE(spec->map->values[1], 60.0);
    QCOMPARE(spec->map->colours.max, 100.0);
  }

  void information_has_intervals_and_the_shuffled_level() {
    const auto spec = labelInformationFigure(labels(), LayerIndex{5});
    QVERIFY(spec);
    QCOMPARE(spec->lines.size(), std::size_t{3});
    QCOMPARE(spec->lines[0].x, (std::vector<double>{0.5, 0.2}));
    QCOMPARE(spec->lines[0].xLow, (std::vector<double>{0.0, 0.1}));  // information is not negative
    QCOMPARE(spec->lines[2].x, (std::vector<double>{0.02, 0.03}));
    QCOMPARE(spec->bands.size(), std::size_t{1});
    QCOMPARE(spec->bands[0].low, 0.5);
  }

  void rates_of_one_expert_are_sorted() {
    const auto spec = expertRatesFigure(labels(), LayerIndex{3}, {0});
    QVERIFY(spec);
    QCOMPARE(spec->bars->names, (std::vector<std::string>{"law", "code"}));
    QCOMPARE(spec->bars->values, (std::vector<double>{75.0, 10.0}));
    QCOMPARE(spec->bars->high, (std::vector<double>{80.0, 15.0}));
    QCOMPARE(spec->references[0].value, 25.0);
  }

  void what_is_missing_is_said() {
    QCOMPARE(specializationFigure(labels(), LayerIndex{4}, {}).error().kind,
             std::string("figure.no_such_layer"));
    QCOMPARE(expertRatesFigure(labels(), LayerIndex{3}, {9}).error().kind, std::string("figure.bad_result"));
    QCOMPARE(labelInformationFigure({}, {}).error().kind, std::string("figure.bad_result"));
    QCOMPARE(coActivationFigure({}, LayerIndex{2}, PairOrder::Number).error().kind,
             std::string("figure.no_such_layer"));
  }

  void pairs_stand_in_clustering_order() {
    const auto spec = coActivationFigure(pairs(), LayerIndex{2}, PairOrder::Cluster);
    QVERIFY(spec);
    QCOMPARE(spec->map->rowNames, (std::vector<std::string>{"2", "0", "1"}));
    QVERIFY(std::isnan(spec->map->values[0]));
    QCOMPARE(spec->map->values[1], 30.0);  // from 2 to 0
    QCOMPARE(spec->map->values[3], 10.0);  // from 0 to 2
    QCOMPARE(spec->map->colours.max, 60.0);
  }

  void an_order_that_leaves_experts_out_is_not_used() {
    AnalysisResult result = pairs();
    result.tables[0].rows.pop_back();
    QCOMPARE(pairExperts(result, LayerIndex{2}, PairOrder::Cluster), (std::vector<int>{0, 1, 2}));
  }
};

QTEST_APPLESS_MAIN(TestSpecializationFigures)
#include "tst_specialization_figures.moc"
