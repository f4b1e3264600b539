#include "views/panels/export/export_settings.h"

#include <QDir>
#include <QFile>
#include <QFileInfo>
#include <QObject>
#include <QRegularExpression>

#include <algorithm>

namespace moescope::views {

namespace {

constexpr int kLongestStem = 80;

constexpr std::array<SizePreset, 3> kPresets{{
    {QT_TRANSLATE_NOOP("QObject", "Single column, 3.25 in"), 3.25, 2.4, 8.0},
    {QT_TRANSLATE_NOOP("QObject", "Double column, 6.75 in"), 6.75, 3.5, 8.0},
    {QT_TRANSLATE_NOOP("QObject", "Slide, 4:3"), 10.0, 7.5, 20.0},
}};

bool hasColourChoice(const figure::HeatMap& map) { return map.colours.map != figure::ColourMapId::Diverging; }

std::filesystem::path pathWith(const ExportSettings& settings, const QString& suffix) {
  const QString file = QDir(settings.folder).absoluteFilePath(settings.name + suffix);
  return QFile::encodeName(file).toStdString();
}

}  // namespace

std::span<const SizePreset> sizePresets() { return kPresets; }

bool hasColourChoice(const figure::FigureSpec& spec) {
  return std::ranges::any_of(figure::panelsOf(spec),
                             [](const auto& panel) { return panel.map && hasColourChoice(*panel.map); });
}

figure::FigureSpec dressed(figure::FigureSpec spec, const ExportSettings& settings) {
  spec.widthInches = settings.widthInches;
  spec.heightInches = settings.heightInches;
  spec.fontPoints = settings.fontPoints;
  spec.theme = settings.theme;
  spec.drawTitle = settings.drawTitle;
  spec.drawSampleLine = settings.drawSampleLine;
  if (!settings.colours) return spec;
  if (spec.map && hasColourChoice(*spec.map)) spec.map->colours.map = *settings.colours;
  for (figure::FigurePanel& panel : spec.panels) {
    if (panel.map && hasColourChoice(*panel.map)) panel.map->colours.map = *settings.colours;
  }
  return spec;
}

QStringList suffixes(const ExportSettings& settings) {
  QStringList out;
  if (settings.svg) out << QStringLiteral(".svg");
  if (settings.pdf) out << QStringLiteral(".pdf");
  if (settings.png) out << QStringLiteral(".png");
  if (settings.data) out << QStringLiteral(".csv") << QStringLiteral(".json");
  return out;
}

std::vector<std::filesystem::path> exportPaths(const ExportSettings& settings) {
  std::vector<std::filesystem::path> paths;
  for (const QString& suffix : suffixes(settings)) paths.push_back(pathWith(settings, suffix));
  return paths;
}

QString settingsProblem(const ExportSettings& settings) {
  if (suffixes(settings).isEmpty()) return QObject::tr("Choose at least one format, or the data.");
  if (settings.name.trimmed().isEmpty()) return QObject::tr("Give the figure a name.");
  if (settings.name.contains(QLatin1Char('/'))) {
    return QObject::tr("A name cannot contain “/”: choose the folder below it.");
  }
  const QFileInfo folder(settings.folder);
  if (settings.folder.isEmpty() || !folder.isDir()) {
    return QObject::tr("There is no folder %1. Choose another one.").arg(settings.folder);
  }
  if (!folder.isWritable()) {
    return QObject::tr("The folder %1 cannot be written to. Choose another one.").arg(settings.folder);
  }
  return {};
}

Result<std::vector<FigureFile>> exportFiles(const figure::FigureSpec& spec, const ExportSettings& settings) {
  const figure::FigureSpec figure = dressed(spec, settings);
  std::vector<FigureFile> files;
  const auto addPicture = [&](FigureFormat format) -> Result<void> {
    auto bytes = figureBytes(figure, {format, settings.dotsPerInch, settings.svgTextAsPaths});
    if (!bytes) return fail(bytes.error());
    files.push_back({pathWith(settings, QString::fromLatin1(suffixOf(format))), std::move(*bytes)});
    return {};
  };
  const std::pair<bool, FigureFormat> formats[] = {{settings.svg, FigureFormat::Svg},
                                                   {settings.pdf, FigureFormat::Pdf},
                                                   {settings.png, FigureFormat::Png}};
  for (const auto& [wanted, format] : formats) {
    if (!wanted) continue;
    if (auto added = addPicture(format); !added) return fail(added.error());
  }
  if (settings.data) {
    files.push_back({pathWith(settings, QStringLiteral(".csv")), QByteArray::fromStdString(toCsv(figure))});
    files.push_back({pathWith(settings, QStringLiteral(".json")),
                     QByteArray::fromStdString(toJson(figure).dump(1) + "\n")});
  }
  return files;
}

QString fileStem(const QString& title) {
  static const QRegularExpression others(QStringLiteral("[^\\p{L}\\p{N}]+"));
  QString stem = title.toLower();
  stem.replace(others, QStringLiteral("-"));
  while (stem.startsWith(QLatin1Char('-'))) stem.remove(0, 1);
  stem.truncate(kLongestStem);
  while (stem.endsWith(QLatin1Char('-'))) stem.chop(1);
  return stem.isEmpty() ? QStringLiteral("figure") : stem;
}

}  // namespace moescope::views
