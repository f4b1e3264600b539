// Runs the program as a script would: arguments, standard input, exit status and both outputs.
// Not for tests of its window (window_session).
#pragma once

#include <QProcess>
#include <QStringList>

#include <nlohmann/json.hpp>

namespace moescope::tests {

inline QString programFile() { return QStringLiteral(MOESCOPE_BUILD_DIR "/bin/moescope"); }

struct ProgramOutcome {
  int status = -1;
  QByteArray output, errors;

  /// Standard output as one JSON document.
  [[nodiscard]] nlohmann::json document() const { return nlohmann::json::parse(output.toStdString()); }
};

/// Status -1 if the program crashed or did not end in 30 seconds.
inline ProgramOutcome runProgram(const QStringList& arguments, const QByteArray& input = {}) {
  QProcess process;
  process.start(programFile(), arguments);
  process.write(input);
  process.closeWriteChannel();
  if (!process.waitForFinished() || process.exitStatus() != QProcess::NormalExit) return {};
  return {process.exitCode(), process.readAllStandardOutput(), process.readAllStandardError()};
}

}  // namespace moescope::tests
