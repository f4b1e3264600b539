// goldenSection: the minimum of a function of one variable inside a bracket.
// Not for finding the bracket.
#pragma once

#include <numbers>

namespace moescope::analysis {

struct Minimum {
  double at = 0.0, value = 0.0;
};

/// Shrinks [low, high] until it is at most `tolerance` wide (Kiefer 1953). The best point that was looked at.
template <class Function>
Minimum goldenSection(Function&& function, double low, double high, double tolerance) {
  constexpr double kShort = 2.0 - std::numbers::phi;  // 0.38...: the shorter part of a golden section
  double left = low + kShort * (high - low);
  double right = high - kShort * (high - low);
  double leftValue = function(left);
  double rightValue = function(right);
  while (high - low > tolerance) {
    if (leftValue < rightValue) {
      high = right;
      right = left;
      rightValue = leftValue;
      left = low + kShort * (high - low);
      leftValue = function(left);
    } else {
      low = left;
      left = right;
      leftValue = rightValue;
      right = high - kShort * (high - low);
      rightValue = function(right);
    }
  }
  return leftValue < rightValue ? Minimum{left, leftValue} : Minimum{right, rightValue};
}

}  // namespace moescope::analysis
