#include "core/engine/torch/rotary.h"

#include <cmath>

namespace moescope::engine {

Rotary::Rotary(const checkpoint::RopeSpec& spec, int maxTokens) : m_half(spec.rotaryDim / 2) {
  const auto theta = static_cast<float>(spec.theta);
  for (int i = 0; i < m_half; ++i) {
    const float exponent = static_cast<float>(2 * i) / static_cast<float>(spec.rotaryDim);
    float frequency = 1.0F / std::pow(theta, exponent);
    if (spec.scaling == checkpoint::RopeScaling::Linear) frequency /= static_cast<float>(spec.factor);
    m_frequencies.push_back(frequency);
  }
  m_cosines.resize(static_cast<std::size_t>(maxTokens) * m_frequencies.size());
  m_sines.resize(m_cosines.size());
}

void Rotary::prepare(std::int64_t position, int tokens) {
  std::size_t at = 0;
  for (int token = 0; token < tokens; ++token) {
    for (const float frequency : m_frequencies) {
      const float angle = static_cast<float>(position + token) * frequency;
      m_cosines[at] = std::cos(angle);
      m_sines[at] = std::sin(angle);
      ++at;
    }
  }
}

void Rotary::apply(int token, float* head) const {
  const float* cosines = m_cosines.data() + static_cast<std::ptrdiff_t>(token) * m_half;
  const float* sines = m_sines.data() + static_cast<std::ptrdiff_t>(token) * m_half;
  for (int i = 0; i < m_half; ++i) {
    const float first = head[i];
    const float second = head[i + m_half];
    head[i] = first * cosines[i] - second * sines[i];
    head[i + m_half] = second * cosines[i] + first * sines[i];
  }
}

}  // namespace moescope::engine
