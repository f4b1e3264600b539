// A test row for each family of encoder-decoders. Not for what they must give.
#pragma once

#include <QTest>

namespace moescope::tests {

inline void addFamilies() {
  QTest::addColumn<QString>("family");
  for (const char* family : {"switch_transformers", "nllb_moe"}) QTest::newRow(family) << QString(family);
}

/// Of the present row.
inline QString family() {
  QFETCH(QString, family);
  return family;
}

}  // namespace moescope::tests
