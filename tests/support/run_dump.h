// A run as text, bit for bit, so that two runs can be compared and a difference is seen at once.
// Reads through TraceStore only.
#pragma once

#include <string>

#include "core/trace/trace_store.h"

namespace moescope::tests {

/// One line a token row in [begin, end): id, sequence, position, phase, log-probability, entropy,
/// alternatives, and the choices, weights, logits and native choices (where they differ) of every router.
std::string dumpRows(const trace::TraceStore& store, trace::RunId run, std::int64_t begin = 0,
                     std::int64_t end = 1 << 30);

/// dumpRows and the sequences with labels, hashes and flags.
std::string dumpRun(const trace::TraceStore& store, trace::RunId run);

/// The first line that differs, of both; empty if none does.
std::string firstDifference(const std::string& left, const std::string& right);

}  // namespace moescope::tests
