// Fingerprint of a checkpoint's weights: tells whether a run was made with them. Not a security hash.
#pragma once

#include <string>

#include "core/checkpoint/checkpoint_files.h"

namespace moescope::checkpoint {

/// 32 hex digits (XXH3, 128 bits) of all headers and of 64 KiB samples spread over each file. A change of one
/// weight in a large file can go unseen; another checkpoint cannot.
std::string fingerprintOf(const CheckpointFiles& files);

}  // namespace moescope::checkpoint
