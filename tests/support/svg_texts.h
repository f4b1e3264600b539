// The texts of a figure as its SVG holds them. Not for where they stand (FigureLayout).
#pragma once

#include <QList>
#include <QString>
#include <QStringList>
#include <QXmlStreamReader>

#include "views/figure/figure_writer.h"

namespace moescope::tests {

struct SvgText {
  QString text;
  double size = 0;
};

/// Texts with the size of their font, which Qt writes into the group around them.
inline QList<SvgText> svgTexts(const figure::FigureSpec& spec) {
  const auto bytes = views::figureBytes(spec, {views::FigureFormat::Svg, 300, false});
  QXmlStreamReader reader(bytes ? *bytes : QByteArray());
  QList<SvgText> texts;
  while (!reader.atEnd()) {
    if (reader.readNext() != QXmlStreamReader::StartElement || reader.name() != QLatin1String("text"))
      continue;
    const double size = reader.attributes().value(QLatin1String("font-size")).toDouble();
    texts << SvgText{reader.readElementText().trimmed(), size};
  }
  return reader.hasError() ? QList<SvgText>() : texts;
}

inline QStringList wordsOf(const QList<SvgText>& texts) {
  QStringList words;
  for (const SvgText& text : texts) words << text.text;
  return words;
}

}  // namespace moescope::tests
