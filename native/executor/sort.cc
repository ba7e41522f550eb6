// argsort: each element becomes a number of 64 bits, its key above its index, so that sorting numbers is stable.
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

uint64_t element_of(uint32_t key, int64_t index) {
  return static_cast<uint64_t>(key) << 32 | static_cast<uint64_t>(index);
}

constexpr int64_t kRadixColumns = 256;  // from so many on counting is quicker than comparing

// By the four bytes of the keys, the lowest first. `spare` has room for as many.
void radix_sort(uint64_t* elements, uint64_t* spare, int64_t n) {
  int64_t starts[4][256] = {};
  for (int64_t i = 0; i < n; ++i) {
    for (int byte = 0; byte < 4; ++byte) ++starts[byte][elements[i] >> (32 + 8 * byte) & 255];
  }
  uint64_t *from = elements, *to = spare;
  for (int byte = 0; byte < 4; ++byte) {
    int64_t* const start = starts[byte];
    if (*std::max_element(start, start + 256) == n) continue;  // all have the same
    for (int64_t digit = 0, sum = 0; digit < 256; ++digit) {
      const int64_t count = start[digit];
      start[digit] = sum;
      sum += count;
    }
    for (int64_t i = 0; i < n; ++i) to[start[from[i] >> (32 + 8 * byte) & 255]++] = from[i];
    std::swap(from, to);
  }
  if (from != elements) std::memcpy(elements, from, n * sizeof *elements);
}

// The first `count` of n in order, the rest after them.
void sort_first(uint64_t* elements, uint64_t* spare, int64_t n, int64_t count) {
  if (count < n / 8) {
    if (count > 0) std::nth_element(elements, elements + count - 1, elements + n);
    std::sort(elements, elements + count);
  } else if (n < kRadixColumns) {
    std::sort(elements, elements + n);
  } else {
    radix_sort(elements, spare, n);
  }
}

template <typename T>
class PreparedArgsort final : public PreparedInstruction {
 public:
  PreparedArgsort(const ArgsortParams& params, const Split& split, Location x, Location out)
      : PreparedInstruction(split.tasks()), params_(params), split_(split), x_(x), out_(out) {}

  bool run(Run& run) const override {
    for_ranges(threads_of(run), split_, [&](int64_t begin, int64_t end, int thread) {
      const int64_t n = params_.columns;
      uint64_t* const elements = reinterpret_cast<uint64_t*>(run.workspace) + thread * 2 * n;
      for (int64_t row = begin; row < end; ++row) {
        const T* const x = x_.in<const T>(run) + row * n;
        for (int64_t i = 0; i < n; ++i) elements[i] = element_of(params_.descending ? ~key_of(x[i]) : key_of(x[i]), i);
        sort_first(elements, elements + n, n, params_.count);
        int32_t* const out = out_.in<int32_t>(run) + row * params_.count;
        for (int64_t i = 0; i < params_.count; ++i) out[i] = static_cast<int32_t>(static_cast<uint32_t>(elements[i]));
      }
    });
    return true;
  }

  int64_t workspace_bytes(int threads) const override {
    return threads * 2 * params_.columns * static_cast<int64_t>(sizeof(uint64_t));
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
    return std::make_unique<PreparedArgsort<int32_t>>(params, split, x, out);
  }
  return std::make_unique<PreparedArgsort<float>>(params, split, x, out);
}

}  // namespace galvani
