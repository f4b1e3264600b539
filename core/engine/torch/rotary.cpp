#include "core/engine/torch/rotary.h"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace moescope::engine {

namespace {

using checkpoint::RopeScaling;
using checkpoint::RopeSpec;

std::vector<float> plainFrequencies(double theta, int rotaryDim) {
  std::vector<float> frequencies;
  for (int i = 0; i < rotaryDim / 2; ++i) {
    const float exponent = static_cast<float>(2 * i) / static_cast<float>(rotaryDim);
    frequencies.push_back(1.0F / std::pow(static_cast<float>(theta), exponent));
  }
  return frequencies;
}

/// YaRN (Peng et al. 2023): channels that turn fast keep their frequency, slow ones are stretched, a ramp
/// lies between.
void applyYarn(const RopeSpec& spec, std::vector<float>& frequencies) {
  const double dim = spec.rotaryDim;
  const auto channelOf = [&](double rotations) {
    return dim * std::log(spec.originalPositions / (rotations * 2.0 * std::numbers::pi)) /
           (2.0 * std::log(spec.theta));
  };
  double low = channelOf(spec.betaFast);
  double high = channelOf(spec.betaSlow);
  if (spec.truncate) {
    low = std::floor(low);
    high = std::ceil(high);
  }
  low = std::max(low, 0.0);
  high = std::min(high, dim - 1.0);
  if (low == high) high += 0.001;
  for (std::size_t i = 0; i < frequencies.size(); ++i) {
    const auto ramp = static_cast<float>(std::clamp((static_cast<double>(i) - low) / (high - low), 0.0, 1.0));
    const float stretched = frequencies[i] / static_cast<float>(spec.factor);
    frequencies[i] = stretched * ramp + frequencies[i] * (1.0F - ramp);
  }
}

/// Llama 3.1: wavelengths beyond the original context are stretched, short ones kept, those between mixed.
void applyLlama3(const RopeSpec& spec, std::vector<float>& frequencies) {
  const double longest = spec.originalPositions / spec.lowFrequency;
  const double shortest = spec.originalPositions / spec.highFrequency;
  for (float& frequency : frequencies) {
    const double wavelength = 2.0 * std::numbers::pi / frequency;
    if (wavelength < shortest) continue;
    const double stretched = frequency / spec.factor;
    if (wavelength > longest) {
      frequency = static_cast<float>(stretched);
      continue;
    }
    const double smooth =
        (spec.originalPositions / wavelength - spec.lowFrequency) / (spec.highFrequency - spec.lowFrequency);
    frequency = static_cast<float>((1.0 - smooth) * stretched + smooth * frequency);
  }
}

bool dependsOnLength(RopeScaling scaling) {
  return scaling == RopeScaling::Dynamic || scaling == RopeScaling::LongRope;
}

}  // namespace

Rotary::Rotary(const RopeSpec& spec, int maxTokens) : m_spec(spec), m_half(spec.rotaryDim / 2) {
  setFrequencies(0);
  m_cosines.resize(static_cast<std::size_t>(maxTokens) * m_frequencies.size());
  m_sines.resize(m_cosines.size());
}

void Rotary::setFrequencies(std::int64_t sequence) {
  m_sequence = sequence;
  m_magnitude = static_cast<float>(m_spec.attentionFactor);
  const double exponent = m_spec.rotaryDim / std::max(1.0, m_spec.rotaryDim - 2.0);
  const auto length = static_cast<double>(sequence);
  double theta = m_spec.theta;
  if (m_spec.scaling == RopeScaling::DynamicAlpha) theta *= std::pow(m_spec.alpha, exponent);
  if (m_spec.scaling == RopeScaling::Dynamic && length > m_spec.originalPositions) {
    const double growth = m_spec.factor * length / m_spec.originalPositions - (m_spec.factor - 1.0);
    theta *= std::pow(growth, exponent);
  }
  m_frequencies = plainFrequencies(theta, m_spec.rotaryDim);
  switch (m_spec.scaling) {
    case RopeScaling::None:
    case RopeScaling::Dynamic:
    case RopeScaling::DynamicAlpha: break;
    case RopeScaling::Linear:
      for (float& frequency : m_frequencies) frequency /= static_cast<float>(m_spec.factor);
      break;
    case RopeScaling::Yarn: applyYarn(m_spec, m_frequencies); break;
    case RopeScaling::Llama3: applyLlama3(m_spec, m_frequencies); break;
    case RopeScaling::LongRope: {
      const bool isLong = length > m_spec.originalPositions;
      const auto& factors = isLong ? m_spec.longFactors : m_spec.shortFactors;
      for (std::size_t i = 0; i < m_frequencies.size(); ++i)
        m_frequencies[i] /= static_cast<float>(factors[i]);
      if (isLong) m_magnitude = static_cast<float>(m_spec.longAttentionFactor);
      break;
    }
  }
}

void Rotary::prepare(std::int64_t position, int tokens, std::int64_t sequence) {
  if (dependsOnLength(m_spec.scaling) && sequence != m_sequence) setFrequencies(sequence);
  std::size_t at = 0;
  for (int token = 0; token < tokens; ++token) {
    for (const float frequency : m_frequencies) {
      const float angle = static_cast<float>(position + token) * frequency;
      m_cosines[at] = std::cos(angle) * m_magnitude;
      m_sines[at] = std::sin(angle) * m_magnitude;
      ++at;
    }
  }
}

void Rotary::apply(int token, float* head) const {
  const float* cosines = m_cosines.data() + static_cast<std::ptrdiff_t>(token) * m_half;
  const float* sines = m_sines.data() + static_cast<std::ptrdiff_t>(token) * m_half;
  const std::ptrdiff_t step = isInterleaved() ? 2 : 1;
  const std::ptrdiff_t partner = isInterleaved() ? 1 : m_half;
  for (std::ptrdiff_t i = 0; i < m_half; ++i) {
    float& first = head[step * i];
    float& second = head[step * i + partner];
    const float turned = first * cosines[i] - second * sines[i];
    second = second * cosines[i] + first * sines[i];
    first = turned;
  }
}

}  // namespace moescope::engine
