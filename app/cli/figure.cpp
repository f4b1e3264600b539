// moescope figure: a figure file from a trace, or from the .json that an export wrote.
#include <filesystem>
#include <iostream>
#include <memory>
#include <tuple>

#include "app/cli/command.h"
#include "app/plugins.h"
#include "core/base/mapped_file.h"
#include "core/figure/figure_request.h"
#include "core/plugin/analysis_figures.h"
#ifdef MOESCOPE_HAS_GUI
#include <QGuiApplication>

#include "app/window/workspace.h"
#include "views/figure/figure_style.h"
#include "views/figure/figure_writer.h"
#endif

namespace moescope::cli {

namespace {

struct Options {
  std::string file, kind, out, size, theme;
  std::vector<std::string> parameters;
  double fontPoints = 0.0;
  int dotsPerInch = 300;
  bool data = false, textAsPaths = false, json = false;
};

std::string kindList() {
  std::string text = "Kinds of figures and their parameters (--param):\n";
  const auto add = [&text](const figure::FigureKind& kind) {
    text += "  " + std::string(kind.id) + ": " + std::string(kind.label) + "\n      " +
            std::string(kind.parameters) + "\n";
  };
  for (const figure::FigureKind& kind : figure::figureKinds()) add(kind);
  text +=
      "  those: run=NAME tokens=FIRST-LAST window=N|all\n"
      "Figures of analyses (any parameter of the analysis too, see moescope analyze --list):\n";
  for (const figure::FigureKind& kind : plugin::analysisFigureKinds()) add(kind);
  return text +
         "  all kinds: title=TEXT draw-title=yes sample-line=yes\n\n"
         "Examples:\n"
         "  moescope figure run.moescope --kind routing-map -o map.pdf --size 3.25x2.4in --data\n"
         "  moescope figure series.moescope --kind phase-plane -o phases.pdf --param x=cv --param y=loss\n"
         "  moescope figure run.moescope --kind load-course -o cv.svg --param layer=10 --param over=128\n"
         "  moescope figure map.json -o map.png --theme dark";
}

#ifdef MOESCOPE_HAS_GUI
constexpr std::size_t kMostJsonBytes = std::size_t{256} << 20;

Result<figure::FigureParameters> parameters(const Options& options) {
  figure::FigureParameters out;
  for (const std::string& text : options.parameters) {
    const std::size_t equals = text.find('=');
    if (equals == std::string::npos || equals == 0) {
      return fail("figure.bad_param", "", text, "a parameter is written as name=value",
                  "see moescope figure --help");
    }
    out[text.substr(0, equals)] = text.substr(equals + 1);
  }
  return out;
}

Result<figure::FigureSpec> readFigure(const Options& options) {
  auto given = parameters(options);
  if (!given) return fail(given.error());
  if (std::filesystem::path(options.file).extension() == ".json") {
    if (!options.kind.empty() || !given->empty()) {
      return fail("usage.figure", options.file, "",
                  "a .json file holds one figure, --kind and --param do not apply",
                  "leave them out or give the trace");
    }
    const auto text = readTextFile(options.file, kMostJsonBytes);
    if (!text) return fail(text.error());
    return figure::figureFromJson(*text, options.file);
  }
  if (options.kind.empty()) {
    return fail("usage.figure", options.file, "", "a figure of a trace needs a kind",
                "add --kind, see moescope figure --help");
  }
  auto store = trace::TraceStore::open(options.file, trace::OpenMode::ReadOnly);
  if (!store) return fail(store.error());
  if (plugin::isAnalysisFigure(options.kind)) {
    return plugin::makeAnalysisFigure(app::plugins({}), **store, options.kind, *std::move(given),
                                      {progressPrinter(false), {}, interruptToken()});
  }
  return figure::makeFigure(**store, options.kind, *given, interruptToken());
}

Result<void> applyLook(figure::FigureSpec& spec, const Options& options) {
  if (!options.size.empty()) {
    const auto size = figure::figureSize(options.size);
    if (!size) return fail(size.error());
    std::tie(spec.widthInches, spec.heightInches) = *size;
  }
  if (options.fontPoints > 0.0) spec.fontPoints = options.fontPoints;
  if (!options.theme.empty()) spec.theme = *figure::themeFrom(options.theme);
  return {};
}

Result<std::vector<std::filesystem::path>> write(const Options& options) {
  const auto format = views::formatOf(options.out);
  if (!format) {
    return fail("usage.figure", options.out, "", "the suffix is none of .svg, .pdf and .png",
                "choose one of them");
  }
  auto spec = readFigure(options);
  if (!spec) return fail(spec.error());
  if (auto fits = applyLook(*spec, options); !fits) return fail(fits.error());

  // Nothing is kept in the run-time folder: that a server has none is no news.
  qInstallMessageHandler([](QtMsgType, const QMessageLogContext&, const QString& text) {
    if (!text.startsWith(QLatin1String("QStandardPaths")))
      std::cerr << "moescope: " << text.toStdString() << '\n';
  });
  std::string arguments[] = {"moescope", "-platform", "offscreen"};
  char* argv[] = {arguments[0].data(), arguments[1].data(), arguments[2].data(), nullptr};
  int argc = 3;
  const QGuiApplication application(argc, argv);
  const std::filesystem::path fonts = app::resourceFolder() / "fonts";
  if (!views::loadFigureFonts(QString::fromStdString(fonts.string()))) {
    return fail("figure.no_font", fonts.string(), "", "the font DejaVu Sans is neither bundled nor installed",
                "install fonts-dejavu-core");
  }
  if (views::smallestTextPoints(*spec) < figure::kReadablePoints) {
    std::cerr << "moescope: the smallest text is under " << figure::kReadablePoints << " pt\n";
  }
  const auto files = views::figureFiles(*spec, options.out,
                                        {*format, options.dotsPerInch, options.textAsPaths}, options.data);
  if (!files) return fail(files.error());
  if (auto written = views::writeFiles(*files); !written) return fail(written.error());
  std::vector<std::filesystem::path> paths;
  for (const views::FigureFile& file : *files) paths.push_back(file.path);
  return paths;
}

int runFigure(const Options& options) {
  const auto paths = write(options);
  if (!paths) return report(paths.error(), options.json);
  if (options.json) {
    nlohmann::ordered_json files = nlohmann::ordered_json::array();
    for (const auto& path : *paths) files.push_back(path.string());
    print({{"files", files}});
  } else {
    for (const auto& path : *paths) std::cout << path.string() << '\n';
  }
  return kDone;
}
#else
int runFigure(const Options& options) {
  return report({"usage.no_figures", "", "", "this build cannot make figures",
                 "use a build with the window, or moescope query for the numbers"},
                options.json);
}
#endif

}  // namespace

void addFigure(CLI::App& app, std::function<int()>& run) {
  auto options = std::make_shared<Options>();
  CLI::App* command = app.add_subcommand("figure", "Make a figure for a paper: SVG, PDF or PNG");
  command->add_option("FILE", options->file, "Trace, or a figure's .json")->required();
  command->add_option("--kind", options->kind, "What to draw");
  command->add_option("-o,--out", options->out, "File to write; its suffix chooses SVG, PDF or PNG")
      ->type_name("FILE")
      ->required();
  command->add_option("--size", options->size, "Width and height, 3.25x2.4in by default (also mm, cm)");
  command->add_option("--font-size", options->fontPoints, "Size of the text in points, 8 by default")
      ->check(CLI::Range(figure::kMinFontPoints, figure::kMaxFontPoints));
  command->add_option("--theme", options->theme, "print (default), light or dark")
      ->check(CLI::IsMember({"print", "light", "dark"}));
  command->add_option("--dpi", options->dotsPerInch, "Resolution of a PNG, 300 by default")
      ->check(CLI::Range(10, 2400));
  command->add_option("--param", options->parameters, "Parameter of the figure, name=value; repeatable")
      ->allow_extra_args(false);
  command->add_flag("--data", options->data, "Write the numbers (.csv) and the figure (.json) beside it");
  command->add_flag("--text-as-paths", options->textAsPaths,
                    "SVG: text as shapes, so that no font is needed");
  command->add_flag("--json", options->json, "Print the names of the files as JSON");
  command->footer(kindList());
  command->callback([options, &run] { run = [options] { return runFigure(*options); }; });
}

}  // namespace moescope::cli
