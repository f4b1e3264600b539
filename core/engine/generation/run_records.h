// Run records: what a trace says about the model and the run that it holds. Not for reading traces.
#pragma once

#include <string>
#include <string_view>

#include "core/engine/api/engine.h"
#include "core/trace/routing_types.h"

namespace moescope::engine {

/// Device, dtype, threads, start time and status of a run that begins now.
trace::RunRecord newRunRecord(const Model& model, trace::RunKind kind, trace::CaptureLevel capture);

/// The first words of a text, at most 40 characters, as the name of a run.
std::string firstWords(std::string_view text);

}  // namespace moescope::engine
