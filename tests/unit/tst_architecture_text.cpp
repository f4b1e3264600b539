// The architecture of test checkpoints in words, against their config.json read by eye.
#include <QTest>

#include "core/checkpoint/architecture_text.h"
#include "core/checkpoint/checkpoint.h"

using namespace moescope;
using namespace moescope::checkpoint;

namespace {

ArchitectureText wordsOf(const std::string& name) {
  const auto opened = Checkpoint::open(std::filesystem::path(MOESCOPE_TEST_DATA "/checkpoints") / name);
  if (!opened) qFatal("%s", opened.error().text().c_str());
  return describeInWords((*opened)->description());
}

}  // namespace

class TestArchitectureText : public QObject {
  Q_OBJECT

 private Q_SLOTS:
  void allLayersWithExperts() {
    const auto words = wordsOf("olmoe");
    QCOMPARE(words.layers, std::string("3, all with experts"));
    QCOMPARE(words.router, std::string("softmax, top 3 of 8, weights as scored"));
    QCOMPARE(words.experts, std::string("width 12, none shared"));
    QCOMPARE(words.attention, std::string("4 heads of 8, RoPE"));
  }

  void denseLayersSharedExpertsGroupsAndLatentAttention() {
    const auto words = wordsOf("deepseek_v3");
    QCOMPARE(words.layers, std::string("3, 2 with experts, dense: 0"));
    QCOMPARE(
        words.router,
        std::string("sigmoid, top 3 of 12, selection bias, 2 of 4 groups by the two best, weights sum to "
                    "1, times 2.5"));
    QCOMPARE(words.experts, std::string("width 12, 1 shared, width 12 in all"));
    QCOMPARE(words.attention, std::string("4 heads of 12, latent of rank 12, RoPE on 4 channels, yarn x8"));
  }

  void aGatedSharedExpertAndWindows() {
    QCOMPARE(wordsOf("qwen2_moe").experts, std::string("width 12, 1 shared, gated, width 20 in all"));
    QCOMPARE(wordsOf("qwen2_moe").layers, std::string("3, 2 with experts, dense: 1"));
    QCOMPARE(wordsOf("mixtral_v4cfg").attention,
             std::string("4 heads of 8, 2 for keys and values, RoPE, window of 7"));
    QCOMPARE(wordsOf("qwen2_moe_norm_sliding").attention,
             std::string("4 heads of 8, 2 for keys and values, RoPE, window of 6 in 2 layers"));
  }

  void whatOnlyOneFamilyHas() {
    QCOMPARE(wordsOf("openmoe").layers, std::string("4, 2 with experts, dense: 0, 2"));
    QCOMPARE(wordsOf("openmoe").router,
             std::string("softmax, top 2 of 8, weights as scored, capacity 0.9 times "
                         "an even share, at least 4"));
    QCOMPARE(wordsOf("openmoe").experts,
             std::string("width 20, gate of double width, a dense MLP after them, none shared"));
    QCOMPARE(wordsOf("llama4").router,
             std::string("sigmoid, top 1 of 4, weights as scored, weights scale the experts' input"));
    QCOMPARE(wordsOf("llama4").attention,
             std::string("4 heads of 12, 2 for keys and values, RoPE, llama3 x8, chunks of 8 "
                         "in 3 layers, no RoPE in 1 layer"));
    QCOMPARE(wordsOf("phimoe").router,
             std::string("sparsemixer with eps 0.2, top 2 of 8, weights as scored"));
    QCOMPARE(wordsOf("dbrx").router, std::string("softmax, top 3 of 8, weights divided by their 2-norm"));
    QCOMPARE(wordsOf("gpt_oss").router,
             std::string("softmax of the chosen, top 3 of 6, bias, weights sum to 1"));
  }
};

QTEST_APPLESS_MAIN(TestArchitectureText)
#include "tst_architecture_text.moc"
