// The level-of-detail pyramid against direct counts, at every level and over ragged ranges.
#include <QTest>

#include <map>
#include <random>
#include <set>

#include "core/trace/block_summary.h"
#include "core/trace/load_query.h"
#include "tests/unit/trace_fixture.h"

using namespace moescope;
using namespace moescope::trace;
using namespace moescope::trace::fixture;

namespace {

using Nodes = std::map<std::pair<int, std::int64_t>, BlockSummary>;

BlockSummary leaf(std::int64_t block) {
  BlockSummary node(2);
  node.count = node.tokens = node.massTokens = node.entropyTokens = kBlockTokens;
  node.counts = {static_cast<std::uint32_t>(block % 7), static_cast<std::uint32_t>(kBlockTokens - block % 7)};
  node.slots = kBlockTokens;
  node.gateMass = {static_cast<double>(block % 5), 1.0};
  node.entropySum = static_cast<double>(block % 3);
  return node;
}

/// Leaves come from arithmetic, nodes from a pyramid: only summaries, no blocks.
class SyntheticNodes final : public BlockSource {
 public:
  explicit SyntheticNodes(const Nodes& nodes, std::int64_t blocks) : m_nodes(nodes), m_blocks(blocks) {}
  std::shared_ptr<const TokenBlock> tokenBlock(RunId, std::int64_t) override { return nullptr; }
  std::shared_ptr<const RouteBlock> routeBlock(RunId, int, std::int64_t) override { return nullptr; }
  std::shared_ptr<const LogitBlock> logitBlock(RunId, int, std::int64_t) override { return nullptr; }
  std::shared_ptr<const BlockSummary> summary(RunId, int, int level, std::int64_t block) override {
    ++visits;
    if (level == 0) return block < m_blocks ? std::make_shared<const BlockSummary>(leaf(block)) : nullptr;
    const auto found = m_nodes.find({level, block});
    return found == m_nodes.end() ? nullptr : std::make_shared<const BlockSummary>(found->second);
  }
  int visits = 0;

 private:
  const Nodes& m_nodes;
  std::int64_t m_blocks;
};

}  // namespace

class TestTraceSummaries : public QObject {
  Q_OBJECT

 private Q_SLOTS:
  void everyLevelIsTheSumOfItsLeaves() {
    constexpr std::int64_t kBlocks = (std::int64_t{1} << 21) + 9;  // one node of the top level, and a rest
    Nodes nodes;
    PyramidBuilder pyramid(2);
    for (std::int64_t block = 0; block < kBlocks; ++block)
      pyramid.add(block, leaf(block), [&](int level, std::int64_t at, const BlockSummary& node) {
        nodes[{level, at}] = node;
      });
    for (int level = 1; level <= kTopSummaryLevel; ++level) {
      const std::int64_t span = std::int64_t{1} << (3 * level);
      QVERIFY(!nodes.contains({level, kBlocks / span}));
      for (const std::int64_t at : std::set{std::int64_t{0}, kBlocks / span / 2, kBlocks / span - 1}) {
        BlockSummary expected(2);
        for (std::int64_t block = at * span; block < (at + 1) * span; ++block) expected.add(leaf(block));
        QVERIFY((nodes.at({level, at}) == expected));
        QCOMPARE(expected.count, summarySpan(level));
      }
    }
    // A long range is a few nodes, not two million leaves.
    RouterSpec spec;
    spec.experts = 2;
    spec.topK = 1;
    SyntheticNodes source(nodes, kBlocks);
    const std::int64_t begin = 3 * kBlockTokens;
    const std::int64_t end = (kBlocks - 2) * kBlockTokens;
    const LoadSummary load = computeLoad(source, {1, 0, {begin, end}, &spec, CaptureLevel::Ids}, {});
    BlockSummary expected(2);
    std::int64_t first = 0;
    for (std::int64_t block = 3; block < kBlocks - 2; ++block) first += leaf(block).counts[0];
    QCOMPARE(load.tokens, end - begin);
    QCOMPARE(load.counts[0], first);
    QVERIFY2(source.visits < 1500, std::to_string(source.visits).c_str());
  }

  void aBuilderGoesOnAnywhere() {
    std::mt19937 random(2);
    for (int round = 0; round < 20; ++round) {
      const auto cut = static_cast<std::int64_t>(random() % 3000);
      Nodes straight, resumed;
      const auto into = [](Nodes& nodes) {
        return [&nodes](int level, std::int64_t at, const BlockSummary& node) { nodes[{level, at}] = node; };
      };
      PyramidBuilder a(2), b(2);
      for (std::int64_t block = 0; block < 3000; ++block) a.add(block, leaf(block), into(straight));
      for (int level = 1; level <= kTopSummaryLevel; ++level) {
        // Blocks of the open node that no open node below holds.
        const std::int64_t span = std::int64_t{1} << (3 * level);
        BlockSummary partial(2);
        for (std::int64_t block = cut / span * span; block < cut / (span / 8) * (span / 8); ++block)
          partial.add(leaf(block));
        b.restore(level, partial);
      }
      for (std::int64_t block = cut; block < 3000; ++block) b.add(block, leaf(block), into(resumed));
      for (const auto& [key, node] : resumed) QVERIFY((straight.at(key) == node));
      QVERIFY(!resumed.empty());
    }
  }

  /// 9 nodes of level 1 and one of level 2 in a real file.
  void rangesOfARunAreCounted() {
    const QTemporaryDir folder;
    const auto path = std::filesystem::path(folder.path().toStdString()) / "a.moescope";
    const SyntheticRun run = synthesize(50, {9000, 4000, 5500}, 0.0, {routers()[0], routers()[0]});
    writeTrace(path, run, CaptureLevel::Weights);
    const auto store = TraceStore::open(path, OpenMode::ReadOnly);
    const auto rows = static_cast<std::int64_t>(run.rows.size());
    std::mt19937 random(6);
    for (int round = 0; round < 150; ++round) {
      TokenRange range{static_cast<std::int64_t>(random() % static_cast<unsigned>(rows)), 0};
      const std::int64_t grid = round % 4 == 0 ? 1 : std::int64_t{256} << (3 * (round % 4 - 1));
      range.begin = range.begin / grid * grid;
      range.end =
          range.begin + static_cast<std::int64_t>(random() % static_cast<unsigned>(rows - range.begin)) + 1;
      if (round % 5 == 0) range.end = std::min(rows, (range.end + grid - 1) / grid * grid);
      const int r = round % 2;
      const LoadSummary load = (*store)->load(1, r, range);
      const LoadSummary expected = expectedLoad(run, r, range, CaptureLevel::Weights);
      QCOMPARE(load.counts, expected.counts);
      QCOMPARE(load.tokens, expected.tokens);
      QCOMPARE(load.slots, expected.slots);
      for (std::size_t e = 0; e < load.gateMass.size(); ++e)
        QVERIFY(std::abs(load.gateMass[e] - expected.gateMass[e]) <= 1e-6 * (1.0 + expected.gateMass[e]));
    }
  }
};

QTEST_APPLESS_MAIN(TestTraceSummaries)
#include "tst_trace_summaries.moc"
