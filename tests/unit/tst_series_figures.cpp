// Metrics of a series from tables written by hand, and the figures of them.
#include <QTest>

#include <algorithm>
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
  }

  void a_step_that_is_not_known_makes_every_x_a_place() {
    const std::vector<double> places{0.0, 1.0, 2.0};
    SeriesMetrics unknown = series();
    unknown.checkpoints[1].step.reset();
    unknown.phases = {{.name = "surge", .firstStep = 0, .lastStep = 20000}};
    const auto alone = seriesCourseFigure({&unknown, 1}, "cv", {.column = 1});
    QVERIFY(alone && alone->x.kind == AxisKind::Linear);
    QCOMPARE(alone->x.label, std::string("Checkpoint"));
    QCOMPARE(alone->lines[0].x, places);
    QVERIFY(alone->bands.empty());  // phases lie on steps
    QCOMPARE(seriesLayersFigure(unknown, "cv", {})->panels[0].lines[1].x, places);
    // One that knows its steps is drawn on the axis they share.
    const std::vector<SeriesMetrics> both{series(), unknown};
    const auto overlaid = seriesCourseFigure(both, "cv", {.column = 1});
    QVERIFY(overlaid && overlaid->x.max == 2.5);
    for (const Line& line : overlaid->lines) QCOMPARE(line.x, places);
    // Nothing trained yet: no logarithm of 0.
    SeriesMetrics untrained = series();
    for (auto& checkpoint : untrained.checkpoints) checkpoint.step = 0;
    QCOMPARE(seriesCourseFigure({&untrained, 1}, "cv", {.column = 1})->lines[0].x, places);
  }

  void metrics_are_named_and_sorted() {
    SeriesMetrics s = series();
    const ResultTable more{"series",
                           "",
                           {{"run", ""}, {"gamma", "nat"}, {"peak_factor", ""}, {"new_metric", ""}},
                           {{I{11}, 3.0, 1.5, 7.0}}};
    takeMetrics(s, more);
    sortMetrics(s);
    std::vector<std::string> ids;
    for (const auto& metric : s.metrics) ids.push_back(metric.id);
    QCOMPARE(ids, (std::vector<std::string>{"loss", "cv", "peak_factor", "gamma", "new_metric"}));
    QCOMPARE(s.metric("peak_factor")->label, std::string("Peak load factor B₀ (a)"));
    QCOMPARE(s.metric("new_metric")->label, std::string("New metric"));
    QCOMPARE(s.metric("gamma")->unit, std::string("nat"));
    QCOMPARE(titleOf(*s.metric("gamma")), std::string("Congestion fit (R1): Congestion coefficient γ"));
    QCOMPARE(titleOf(*s.metric("cv")), std::string("CV"));
  }

  void a_level_is_a_second_line() {
    SeriesMetrics s = series();
    const ResultTable information{"information",
                                  "",
                                  {{"run", ""}, {"mi", "bits"}, {"shuffled", "bits"}},
                                  {{I{11}, 0.1, 0.05}, {I{12}, 0.4, 0.04}, {I{13}, 0.6, 0.03}}};
    takeMetric(s, information, {.column = "mi", .id = "mutual_information"});
    takeMetric(s, information, {.column = "shuffled", .id = "mutual_information_shuffled"});
    const auto spec = seriesCourseFigure({&s, 1}, "mutual_information", {});
    QVERIFY(spec);
    QCOMPARE(spec->lines.size(), std::size_t{2});
    QCOMPARE(spec->lines[1].name, std::string("labels shuffled"));
    QCOMPARE(spec->lines[1].y, (std::vector<double>{0.05, 0.04, 0.03}));
    QVERIFY(spec->y.min <= 0.03);
    const SeriesMetrics two[] = {s, s};
    QCOMPARE(seriesCourseFigure(two, "mutual_information", {})->lines.size(), std::size_t{2});
  }

  void fits_on_a_boundary_are_open() {
    SeriesMetrics s = series();
    auto* cv = &*std::ranges::find(s.metrics, "cv", &analysis::SeriesMetric::id);
    cv->boundary.assign(cv->values.size(), 0.0);
    cv->boundary[s.at(0, 0)] = 0.5;
    cv->boundary[s.at(1, 0)] = 0.25;  // a quarter is not more than a quarter
    cv->boundary[s.at(2, 2)] = 1.0;
    const auto spec = seriesCourseFigure({&s, 1}, "cv", {});
    QCOMPARE(spec->lines[0].groups, (std::vector<int>{1, 0, 0}));
    QVERIFY(spec->groups[1].marker == Marker::Ring);
    QVERIFY(spec->groups[1].name.find("boundary") != std::string::npos);
    QCOMPARE(seriesPlaneFigure({&s, 1}, "cv", "loss", {})->lines[0].groups, (std::vector<int>{1, 0, 0}));
    QVERIFY(seriesCourseFigure({&s, 1}, "loss", {})->groups.empty());
    QVERIFY(seriesCourseFigure({&s, 1}, "cv", {.column = 1})->groups.empty());
    // With phases a ring means something else.
    s.phases = {{"surge", 0, 100}};
    const auto both = seriesCourseFigure({&s, 1}, "cv", {});
    QCOMPARE(both->lines[0].groups, (std::vector<int>{4, 0, 3}));
    QVERIFY(both->groups[4].marker == Marker::Cross);
  }

  void a_selected_run_has_a_ring_in_its_series() {
    const SeriesMetrics first = series();
    SeriesMetrics second = series();
    second.name = "Again";
    for (auto& checkpoint : second.checkpoints) checkpoint.run += 100;
    const SeriesMetrics both[] = {first, second};
    const auto spec = seriesPlaneFigure(both, "cv", "loss", {.ringed = 112});
    QCOMPARE(spec->lines[0].ringed, -1);
    QCOMPARE(spec->lines[1].ringed, 1);
    QCOMPARE(seriesPlaneFigure(both, "cv", "loss", {})->lines[0].ringed, -1);
  }

  void a_series_without_the_metric_keeps_its_place() {
    const SeriesMetrics whole = series();
    SeriesMetrics part = series();
    part.name = "Part";
    std::erase_if(part.metrics, [](const auto& metric) { return metric.id == "loss"; });
    const SeriesMetrics both[] = {part, whole};
    const auto plane = seriesPlaneFigure(both, "cv", "loss", {});
    QVERIFY(plane);
    QVERIFY(plane->lines[0].x.empty());
    QCOMPARE(plane->lines[0].name, std::string("Part (not recorded)"));
    QCOMPARE(plane->lines[1].y, (std::vector<double>{8.5, 4.0, 3.0}));
    QCOMPARE(seriesCourseFigure(both, "loss", {})->lines[1].y, (std::vector<double>{8.5, 4.0, 3.0}));
    QCOMPARE(seriesCourseFigure({&part, 1}, "loss", {}).error().kind, std::string("figure.no_such_metric"));
  }

  void the_peak_of_a_layer_is_named() {
    const SeriesMetrics s = series();
    const auto spec = seriesLayersFigure(s, "cv", {});
    QCOMPARE(spec->panels[0].headingNote, std::string("peak 0.900 at 100"));
    QCOMPARE(spec->panels[1].headingNote, std::string("peak 1.10 at 100"));
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
    QCOMPARE(spec->panels[0].headingNote, std::string("peak 0.900 at 100"));
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
