#include "app/cli/commands.h"

namespace moescope::cli {

std::vector<Register> commands() {
  return {
      addInspect, addCheck,  addVerify,  addTokenize, addGenerate, addRecord, addSeries,
      addQuery,   addFigure, addAnalyze, addSteer,    addDevices,  addBench,
  };
}

}  // namespace moescope::cli
