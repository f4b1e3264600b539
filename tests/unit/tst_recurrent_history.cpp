// What recurrent layers keep: the state before any position is that of a run which never went further.
#include <QTest>

#include <array>
#include <vector>

#include "core/engine/api/recurrent_history.h"

using moescope::engine::RecurrentHistory;

namespace {

/// s0 = s0 / 2 + x, s1 = s1 / 3 - x: depends on every input before, and on their order.
struct Sums {
  RecurrentHistory history{1, 2};

  void go(std::int64_t first, std::int64_t end) {
    for (std::int64_t at = first; at < end; ++at) {
      float* state = history.state();
      state[0] = state[0] * 0.5F + *history.input(at);
      state[1] = state[1] / 3.0F - *history.input(at);
    }
  }
  void forward(std::int64_t position, const std::vector<float>& inputs) {
    const auto end = position + static_cast<std::int64_t>(inputs.size());
    const auto run = [this](std::int64_t first, std::int64_t stop) { go(first, stop); };
    history.seek(position, run);
    history.require(end);
    for (std::size_t i = 0; i < inputs.size(); ++i)
      *history.input(position + static_cast<std::int64_t>(i)) = inputs[i];
    history.advance(end, run);
  }
  std::array<float, 2> state() { return {history.state()[0], history.state()[1]}; }
};

std::vector<float> inputs(std::int64_t from, std::int64_t count) {
  std::vector<float> values;
  for (std::int64_t i = from; i < from + count; ++i)
    values.push_back(static_cast<float>((i * 397 + 11) % 101) / 7.0F);
  return values;
}

/// Of a run that only ever had these many inputs.
std::array<float, 2> straight(std::int64_t count) {
  std::array<float, 2> state{};
  for (const float x : inputs(0, count)) state = {state[0] * 0.5F + x, state[1] / 3.0F - x};
  return state;
}

}  // namespace

class TestRecurrentHistory : public QObject {
  Q_OBJECT

 private Q_SLOTS:
  void goingBackForgets() {
    for (const std::int64_t position : {0, 1, 100, 255, 256, 257, 511, 512, 513, 699}) {
      Sums sums;
      sums.forward(0, inputs(0, 700));
      QVERIFY(sums.state() == straight(700));
      sums.forward(position, inputs(5000, 30));  // other inputs, to be forgotten again
      sums.forward(position, inputs(position, 700 - position));
      QVERIFY2(sums.state() == straight(700), qPrintable(QString::number(position)));
    }
  }

  void cutsDoNotMatter() {
    Sums sums;
    for (std::int64_t position = 0; position < 600; position += 7)
      sums.forward(position, inputs(position, 7));
    QVERIFY(sums.state() == straight(602));
  }

  void aCopyGoesItsOwnWay() {
    for (const std::int64_t position : {0, 10, 256, 300, 512}) {
      Sums sums, copy;
      sums.forward(0, inputs(0, 600));
      copy.history.copyFrom(sums.history, position);
      sums.forward(position, inputs(9000, 100));
      copy.forward(position, inputs(position, 600 - position));
      QVERIFY2(copy.state() == straight(600), qPrintable(QString::number(position)));
    }
  }

  void whatAPositionCosts() {
    QCOMPARE(RecurrentHistory::bytesPerPosition(10, 256), std::int64_t{44});
    QCOMPARE(RecurrentHistory::bytesPerPosition(10, 257), std::int64_t{48});
  }
};

QTEST_APPLESS_MAIN(TestRecurrentHistory)
#include "tst_recurrent_history.moc"
