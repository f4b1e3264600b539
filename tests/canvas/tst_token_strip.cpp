// The token strip: texts and breaks as recorded, values counted one by one, lines without gaps, selection by
// mouse and keys.
#include <cmath>

#include "core/base/half.h"
#include "core/engine/generation/live_session.h"
#include "core/figure/colour_map.h"
#include "tests/support/gui_test.h"
#include "tests/support/recording_painter.h"
#include "tests/support/routing_trace.h"
#include "views/api/canvas_widget.h"
#include "views/api/selection_model.h"
#include "views/api/text_contrast.h"
#include "views/api/view_context.h"
#include "views/panels/token_strip/token_strip_panel.h"

namespace moescope::views {

namespace {

struct Shown {
  QTemporaryDir folder;
  std::shared_ptr<trace::TraceStore> store =
      trace::TraceStore::create((folder.path() + "/run.moescope").toStdString()).value();
  std::unique_ptr<trace::RoutingTrace> run;
  ViewContext context{std::make_shared<engine::LiveSession>()};
  std::unique_ptr<TokenStripPanel> panel;
  RecordingPainter painter;

  explicit Shown(int tokens) {
    run = std::make_unique<trace::RoutingTrace>(*store, trace::RoutingTrace::Shape{});
    run->append(tokens);
    context.setStore(store);
    context.selection().setRun(run->run());
    panel = std::make_unique<TokenStripPanel>(context);
    settle();
  }
  void draw() {
    painter.clear();
    panel->canvas().build({0, 0, 600, 130}, painter);
  }
  /// Frames and answers until nothing changes any more.
  void settle() {
    for (int i = 0; i < 3; ++i) {
      draw();
      QCoreApplication::processEvents();
      QVERIFY(QTest::qWaitFor([this] { return panel->idle(); }));
    }
    draw();
  }
  CanvasEvent at(const std::string& id, Qt::MouseButton button = Qt::NoButton,
                 Qt::KeyboardModifiers modifiers = {}) {
    const auto rect = painter.find(id);
    if (!rect) qFatal("no region %s", id.c_str());
    CanvasEvent event;
    event.at = {rect->x + rect->width / 2, rect->y + rect->height / 2};
    event.region = id;
    event.button = button;
    event.buttons = button;
    event.modifiers = modifiers;
    return event;
  }
  void click(const std::string& id, Qt::KeyboardModifiers modifiers = {}) {
    panel->canvas().press(at(id, Qt::LeftButton, modifiers));
    panel->canvas().release(at(id, Qt::LeftButton, modifiers));
  }
  bool key(int code, Qt::KeyboardModifiers modifiers = {}) {
    const bool used = panel->canvas().key(QKeyEvent(QEvent::KeyPress, code, modifiers));
    settle();
    return used;
  }
  Colour groundOf(const std::string& id) {
    const Rect box = *painter.find(id);
    for (const PaintCommand& command : painter.ofKind(PaintCommand::Kind::FillRect)) {
      if (command.rect.x == box.x && command.rect.y == box.y && command.rect.width == box.width)
        return command.colour;
    }
    return {};
  }
};

StripText textOf(std::initializer_list<int> ids) {
  StripText text;
  text.texts = std::make_shared<std::unordered_map<std::int32_t, std::string>>();
  for (const int id : ids) {
    text.ids.push_back(id);
    text.texts->emplace(id, std::string(static_cast<std::size_t>(id), 'x'));
  }
  return text;
}

}  // namespace

class TestTokenStrip : public QObject {
  Q_OBJECT

 private Q_SLOTS:
  void showsTextAsRecorded() {
    Shown shown(60);
    QCOMPARE(shown.panel->counts(), QStringLiteral("12 prompt + 48 generated tokens"));
    const StripText& text = *shown.panel->canvas().text();
    QCOMPARE(text.size(), 60);
    for (std::int64_t token = 0; token < 60; ++token) {
      const std::string bytes =
          trace::RoutingTrace::text(shown.run->tokens()[static_cast<std::size_t>(token)].id);
      if (bytes == "\n") QCOMPARE(text.text(token), std::string("↵"));
      if (bytes == "\t") QCOMPARE(text.text(token), std::string("→"));
      if (bytes == " \xE2") QCOMPARE(text.text(token), std::string("·‹E2›"));
      if (bytes == " beam") QCOMPARE(text.text(token), std::string("·beam"));
      if (bytes == "phere") QCOMPARE(text.text(token), std::string("phere"));
    }
    QVERIFY(shown.painter.balanced());
  }

  void wrapsWithoutLosingTokens() {
    StripLayout layout;
    StripText text = textOf({3, 4, 5, 30, 2, 2, 2, 90, 1});
    const auto measure = [](const std::string& s) { return 7.0F * static_cast<float>(s.size()); };
    layout.update(text, 120.0F, measure);
    std::int64_t next = 0;
    for (std::int64_t line = 0; line < layout.lines(); ++line) {
      float end = -StripLayout::kGap;
      for (const auto& box : layout.boxes(line)) {
        QCOMPARE(box.token, next++);
        QCOMPARE(box.left, end + StripLayout::kGap);
        QVERIFY(box.left + box.width <= 120.0F);
        QCOMPARE(layout.lineOf(box.token), line);
        end = box.left + box.width;
      }
    }
    QCOMPARE(next, 9);
    // What came before stays where it is.
    const auto before = layout.boxOf(5);
    text.ids.push_back(4);
    layout.update(text, 120.0F, measure);
    QCOMPARE(layout.boxOf(5)->left, before->left);
    QCOMPARE(layout.tokens(), 10);
    text.breaks.emplace(4, "de");
    layout.reset();
    layout.update(text, 120.0F, measure);
    const std::int64_t line = layout.lineOf(4);
    QCOMPARE(layout.labelOf(line), std::string("de"));
    QCOMPARE(layout.tokensOf(line).begin, 4);
    QVERIFY(layout.boxOf(4)->left > 14.0F);
  }

  void coloursAreTheRecordedValues() {
    Shown shown(60);
    shown.panel->setSettings({StripValue::TopExpert, 2});
    shown.settle();
    for (int token = 0; token < 20; ++token) {
      const int expert = shown.run->rows()[static_cast<std::size_t>(token)][2].ids.front();
      const figure::Rgb c = figure::categoryColour(expert % 7, figure::Theme::Dark);
      QCOMPARE(shown.groundOf("token " + std::to_string(token)), (Colour{c[0], c[1], c[2]}));
    }
    shown.panel->setSettings({StripValue::Entropy, 4});
    shown.settle();
    const figure::ColourScale scale{figure::ColourMapId::Cividis, figure::ScaleKind::Linear, 0.0,
                                    std::log(16.0), ""};
    for (int token = 0; token < 20; ++token) {
      double sum = 0.0, weighted = 0.0;
      for (const float logit : shown.run->rows()[static_cast<std::size_t>(token)][4].logits) {
        const auto z = static_cast<double>(halfToFloat(floatToHalf(logit)));
        sum += std::exp(z);
        weighted += z * std::exp(z);
      }
      const figure::Rgb c =
          figure::mapColour(scale, figure::Theme::Dark, std::log(sum) - weighted / sum).colour;
      const Colour ground = shown.groundOf("token " + std::to_string(token));
      // One entry of the table at most: the sums are rounded differently.
      QVERIFY(std::abs(ground.r - c[0]) <= 2 && std::abs(ground.g - c[1]) <= 2 &&
              std::abs(ground.b - c[2]) <= 2);
    }
    shown.panel->setSettings({StripValue::LogProbability, 0});
    shown.settle();
    const figure::Rgb c =
        figure::mapColour({figure::ColourMapId::Cividis, figure::ScaleKind::Linear, -8.0, 0.0, ""},
                          figure::Theme::Dark, static_cast<double>(shown.run->tokens()[5].logProb))
            .colour;
    QCOMPARE(shown.groundOf("token 5"), (Colour{c[0], c[1], c[2]}));
    QCOMPARE(shown.groundOf("token 0"),
             Theme::current().paint(ColourRole::Empty));  // nothing stands before it
  }

  void textIsBlackOrWhiteByContrast() {
    QCOMPARE(textOn({0xFE, 0xE8, 0x38}), (Colour{0, 0, 0}));
    QCOMPARE(textOn({0x00, 0x22, 0x4E}), (Colour{255, 255, 255}));
    QCOMPARE(textOn({0x7C, 0x7B, 0x78}), (Colour{0, 0, 0}));
  }

  void clicksAndKeysSelect() {
    Shown shown(300);
    auto& selection = shown.context.selection();
    shown.click("token 4");
    QCOMPARE(selection.tokens(), (trace::TokenRange{4, 5}));
    shown.click("token 9", Qt::ShiftModifier);
    QCOMPARE(selection.tokens(), (trace::TokenRange{4, 10}));
    shown.click("token 2", Qt::ShiftModifier);
    QCOMPARE(selection.tokens(), (trace::TokenRange{2, 5}));
    shown.click("token 4");
    shown.key(Qt::Key_Right);
    QCOMPARE(selection.tokens(), (trace::TokenRange{5, 6}));
    shown.key(Qt::Key_Left, Qt::ShiftModifier);
    QCOMPARE(selection.tokens(), (trace::TokenRange{4, 6}));
    shown.key(Qt::Key_End, Qt::ControlModifier);
    QCOMPARE(selection.tokens(), (trace::TokenRange{299, 300}));
    QVERIFY(shown.painter.find("token 299").has_value());  // scrolled into sight
    QVERIFY(!shown.painter.find("token 4").has_value());   // only lines in sight are drawn
    shown.context.selection().setTokens({0, 2});
    shown.settle();
    QVERIFY(shown.painter.find("token 0").has_value());
  }

  void toolTipTellsTheToken() {
    Shown shown(60);
    shown.panel->canvas().move(shown.at("token 7"));
    shown.settle();
    const auto tip = shown.panel->canvas().toolTip(shown.at("token 7"));
    QVERIFY(tip.has_value());
    const trace::TokenRow& row = shown.run->tokens()[7];
    QVERIFY(tip->heading.startsWith(QStringLiteral("Token 7 · ")));
    QCOMPARE(tip->tag, QStringLiteral("prefill"));
    const auto value = [&](const char* label) {
      for (const auto& line : tip->rows) {
        if (line.label == QLatin1String(label)) return line.value;
      }
      return QString();
    };
    QCOMPARE(value("id"), QString::number(row.id));
    QCOMPARE(value("log-probability"),
             QStringLiteral("−%1 nat").arg(static_cast<double>(-row.logProb), 0, 'f', 2));
    const auto bars = std::ranges::count_if(tip->rows, [](const auto& line) { return line.bar >= 0.0; });
    QCOMPARE(bars, 5);
    QVERIFY(std::abs(std::ranges::find_if(tip->rows, [](const auto& l) { return l.bar >= 0.0; })->bar -
                     std::exp(-0.5)) < 1e-6);
  }

  void growsLiveWithoutScrolling() {
    Shown shown(300);
    const float before = shown.panel->canvas().scroll();
    shown.run->append(100);
    QVERIFY(QTest::qWaitFor([&] { return shown.panel->canvas().text()->size() == 400; }));
    shown.settle();
    QCOMPARE(shown.panel->canvas().scroll(), before);
    QCOMPARE(shown.panel->counts(), QStringLiteral("12 prompt + 388 generated tokens"));
  }
};

}  // namespace moescope::views

MOESCOPE_GUI_TEST_MAIN(moescope::views::TestTokenStrip)
#include "tst_token_strip.moc"
