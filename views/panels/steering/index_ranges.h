// Index ranges: layers and experts as people write them, "0–3, 7". Not for token positions, which have an
// open end.
#pragma once

#include <QString>

#include <cstdint>
#include <vector>

#include <tl/expected.hpp>

namespace moescope::views {

/// "0–3, 7": ascending, each index once, whatever the order of `indices`.
QString rangesText(std::vector<std::int32_t> indices);

/// The reverse; a hyphen is as good as a dash, spaces do not count, an empty text is no index. Returns the
/// indices ascending, each once, or one sentence that says what is wrong.
tl::expected<std::vector<std::int32_t>, QString> parseRanges(const QString& text);

}  // namespace moescope::views
