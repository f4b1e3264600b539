// Metrics of a series from tables written by hand, and the figures of them.
#include <QTest>

#include <cmath>

#include "core/analysis/series_metrics.h"
#include "core/figure/series_figures.h"

using namespace moescope;
using namespace moescope::figure;
using analysis::ResultTable;
using analysis::SeriesMetrics;

namespace {

using I = std::int64_t;

/// Steps 0, 100, 20 000 of a model with layers 1 and 4; metrics cv (with intervals) and loss (mean only).
SeriesMetrics series() {
  SeriesMetrics out;
  out.name = "Training";
  out.layers = {1, 4};
  out.checkpoints = {{11, "step 0", 0, 0}, {12, "step 100", 100, 5}, {13, "step 20000", 20000, 9}};
  const ResultTable layers{
      "layers",
      "",
      {{"run", ""}, {"checkpoint", ""}, {"layer", ""}, {"cv", ""}, {"cv_low", ""}, {"cv_high", ""}},
      {{I{11}, std::string("a"), I{1}, 0.5, 0.4, 0.6},
       {I{11}, std::string("a"), I{4}, 0.7, 0.6, 0.8},
       {I{12}, std::string("b"), I{1}, 0.9, 0.8, 1.0},
       {I{12}, std::string("b"), I{4}, 1.1, 1.0, 1.2},
       {I{13}, std::string("c"), I{1}, 0.1, 0.05, 0.15},
       {I{99}, std::string("?"), I{1}, 7.0, 7.0, 7.0}}};
  takeMetrics(out, layers);
  const ResultTable means{
      "series", "", {{"run", ""}, {"loss", "nat"}}, {{I{11}, 8.5}, {I{12}, 4.0}, {I{13}, 3.0}}};
  takeMetrics(out, means);
  fillMeans(out);
  return out;
}

}  // namespace

class TestSeriesFigures : public QObject {
  Q_OBJECT

 private Q_SLOTS:
  void tables_become_metrics() {
    const SeriesMetrics s = series();
    QCOMPARE(s.metrics.size(), std::size_t{2});
    const auto* cv = s.metric("cv");
    QVERIFY(cv != nullptr);
    QCOMPARE(cv->values[s.at(1, 2)], 1.1);
    QCOMPARE(cv->low[s.at(1, 2)], 1.0);
    QCOMPARE(cv->values[s.at(0, 0)], 0.6);        // the mean of 0.5 and 0.7
    QVERIFY(std::isnan(cv->values[s.at(2, 2)]));  // layer 4 is missing at the last checkpoint
    QVERIFY(std::isnan(cv->values[s.at(2, 0)]));  // so is the mean
    QCOMPARE(s.metric("loss")->values[s.at(1, 0)], 4.0);
    QCOMPARE(s.metric("loss")->unit, std::string("nat per token"));
  }

  void rows_are_chosen_by_a_column() {
    SeriesMetrics s = series();
    const ResultTable agreement{
        "agreement",
        "",
        {{"run", ""}, {"layer", ""}, {"against", ""}, {"overlap", ""}, {"chance", ""}},
        {{I{12}, I{1}, std::string("last"), 0.6, 0.125}, {I{12}, I{1}, std::string("previous"), 0.3, 0.125}}};
    takeMetric(s, agreement,
               {.column = "overlap",
                .id = "saturation",
                .where = "against",
                .whereIs = "last",
                .baseline = "chance",
                .baselineName = "chance"});
    const auto* saturation = s.metric("saturation");
    QVERIFY(saturation != nullptr);
    QCOMPARE(saturation->values[s.at(1, 1)], 0.6);
    QCOMPARE(saturation->baseline.value_or(0.0), 0.125);
  }

  void a_plane_goes_through_the_checkpoints() {
    const SeriesMetrics s = series();
    const auto spec = seriesPlaneFigure({&s, 1}, "cv", "loss", {});
    QVERIFY(spec);
    QCOMPARE(spec->lines.size(), std::size_t{1});
    QCOMPARE(spec->lines[0].x[1], 1.0);
    QCOMPARE(spec->lines[0].y, (std::vector<double>{8.5, 4.0, 3.0}));
    QVERIFY(spec->lines[0].arrows);
    QCOMPARE(spec->lines[0].labels.front(), std::string("0"));
    QCOMPARE(spec->lines[0].labels.back(), std::string("20 k"));
    QVERIFY(spec->x.min < 0.6 && spec->x.max > 1.0);
  }

  void steps_are_logarithmic_with_zero_apart() {
    const SeriesMetrics s = series();
    const auto spec = seriesCourseFigure({&s, 1}, "cv", {.column = 1});
    QVERIFY(spec);
    QVERIFY(spec->x.kind == AxisKind::LogZero);
    QCOMPARE(spec->lines[0].x, (std::vector<double>{0.0, 100.0, 20000.0}));
    QCOMPARE(spec->lines[0].y, (std::vector<double>{0.5, 0.9, 0.1}));
    QCOMPARE(spec->lines[0].low, (std::vector<double>{0.4, 0.8, 0.05}));
    SeriesMetrics later = s;
    later.checkpoints[0].step = 10;
    QVERIFY(seriesCourseFigure({&later, 1}, "cv", {})->x.kind == AxisKind::Log10);
    later.checkpoints[1].step.reset();
    QVERIFY(seriesCourseFigure({&later, 1}, "cv", {})->x.kind == AxisKind::Linear);
  }

  void phases_are_bands_and_groups() {
    SeriesMetrics s = series();
    s.phases = {{"surge", 0, 100}};
    const auto spec = seriesCourseFigure({&s, 1}, "cv", {});
    QVERIFY(spec);
    QCOMPARE(spec->bands.size(), std::size_t{1});
    QCOMPARE(spec->bands[0].note, std::string("0–100"));
    QCOMPARE(spec->lines[0].groups, (std::vector<int>{0, 0, 3}));
    QVERIFY(seriesCourseFigure({&s, 1}, "cv", {.phases = false})->bands.empty());
  }

  void every_layer_has_its_panel() {
    const SeriesMetrics s = series();
    const auto spec = seriesLayersFigure(s, "cv", {});
    QVERIFY(spec);
    QCOMPARE(spec->panels.size(), std::size_t{2});
    QCOMPARE(spec->panels[1].heading, std::string("L4"));
    QCOMPARE(spec->panels[0].headingNote, std::string("peak at 100"));
    QVERIFY(spec->sharedX && spec->sharedY);
    QVERIFY(spec->y.max > 1.2);
  }

  void what_is_missing_is_said() {
    const SeriesMetrics s = series();
    QCOMPARE(seriesPlaneFigure({&s, 1}, "cv", "gini", {}).error().kind, std::string("figure.no_such_metric"));
    QCOMPARE(seriesCourseFigure({&s, 1}, "loss", {.column = 1}).error().kind,
             std::string("figure.not_recorded"));
    QCOMPARE(seriesCourseFigure({&s, 1}, "cv", {.column = 3}).error().kind,
             std::string("figure.no_such_layer"));
    QCOMPARE(seriesCourseFigure({}, "cv", {}).error().kind, std::string("figure.no_series"));
  }

  void steps_as_text() {
    QCOMPARE(stepText(64), std::string("64"));
    QCOMPARE(stepText(2067), std::string("2067"));
    QCOMPARE(stepText(5000), std::string("5 k"));
    QCOMPARE(stepText(1220000), std::string("1.2 M"));
  }
};

QTEST_APPLESS_MAIN(TestSeriesFigures)
#include "tst_series_figures.moc"
