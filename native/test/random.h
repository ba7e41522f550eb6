// Numbers that are the same at each run.
#pragma once

#include <cstdint>

namespace galvani::test {

class Random {
 public:
  explicit Random(uint64_t seed) : state_(seed * 0x9E3779B97F4A7C15u + 1) {}
  uint32_t next() {  // Knuth's MMIX generator, its high bits
    state_ = state_ * 6364136223846793005u + 1442695040888963407u;
    return static_cast<uint32_t>(state_ >> 32);
  }
  int64_t below(int64_t n) { return next() % n; }
  float uniform(float low, float high) { return low + (high - low) * static_cast<float>(next()) * 0x1p-32f; }

 private:
  uint64_t state_;
};

}  // namespace galvani::test
