// Arithmetic of sizes, and the constants that everything else is built on.
#pragma once

#include <stdint.h>

namespace galvani {

constexpr float kInfinity = __builtin_inff();
constexpr float kNaN = __builtin_nanf("");
constexpr int64_t kCacheLine = 64;  // bytes
constexpr int64_t kCacheLineElements = 16;

// Of sizes from 0 on.
constexpr int64_t ceil_div(int64_t a, int64_t b) { return (a + b - 1) / b; }
constexpr int64_t round_up(int64_t a, int64_t unit) { return ceil_div(a, unit) * unit; }

// Holds an index to [0, count), which is not empty where there is any.
struct Below {
  explicit constexpr Below(int64_t count) : last(static_cast<uint32_t>(count - 1)) {}
  constexpr int64_t operator()(int32_t index) const {
    const uint32_t i = static_cast<uint32_t>(index);
    return i < last ? i : last;
  }
  uint32_t last;
};

}  // namespace galvani
