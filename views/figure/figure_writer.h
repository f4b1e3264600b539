// Figure writer: FigureSpec to the bytes of an SVG, PDF or PNG, to pixels, and to files with the data
// beside them. The same spec gives the same bytes. Not for layout (figure_layout.h).
#pragma once

#include <QByteArray>
#include <QImage>

#include <filesystem>
#include <optional>
#include <vector>

#include "core/base/result.h"
#include "core/figure/figure_spec.h"

namespace moescope::views {

enum class FigureFormat : std::uint8_t { Svg, Pdf, Png };

struct FigureOutput {
  FigureFormat format = FigureFormat::Svg;
  int dotsPerInch = 300;     ///< PNG
  bool textAsPaths = false;  ///< SVG: shapes instead of editable text
};

/// ".svg", ".pdf", ".png".
const char* suffixOf(FigureFormat format);
/// By the suffix of a file, in any case.
std::optional<FigureFormat> formatOf(const std::filesystem::path& file);

/// Pixels of the figure at a resolution; null if they would be more than kMostPixels.
inline constexpr double kMostPixels = 2e8;
QImage figureImage(const figure::FigureSpec& spec, double dotsPerInch);

/// Errors: `figure.too_large` (PNG), `figure.failed`.
Result<QByteArray> figureBytes(const figure::FigureSpec& spec, const FigureOutput& output);

/// One file to write: its path and its bytes.
struct FigureFile {
  std::filesystem::path path;
  QByteArray bytes;
};
/// The figure and, with `data`, NAME.csv and NAME.json beside it.
Result<std::vector<FigureFile>> figureFiles(const figure::FigureSpec& spec, const std::filesystem::path& file,
                                            const FigureOutput& output, bool data);
/// Writes each file whole or not at all. Errors: `figure.unwritable`, `machine.disk_full`.
Result<void> writeFiles(const std::vector<FigureFile>& files);

}  // namespace moescope::views
