#include "core/base/result.h"

namespace moescope {

std::string Error::text() const {
  std::string line = file.empty() ? message : file + ": " + message;
  if (!where.empty()) line += " (" + where + ")";
  if (!advice.empty()) line += "; " + advice;
  return line;
}

}  // namespace moescope
