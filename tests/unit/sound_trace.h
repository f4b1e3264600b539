// SoundTrace: the bytes of a good trace and a folder for what a test makes of them. Not for recording itself.
#pragma once

#include <QTemporaryDir>

#include "tests/unit/trace_bytes.h"
#include "tests/unit/trace_fixture.h"

namespace moescope::trace::fixture {

struct SoundTrace {
  QTemporaryDir folder;
  SyntheticRun run = synthesize(5, {300, 77, 260});
  std::string bytes;

  SoundTrace() {
    chooseByLogits(run);
    writeTrace(in("good.moescope"), run, CaptureLevel::Full);
    bytes = bytesOf(in("good.moescope"));
  }
  [[nodiscard]] std::filesystem::path in(const char* name) const {
    return std::filesystem::path(folder.path().toStdString()) / name;
  }
};

}  // namespace moescope::trace::fixture
