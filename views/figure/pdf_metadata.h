// PDF metadata: replaces the document information that Qt writes, which holds the time of writing, by
// title, subject and creator. Not a PDF reader: it knows only what QPdfWriter produces.
#pragma once

#include <QByteArray>
#include <QString>

namespace moescope::views {

struct PdfMetadata {
  QString title, subject, creator;
};

/// Blanks the dates and appends an incremental update with a new information dictionary. False, with the
/// bytes unchanged, if they are not as expected.
bool setPdfMetadata(QByteArray& pdf, const PdfMetadata& metadata);

}  // namespace moescope::views
