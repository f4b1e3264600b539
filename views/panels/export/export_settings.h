// ExportSettings: what the export dialog asks for, as a value, and what it makes of a figure. Not for widgets
// or for writing (views/figure/figure_writer.h).
#pragma once

#include <QString>
#include <QStringList>

#include <array>
#include <optional>
#include <span>
#include <vector>

#include "core/figure/figure_spec.h"
#include "views/figure/figure_writer.h"

namespace moescope::views {

struct SizePreset {
  const char* name;  ///< untranslated
  double widthInches, heightInches, fontPoints;
};
std::span<const SizePreset> sizePresets();

struct ExportSettings {
  double widthInches = 3.25, heightInches = 2.4;
  double fontPoints = 8.0;
  figure::Theme theme = figure::Theme::Print;
  std::optional<figure::ColourMapId> colours;  ///< of maps of magnitudes; nothing keeps the figure's own
  bool drawTitle = false, drawSampleLine = false;
  bool svg = true, pdf = true, png = false;
  int dotsPerInch = 600;
  bool svgTextAsPaths = false;
  bool data = true;  ///< CSV and JSON beside it
  QString name;      ///< without suffix
  QString folder;

  bool operator==(const ExportSettings&) const = default;
};

/// Whether the colours of a figure can be chosen: only maps of magnitudes, whose scale is not diverging.
bool hasColourChoice(const figure::FigureSpec& spec);

/// The figure as it will be exported.
figure::FigureSpec dressed(figure::FigureSpec spec, const ExportSettings& settings);

/// ".svg", ".pdf", … in the order in which they are written.
QStringList suffixes(const ExportSettings& settings);
/// Paths of all files, in the same order.
std::vector<std::filesystem::path> exportPaths(const ExportSettings& settings);
/// What is wrong with name, folder or formats; empty if nothing is.
QString settingsProblem(const ExportSettings& settings);

/// All files, rendered: pictures first, then the data. Errors: those of figureBytes().
Result<std::vector<FigureFile>> exportFiles(const figure::FigureSpec& spec, const ExportSettings& settings);

/// A name for files from a title: "Load of each expert, layer 10" is "load-of-each-expert-layer-10".
QString fileStem(const QString& title);

}  // namespace moescope::views
