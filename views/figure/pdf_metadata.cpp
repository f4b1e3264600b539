#include "views/figure/pdf_metadata.h"

#include <QRegularExpression>

#include <algorithm>
#include <optional>

namespace moescope::views {

namespace {

/// A PDF text string: UTF-16 with byte order mark, in hexadecimal.
QByteArray textString(const QString& text) {
  QByteArray hex = "<FEFF";
  for (const QChar unit : text)
    hex += QByteArray::number(unit.unicode(), 16).rightJustified(4, '0').toUpper();
  return hex + '>';
}

struct Trailer {
  qsizetype start = 0;  ///< of the cross-reference table
  QByteArray size, root, info;
};

std::optional<Trailer> readTrailer(const QByteArray& pdf) {
  const qsizetype at = pdf.lastIndexOf("trailer");
  if (at < 0) return std::nullopt;
  const QString text = QString::fromLatin1(pdf.mid(at));
  static const QRegularExpression kSize(QStringLiteral("/Size (\\d+)"));
  static const QRegularExpression kInfo(QStringLiteral("/Info (\\d+) 0 R"));
  static const QRegularExpression kRoot(QStringLiteral("/Root (\\d+) 0 R"));
  static const QRegularExpression kStart(QStringLiteral("startxref\\s+(\\d+)"));
  const auto size = kSize.match(text);
  const auto info = kInfo.match(text);
  const auto root = kRoot.match(text);
  const auto start = kStart.match(text);
  if (!size.hasMatch() || !info.hasMatch() || !root.hasMatch() || !start.hasMatch()) return std::nullopt;
  return Trailer{start.captured(1).toLongLong(), size.captured(1).toLatin1(), root.captured(1).toLatin1(),
                 info.captured(1).toLatin1()};
}

/// Overwrites the dates in the old dictionary, keeping every offset.
void blankDates(QByteArray& pdf) {
  for (const char* key : {"/CreationDate (", "/ModDate ("}) {
    const qsizetype at = pdf.indexOf(key);
    if (at < 0) continue;
    const qsizetype end = pdf.indexOf(')', at);
    if (end >= 0) std::fill(pdf.begin() + at, pdf.begin() + end + 1, ' ');
  }
}

}  // namespace

bool setPdfMetadata(QByteArray& pdf, const PdfMetadata& metadata) {
  const auto trailer = readTrailer(pdf);
  if (!trailer) return false;
  blankDates(pdf);
  if (!pdf.endsWith('\n')) pdf += '\n';
  const qsizetype object = pdf.size();
  pdf += trailer->info + " 0 obj\n<< /Title " + textString(metadata.title) + "\n/Subject " +
         textString(metadata.subject) + "\n/Creator " + textString(metadata.creator) +
         "\n/Producer (Qt " QT_VERSION_STR ") >>\nendobj\n";
  const qsizetype table = pdf.size();
  pdf +=
      "xref\n" + trailer->info + " 1\n" + QByteArray::number(object).rightJustified(10, '0') + " 00000 n \n";
  pdf += "trailer\n<< /Size " + trailer->size + " /Info " + trailer->info + " 0 R /Root " + trailer->root +
         " 0 R /Prev " + QByteArray::number(trailer->start) + " >>\nstartxref\n" + QByteArray::number(table) +
         "\n%%EOF\n";
  return true;
}

}  // namespace moescope::views
