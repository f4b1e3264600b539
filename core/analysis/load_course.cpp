#include "core/analysis/load_course.h"

#include <algorithm>

namespace moescope::analysis {

namespace {

std::vector<std::int64_t> windowEnds(std::int64_t first, std::int64_t last, int maxPoints) {
  std::int64_t stride = 1;
  while ((last - first) / stride + 1 > std::max(1, maxPoints)) stride *= 2;
  std::vector<std::int64_t> ends;
  for (std::int64_t end = (first + stride - 1) / stride * stride; end <= last; end += stride)
    ends.push_back(end);
  if (ends.empty() || ends.back() != last) ends.push_back(last);
  return ends;
}

}  // namespace

LoadCourse loadCourse(const trace::TraceStore& store, trace::RunId run, int router, trace::TokenRange tokens,
                      std::int64_t windowTokens, LoadMeasure measure, int maxPoints, std::stop_token stop) {
  LoadCourse course;
  course.windowTokens = windowTokens;
  if (windowTokens <= 0 || tokens.size() < windowTokens) return course;
  for (const std::int64_t end : windowEnds(tokens.begin + windowTokens, tokens.end, maxPoints)) {
    if (stop.stop_requested()) break;
    const trace::LoadSummary load = store.load(run, router, {end - windowTokens, end}, stop);
    course.endTokens.push_back(end);
    course.values.push_back(valueOf(loadMetrics(load.counts, load.tokens), measure));
  }
  return course;
}

}  // namespace moescope::analysis
