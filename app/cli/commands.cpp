#include "app/cli/commands.h"

namespace moescope::cli {

std::vector<Register> commands() {
  return {
  };
}

}  // namespace moescope::cli
