// Steered cell: what the rules in force made of one expert's logit at one token, computed from the recorded
// raw logits. Not for what was chosen (choiceOf).
#pragma once

#include <optional>

#include "views/panels/routing_map/token_picture.h"

namespace moescope::views {

struct SteeredCell {
  float rawLogit = 0.0F, logit = 0.0F;  ///< before and after the LOGIT rules; -inf where banned
  float keyBefore = 0.0F, key = 0.0F;   ///< before and after the KEY rules; -inf where banned
};

/// None where no rule covers the token at this router, and where it cannot be known: below capture full, in
/// damaged blocks, under a program that does not fit the routers.
std::optional<SteeredCell> steeredCell(const TokenPicture& picture, std::int64_t token, int router,
                                       int expert);

}  // namespace moescope::views
