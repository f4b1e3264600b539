#include "app/cli/commands.h"

namespace moescope::cli {

std::vector<Register> commands() {
  return {
    addInspect,
    addCheck,
    addVerify,
    addTokenize,
    addGenerate,
    addRecord,
    addFigure,
    addDevices,
  };
}

}  // namespace moescope::cli
