// Numbers as the window writes them (thin spaces, true minus, units). Not for files, which hold plain
// numbers.
#pragma once

#include <QString>

#include <cstdint>

namespace moescope::views {

/// Thin spaces between thousands from five digits on: 45056 is "45 056" with U+2009.
QString countText(std::int64_t count);
/// "744 B", "2.4 KiB", "13.6 GiB".
QString bytesText(std::int64_t bytes);
/// "5.66 M", "6.92 B": parameters.
QString parametersText(std::int64_t parameters);

}  // namespace moescope::views
