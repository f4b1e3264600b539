#include "views/figure/figure_writer.h"

#include <QBuffer>
#include <QFileInfo>
#include <QHashFunctions>
#include <QImageWriter>
#include <QPageSize>
#include <QPdfWriter>
#include <QSaveFile>
#include <QStorageInfo>
#include <QSvgGenerator>

#include <cmath>

#include "views/figure/figure_painter.h"
#include "views/figure/pdf_metadata.h"

namespace moescope::views {

namespace {

constexpr double kInchesPerMetre = 39.37007874015748;

QString qt(const std::string& text) { return QString::fromStdString(text); }

QString provenanceText(const figure::FigureSpec& spec) {
  QStringList parts;
  if (!spec.sampleLine.empty()) parts << qt(spec.sampleLine);
  if (!spec.baseline.empty()) parts << QStringLiteral("baseline: ") + qt(spec.baseline);
  for (const auto& [key, value] : spec.provenance) parts << qt(key) + QStringLiteral(": ") + qt(value);
  return parts.join(QStringLiteral("; "));
}

/// Qt's PDF engine writes fonts in the order of a hash table, whose seed differs from start to start.
class FixedHashOrder {
 public:
  FixedHashOrder() { QHashSeed::setDeterministicGlobalSeed(); }
  ~FixedHashOrder() { QHashSeed::resetRandomGlobalSeed(); }
  FixedHashOrder(const FixedHashOrder&) = delete;
  FixedHashOrder& operator=(const FixedHashOrder&) = delete;
};

Result<QByteArray> svgBytes(const figure::FigureSpec& spec, bool textAsPaths) {
  const FigurePainter figure(spec, textAsPaths);
  QByteArray bytes;
  QBuffer buffer(&bytes);
  QSvgGenerator generator;
  generator.setOutputDevice(&buffer);
  generator.setResolution(kUnitsPerInch);
  generator.setSize(figure.size().toSize());
  generator.setViewBox(QRectF(QPointF(0, 0), figure.size()));
  generator.setTitle(qt(spec.title));
  generator.setDescription(provenanceText(spec));
  QPainter painter;
  if (!painter.begin(&generator)) return fail("figure.failed", "", "svg", "the picture could not be drawn");
  figure.draw(painter);
  painter.end();
  return bytes;
}

Result<QByteArray> pdfBytes(const figure::FigureSpec& spec) {
  const FigurePainter figure(spec, false);
  QByteArray bytes;
  QBuffer buffer(&bytes);
  buffer.open(QIODevice::WriteOnly);
  {
    const FixedHashOrder fixedOrder;
    QPdfWriter writer(&buffer);
    writer.setResolution(kUnitsPerInch);
    writer.setPageSize(
        QPageSize(figure.size() / kUnitsPerPoint, QPageSize::Point, {}, QPageSize::ExactMatch));
    writer.setPageMargins(QMarginsF());
    QPainter painter;
    if (!painter.begin(&writer)) return fail("figure.failed", "", "pdf", "the picture could not be drawn");
    figure.draw(painter);
    painter.end();
  }
  const PdfMetadata metadata{qt(spec.title), provenanceText(spec),
                             QStringLiteral("MoEScope " MOESCOPE_VERSION)};
  if (!setPdfMetadata(bytes, metadata))
    return fail("figure.failed", "", "pdf", "the document information could not be written");
  return bytes;
}

Result<QByteArray> pngBytes(const figure::FigureSpec& spec, int dotsPerInch) {
  QImage image = figureImage(spec, dotsPerInch);
  if (image.isNull()) {
    return fail("figure.too_large", "", "png", "the picture would have more than 200 million pixels",
                "choose a smaller size or a lower resolution");
  }
  image.setText(QStringLiteral("Title"), qt(spec.title));
  image.setText(QStringLiteral("Description"), provenanceText(spec));
  image.setText(QStringLiteral("Software"), QStringLiteral("MoEScope " MOESCOPE_VERSION));
  QByteArray bytes;
  QBuffer buffer(&bytes);
  QImageWriter writer(&buffer, "png");
  if (!writer.write(image)) return fail("figure.failed", "", "png", writer.errorString().toStdString());
  return bytes;
}

}  // namespace

const char* suffixOf(FigureFormat format) {
  switch (format) {
    case FigureFormat::Svg: return ".svg";
    case FigureFormat::Pdf: return ".pdf";
    case FigureFormat::Png: break;
  }
  return ".png";
}

std::optional<FigureFormat> formatOf(const std::filesystem::path& file) {
  const QString suffix = QString::fromStdString(file.extension().string()).toLower();
  for (const FigureFormat format : {FigureFormat::Svg, FigureFormat::Pdf, FigureFormat::Png}) {
    if (suffix == QLatin1String(suffixOf(format))) return format;
  }
  return std::nullopt;
}

QImage figureImage(const figure::FigureSpec& spec, double dotsPerInch) {
  const FigurePainter figure(spec, false);
  const double scale = dotsPerInch / kUnitsPerInch;
  const double width = std::round(figure.size().width() * scale);
  const double height = std::round(figure.size().height() * scale);
  if (!(width >= 1.0 && height >= 1.0 && width * height <= kMostPixels)) return {};
  QImage image(static_cast<int>(width), static_cast<int>(height), QImage::Format_RGB32);
  image.setDotsPerMeterX(qRound(dotsPerInch * kInchesPerMetre));
  image.setDotsPerMeterY(qRound(dotsPerInch * kInchesPerMetre));
  image.fill(Qt::white);
  QPainter painter(&image);
  painter.scale(scale, scale);
  figure.draw(painter);
  return image;
}

Result<QByteArray> figureBytes(const figure::FigureSpec& spec, const FigureOutput& output) {
  switch (output.format) {
    case FigureFormat::Svg: return svgBytes(spec, output.textAsPaths);
    case FigureFormat::Pdf: return pdfBytes(spec);
    case FigureFormat::Png: return pngBytes(spec, output.dotsPerInch);
  }
  return fail("figure.failed", "", "", "unknown format");
}

Result<std::vector<FigureFile>> figureFiles(const figure::FigureSpec& spec, const std::filesystem::path& file,
                                            const FigureOutput& output, bool data) {
  auto picture = figureBytes(spec, output);
  if (!picture) return fail(picture.error());
  std::vector<FigureFile> files{{file, std::move(*picture)}};
  if (data) {
    auto beside = [&](const char* suffix) { return std::filesystem::path(file).replace_extension(suffix); };
    files.push_back({beside(".csv"), QByteArray::fromStdString(figure::toCsv(spec))});
    files.push_back({beside(".json"), QByteArray::fromStdString(figure::toJson(spec).dump(1) + "\n")});
  }
  return files;
}

Result<void> writeFiles(const std::vector<FigureFile>& files) {
  for (const FigureFile& file : files) {
    const QString path = QString::fromStdString(file.path.string());
    QSaveFile out(path);
    if (out.open(QIODevice::WriteOnly) && out.write(file.bytes) == file.bytes.size() && out.commit())
      continue;
    const QStorageInfo disk(QFileInfo(path).absolutePath());
    if (disk.isValid() && disk.bytesAvailable() >= 0 && disk.bytesAvailable() < file.bytes.size()) {
      return fail("machine.disk_full", file.path.string(), "", "the disk is full",
                  "free some space or choose another folder");
    }
    return fail("figure.unwritable", file.path.string(), "",
                "the file cannot be written: " + out.errorString().toStdString(),
                "choose another folder or name");
  }
  return {};
}

}  // namespace moescope::views
