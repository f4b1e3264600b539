// LaTeX tables of results against text written by hand from the booktabs manual.
#include <QTest>

#include <cmath>

#include "core/figure/latex_table.h"

using namespace moescope;

class TestLatexTable : public QObject {
  Q_OBJECT

 private Q_SLOTS:
  void aTableWithEveryKindOfCell() {
    analysis::AnalysisResult result;
    result.analysis = "load-balance";
    result.sample = "run 1, 100 % of tokens";
    result.baseline = "uniform load";
    result.notes = {"layer_3 has {dead} experts"};
    result.tables.push_back({"layers",
                             "Load & balance",
                             {{"layer", ""}, {"mean_loss", "nat"}, {"label", ""}},
                             {{std::int64_t{0}, 0.123456, std::string("C#")},
                              {std::int64_t{-1}, -1.5, std::string("a\\b~c^d$e")},
                              {std::int64_t{2}, 1.25e-7, std::monostate{}},
                              {std::int64_t{3}, std::nan(""), std::string("Träume")}}});
    QCOMPARE(QString::fromStdString(figure::latexTables(result)),
             QStringLiteral(
                 "% needs \\usepackage{booktabs}\n"
                 "\\begin{table}\n"
                 "  \\centering\n"
                 "  \\caption{Load \\& balance. Sample: run 1, 100 \\% of tokens. Baseline: uniform load.}\n"
                 "  \\label{tab:load-balance-layers}\n"
                 "  \\begin{tabular}{rrl}\n"
                 "    \\toprule\n"
                 "    layer & mean\\_loss (nat) & label \\\\\n"
                 "    \\midrule\n"
                 "    0 & 0.1235 & C\\# \\\\\n"
                 "    $-1$ & $-1.5$ & a\\textbackslash{}b\\textasciitilde{}c\\textasciicircum{}d\\$e \\\\\n"
                 "    2 & $1.25 \\times 10^{-7}$ & -- \\\\\n"
                 "    3 & -- & Träume \\\\\n"
                 "    \\bottomrule\n"
                 "  \\end{tabular}\n"
                 "  \\par\\footnotesize layer\\_3 has \\{dead\\} experts.\n"
                 "\\end{table}\n"));
  }

  void aMatrixWithIntervals() {
    analysis::AnalysisResult result;
    result.analysis = "x";
    result.matrices.push_back({"m",
                               "Pairs",
                               "Label",
                               "Expert",
                               "share",
                               "",
                               {"code"},
                               {"0", "1"},
                               {0.5, -2.0},
                               {0.25, -3.0},
                               {0.75, -1.0},
                               0.25});
    const std::string text = figure::latexTables(result);
    QVERIFY(text.find("\\caption{Pairs: share, 0.25 without structure.}") != std::string::npos);
    QVERIFY(text.find("\\begin{tabular}{lrr}") != std::string::npos);
    QVERIFY(text.find("    code & 0.5 [0.25, 0.75] & $-2$ [$-3$, $-1$] \\\\\n") != std::string::npos);
  }
};

QTEST_APPLESS_MAIN(TestLatexTable)
#include "tst_latex_table.moc"
