// What the tests of kernels share: every table this machine can run, values with the awkward ones among them, and
// buffers that are misaligned and guarded.
#pragma once

#include <cmath>
#include <cstdint>
#include <cstring>
#include <limits>
#include <string>
#include <vector>

#include "kernels/kernel_table.h"
#include "runtime/cpu.h"
#include "test/random.h"
#include "test/test.h"

namespace galvani::test {

template <typename Body>
void for_each_table(Body body) {
  int count = 0;
  const KernelTable* const* tables = supported_kernel_tables(&count);
  for (int i = 0; i < count; ++i) body(*tables[i]);
}

// Equal bits, or two NaNs.
template <typename T>
bool same(T a, T b) {
  return std::memcmp(&a, &b, sizeof(T)) == 0 || (a != a && b != b);
}

inline float float_of_bits(uint32_t pattern) {
  float value;
  std::memcpy(&value, &pattern, sizeof value);
  return value;
}

template <typename T>
T awkward_value(Random& random);
template <>
inline float awkward_value(Random& random) {
  const float special[] = {0.0f,    -0.0f,        1.0f,          -1.0f, kInfinity, -kInfinity, NAN,
                           1e-40f,  -1e-40f,      3e38f,         0.5f,  -2.5f,     255.9f,     300.0f,
                           -0.999f, 2147483648.f, -2147483904.f, 1e10f, 8388609.f, 1.5f,       2147483520.0f};
  const int64_t pick = random.below(60);
  if (pick < 21) return special[pick];
  return pick < 40 ? random.uniform(-4, 4) : random.uniform(-300, 300);
}
template <>
inline double awkward_value(Random& random) {
  const double special[] = {0.0,    -0.0,         1.0,           -1.0, INFINITY, -INFINITY,    NAN,
                            1e-310, -1e-310,      1e308,         0.5,  -2.5,     255.9,        300.0,
                            -0.999, 2147483648.0, -2147483648.5, 1e10, 0x1p52,   0x1p53 + 2.0, 2147483647.5};
  const int64_t pick = random.below(60);
  if (pick < 21) return special[pick];
  return static_cast<double>(pick < 40 ? random.uniform(-4, 4) : random.uniform(-300, 300)) * (1 + 0x1p-40);
}
template <>
inline int32_t awkward_value(Random& random) {
  const int32_t special[] = {0, 1, -1, INT32_MAX, INT32_MIN, INT32_MIN + 1, 255, 256, -256, 65536, 16777217};
  const int64_t pick = random.below(30);
  if (pick < 11) return special[pick];
  return pick < 20 ? static_cast<int32_t>(random.below(7)) - 3 : static_cast<int32_t>(random.next());
}
template <>
inline uint8_t awkward_value(Random& random) {
  const int64_t pick = random.below(8);
  return pick < 2 ? static_cast<uint8_t>(pick) : static_cast<uint8_t>(random.next());
}

// n elements whose address is `shift` elements past an aligned one, between guards.
template <typename T>
class Buffer {
 public:
  Buffer(int64_t n, int shift) : n_(n), shift_(shift), memory_(static_cast<size_t>(kGuard + n + kGuard), guard()) {}
  T* data() { return memory_.data() + kGuard - 16 + shift_; }
  T& operator[](int64_t i) { return data()[i]; }
  int64_t size() const { return n_; }
  void fill(Random& random) {
    for (int64_t i = 0; i < n_; ++i) data()[i] = awkward_value<T>(random);
  }
  bool guards_are_whole() {
    bool whole = true;
    for (T* p = memory_.data(); p < data(); ++p) whole = whole && same(*p, guard());
    for (T* p = data() + n_; p < memory_.data() + memory_.size(); ++p) whole = whole && same(*p, guard());
    return whole;
  }

 private:
  static constexpr int64_t kGuard = 64;
  static T guard() { return static_cast<T>(113); }
  int64_t n_;
  int shift_;
  std::vector<T> memory_;
};

inline std::string describe(const KernelTable& table, const std::string& what, int64_t i) {
  return std::string(table.isa) + ": " + what + " at " + std::to_string(i);
}

#define EXPECT_SAME(actual, wanted, description)                                                                   \
  do {                                                                                                             \
    const auto actual_value = (actual);                                                                            \
    const auto wanted_value = (wanted);                                                                            \
    if (!::galvani::test::same(actual_value, wanted_value)) {                                                      \
      ::galvani::test::fail(                                                                                       \
          __FILE__, __LINE__,                                                                                      \
          (description) + ": expected " + std::to_string(wanted_value) + ", got " + std::to_string(actual_value)); \
    }                                                                                                              \
  } while (false)

}  // namespace galvani::test
