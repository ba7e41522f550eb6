// argsort: each element becomes its key above its index, so that sorting is stable.
#include <algorithm>
#include <cstring>

#include "executor/families.h"

namespace galvani {
namespace {

// The order of unsigned keys is that of the elements; -0 is 0, and a NaN after all others.
uint32_t key_of(float x) {
  if (x != x) return UINT32_MAX;
  uint32_t bits;
  const float y = x + 0.0f;  // -0 + 0 is 0
  std::memcpy(&bits, &y, sizeof bits);
  return bits >> 31 != 0 ? ~bits : bits | 0x80000000u;
}
uint32_t key_of(int32_t x) { return static_cast<uint32_t>(x) ^ 0x80000000u; }

uint64_t key_of(double x) {
  if (x != x) return UINT64_MAX;
  uint64_t bits;
  const double y = x + 0.0;
  std::memcpy(&bits, &y, sizeof bits);
  return bits >> 63 != 0 ? ~bits : bits | uint64_t{1} << 63;
}

// A key above the index: a number, or, of a key of 64 bits, two.
struct Short {
  using Key = uint32_t;
  uint64_t number;
  Short() = default;
  Short(Key key, int64_t index) : number(static_cast<uint64_t>(key) << 32 | static_cast<uint64_t>(index)) {}
  bool operator<(Short other) const { return number < other.number; }
  Key key() const { return static_cast<Key>(number >> 32); }
  int32_t index() const { return static_cast<int32_t>(static_cast<uint32_t>(number)); }
};
struct Long {
  using Key = uint64_t;
  uint64_t high, low;
  Long() = default;
  Long(Key key, int64_t index) : high(key), low(static_cast<uint64_t>(index)) {}
  bool operator<(Long other) const { return high != other.high ? high < other.high : low < other.low; }
  Key key() const { return high; }
  int32_t index() const { return static_cast<int32_t>(low); }
};

constexpr int64_t kRadixColumns = 256;  // from so many on counting is quicker than comparing

// By the bytes of the keys, the lowest first. `spare` has room for as many.
template <typename E>
void radix_sort(E* elements, E* spare, int64_t n) {
  constexpr int kBytes = sizeof(typename E::Key);
  int64_t starts[kBytes][256] = {};
  for (int64_t i = 0; i < n; ++i) {
    for (int byte = 0; byte < kBytes; ++byte) ++starts[byte][elements[i].key() >> 8 * byte & 255];
  }
  E *from = elements, *to = spare;
  for (int byte = 0; byte < kBytes; ++byte) {
    int64_t* const start = starts[byte];
    if (*std::max_element(start, start + 256) == n) continue;  // all have the same
    for (int64_t digit = 0, sum = 0; digit < 256; ++digit) {
      const int64_t count = start[digit];
      start[digit] = sum;
      sum += count;
    }
    for (int64_t i = 0; i < n; ++i) to[start[from[i].key() >> 8 * byte & 255]++] = from[i];
    std::swap(from, to);
  }
  if (from != elements) std::memcpy(elements, from, n * sizeof *elements);
}

// The first `count` of n in order, the rest after them.
template <typename E>
void sort_first(E* elements, E* spare, int64_t n, int64_t count) {
  if (count < n / 8) {
    if (count > 0) std::nth_element(elements, elements + count - 1, elements + n);
    std::sort(elements, elements + count);
  } else if (n < kRadixColumns) {
    std::sort(elements, elements + n);
  } else {
    radix_sort(elements, spare, n);
  }
}

template <typename T, typename E>
class PreparedArgsort final : public PreparedInstruction {
 public:
  PreparedArgsort(const ArgsortParams& params, const Split& split, Location x, Location out)
      : PreparedInstruction(split), params_(params), split_(split), x_(x), out_(out) {}

  bool run(Run& run) const override {
    for_ranges(threads_of(run), split_, [&](int64_t begin, int64_t end, int thread) {
      const int64_t n = params_.columns;
      E* const elements = reinterpret_cast<E*>(run.workspace) + thread * 2 * n;
      for (int64_t row = begin; row < end; ++row) {
        const T* const x = x_.in<const T>(run) + row * n;
        for (int64_t i = 0; i < n; ++i) elements[i] = E(params_.descending ? ~key_of(x[i]) : key_of(x[i]), i);
        sort_first(elements, elements + n, n, params_.count);
        int32_t* const out = out_.in<int32_t>(run) + row * params_.count;
        for (int64_t i = 0; i < params_.count; ++i) out[i] = elements[i].index();
      }
    });
    return true;
  }

  int64_t workspace_bytes(int threads) const override {
    return threads * 2 * params_.columns * static_cast<int64_t>(sizeof(E));
  }

 private:
  ArgsortParams params_;
  Split split_;
  Location x_, out_;
};

}  // namespace

std::unique_ptr<PreparedInstruction> prepare_argsort(const Preparation& preparation, const Instruction& instruction) {
  const auto& params = std::get<ArgsortParams>(instruction.params);
  const Location x = preparation.input(instruction, 0), out = preparation.output(instruction, 0);
  const Split split = split_work(params.rows, 1, static_cast<double>(params.columns) * cost::kPerSortedElement);
  if (preparation.input_dtype(instruction, 0) == DType::k_int32) {
    return std::make_unique<PreparedArgsort<int32_t, Short>>(params, split, x, out);
  }
  if (preparation.input_dtype(instruction, 0) == DType::k_float64) {
    return std::make_unique<PreparedArgsort<double, Long>>(params, split, x, out);
  }
  return std::make_unique<PreparedArgsort<float, Short>>(params, split, x, out);
}

}  // namespace galvani
