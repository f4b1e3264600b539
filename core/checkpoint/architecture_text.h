// A model's architecture in words, for `inspect` and the model panel. Not for numbers that programs read.
#pragma once

#include <string>

#include "core/checkpoint/model_description.h"

namespace moescope::checkpoint {

struct ArchitectureText {
  std::string layers;  ///< "28, the first dense, 27 with experts"
  std::string
      router;  ///< "sigmoid, top 8 of 256, selection bias, 4 of 8 groups, weights sum to 1, times 2.5"
  std::string experts;    ///< "width 2048, 1 shared of width 2048"
  std::string attention;  ///< "128 heads of 192, latent of rank 512, RoPE on 64 channels, yarn x40"
};

ArchitectureText describeInWords(const ModelDescription& description);

}  // namespace moescope::checkpoint
