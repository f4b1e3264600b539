// The bars of the expert load panel: lengths, marks, labels and selection against counts that are made here.
#include "tests/canvas/expert_load_bench.h"
#include "tests/support/gui_test.h"
#include "views/panels/expert_load/load_bars_canvas.h"

namespace moescope::views {

class TestExpertLoadBars : public QObject {
  Q_OBJECT

 private Q_SLOTS:
  void initTestCase() {
    m_recorded = recorded();
    m_end = m_recorded->store->run(m_recorded->id)->routedTokens;
  }

  void barsAreTheCounts() {
    const auto counts = countsOf(m_recorded->run, 0, m_end);
    const double slots = static_cast<double>(std::accumulate(counts.begin(), counts.end(), std::int64_t{0}));
    LoadBarsCanvas canvas;
    canvas.setPicture(pictureOf(*m_recorded->store, requestOf(*m_recorded)));
    RecordingPainter painter;
    canvas.build(kArea, painter);
    QVERIFY(painter.balanced());

    // The line at uniform gives the scale: 1 is (bottom - line) pixels.
    const Rect region = painter.find("expert 0").value();
    const auto uniform = uniformLine(painter);
    const float bottom = region.y + region.height - 3.0F;  // the region goes on below the axis
    const float unit = bottom - uniform.y;
    std::vector<std::pair<float, std::int32_t>> places;
    for (std::int32_t expert = 0; expert < 64; ++expert) {
      const Rect hit = painter.find("expert " + std::to_string(expert)).value();
      const auto bar = barIn(painter, hit, bottom);
      const double expected = static_cast<double>(counts[static_cast<std::size_t>(expert)]) * 64 / slots;
      QVERIFY2(std::abs(bar.rect.height - expected * unit) < 0.02 * unit, std::to_string(expert).c_str());
      const bool steered = expert == kBoosted || expert == kBanned;
      QVERIFY(bar.colour == Theme::current().paint(steered ? ColourRole::Accent : ColourRole::Text2));
      places.emplace_back(hit.x, expert);
    }
    std::ranges::sort(places);
    for (std::size_t i = 1; i < places.size(); ++i) {
      QVERIFY(counts[static_cast<std::size_t>(places[i - 1].second)] >=
              counts[static_cast<std::size_t>(places[i].second)]);
    }
    const auto peak = static_cast<std::size_t>(places.front().second);
    const QString label =
        QStringLiteral("E%1 %2×").arg(peak).arg(static_cast<double>(counts[peak]) * 64 / slots, 0, 'f', 2);
    QVERIFY2(painter.hasText(label.toStdString()), qPrintable(label));
    QVERIFY(painter.hasText("64 experts, sorted by load"));
    QVERIFY(painter.hasText("uniform 1.56\u2009%"));
  }

  void windows() {
    const auto lastOf = [&](LoadWindow window, trace::TokenRange selection = {}) {
      auto request = requestOf(*m_recorded, window);
      request.selection = selection;
      return loadPicture(*m_recorded->store, request);
    };
    const auto last = lastOf({LoadWindow::Kind::Last, 128});
    QVERIFY(last->load.counts == countsOf(m_recorded->run, m_end - 128, m_end));
    const auto chosen = lastOf({LoadWindow::Kind::Selection, 0}, {37, 120});
    QVERIFY(chosen->load.counts == countsOf(m_recorded->run, 37, 120));
    QVERIFY(chosen->tokens == (trace::TokenRange{37, 120}));
    // Before the rules: nothing was steered there.
    QVERIFY(chosen->marks.empty());
    const auto none = lastOf({LoadWindow::Kind::Selection, 0});
    QVERIFY(!none);
    QCOMPARE(none.error().kind, std::string("figure.no_routing"));
    QVERIFY(rowsOf({LoadWindow::Kind::Last, 500}, 100, {}) == (trace::TokenRange{0, 100}));
  }

  void rulesOfALiveRunMarkAtOnce() {
    auto request = requestOf(*m_recorded);
    steering::SteeringProgram program;
    program.rules.push_back(steering::pinRule(program, {kLayer, ExpertIndex{3}}));
    request.liveProgram = program;
    const auto picture = pictureOf(*m_recorded->store, request);
    QCOMPARE(picture->marks.size(), std::size_t{1});
    QVERIFY(picture->marks.at(3) == figure::CellMark::Pinned);
    for (std::size_t i = 0; i < picture->experts.size(); ++i) {
      QCOMPARE(bool(picture->bars.bars->highlighted[i]), picture->experts[i] == 3);
    }
  }

  void toolTipNamesTheNumbers() {
    const auto picture = pictureOf(*m_recorded->store, requestOf(*m_recorded));
    const auto counts = countsOf(m_recorded->run, 0, m_end);
    LoadBarsCanvas canvas;
    canvas.setPicture(picture);
    RecordingPainter painter;
    canvas.build(kArea, painter);
    const auto tip = canvas.toolTip(eventAt(painter, "expert 41"));
    QVERIFY(tip.has_value());
    QCOMPARE(tip->heading, QStringLiteral("Layer 3 · expert 41"));
    QCOMPARE(tip->tag, QStringLiteral("boosted"));
    QCOMPARE(tip->rows[1].value, QStringLiteral("%1 of %2 tokens").arg(counts[41]).arg(picture->load.tokens));
    QVERIFY(!canvas.toolTip({}).has_value());
  }

  void clickAndKeysSelect() {
    LoadBarsCanvas canvas;
    canvas.setPicture(pictureOf(*m_recorded->store, requestOf(*m_recorded)));
    RecordingPainter painter;
    canvas.build(kArea, painter);
    std::set<ExpertCell> selected;
    connect(&canvas, &LoadBarsCanvas::selected, &canvas, [&](const std::set<ExpertCell>& cells) {
      selected = cells;
      canvas.setSelected(cells);
    });
    const auto cell = [](std::int32_t expert) { return ExpertCell{kLayer, ExpertIndex{expert}}; };
    canvas.press(eventAt(painter, "expert 41"));
    QVERIFY(selected == std::set<ExpertCell>{cell(41)});
    auto added = eventAt(painter, "expert 7");
    added.modifiers = Qt::ControlModifier;
    canvas.press(added);
    QVERIFY(selected == (std::set<ExpertCell>{cell(41), cell(7)}));

    painter.clear();
    canvas.build(kArea, painter);
    // Each selected bar has an outline of ink around it, and no other bar has one.
    const auto ink = Theme::current().paint(ColourRole::Ink);
    std::vector<Rect> outlines;
    for (const auto& command : painter.ofKind(Kind::StrokeRect)) {
      if (command.colour == ink) outlines.push_back(command.rect);
    }
    QCOMPARE(outlines.size(), std::size_t{2});
    for (const char* region : {"expert 41", "expert 7"}) {
      const Rect hit = painter.find(region).value();
      QVERIFY2(std::ranges::any_of(outlines,
                                   [&](Rect outline) {
                                     return outline.x <= hit.x && outline.x + outline.width >= hit.x + 1.0F;
                                   }),
               region);
    }

    const auto press = [&](int key) { return canvas.key(QKeyEvent(QEvent::KeyPress, key, Qt::NoModifier)); };
    QVERIFY(press(Qt::Key_Home));
    const auto first = selected;
    QCOMPARE(first.size(), std::size_t{1});
    QVERIFY(canvas.cursorText().startsWith(QStringLiteral("Layer 3, expert ")));
    QVERIFY(press(Qt::Key_Right));
    QVERIFY(selected != first);
    QVERIFY(press(Qt::Key_Left));
    QVERIFY(selected == first);
    QVERIFY(!press(Qt::Key_X));
  }

 private:
  /// The 1 px line in the colour of text that crosses the frame.
  static Rect uniformLine(const RecordingPainter& painter) {
    for (const auto& command : painter.ofKind(Kind::FillRect)) {
      if (command.colour == Theme::current().paint(ColourRole::Text) && command.rect.height == 1.0F)
        return command.rect;
    }
    return {};
  }

  /// The bar that stands on the axis under a hit region.
  static PaintCommand barIn(const RecordingPainter& painter, Rect hit, float bottom) {
    PaintCommand found;
    float nearest = 2.0F;
    for (const auto& command : painter.ofKind(Kind::FillRect)) {
      const bool onAxis = std::abs(command.rect.y + command.rect.height - bottom) < 0.01F;
      const float away = std::abs(command.rect.x - hit.x);
      if (!onAxis || command.rect.width > 10.0F || away >= nearest) continue;
      nearest = away;
      found = command;
    }
    return found;
  }

  std::unique_ptr<Recorded> m_recorded;
  std::int64_t m_end = 0;
};

}  // namespace moescope::views

MOESCOPE_GUI_TEST_MAIN(moescope::views::TestExpertLoadBars)
#include "tst_expert_load_bars.moc"
