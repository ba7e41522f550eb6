// Rows by index: gather and scatterAdd.
#include <algorithm>
#include <cstring>

#include "base/numbers.h"
#include "executor/families.h"
#include "executor/ranges.h"

namespace galvani {
namespace {

template <typename T, typename Rows>
void gather_elements(const T* x, const int32_t* indices, Rows rows, T* out, int64_t begin, int64_t end) {
  for (int64_t i = begin; i < end; ++i) out[i] = x[rows(indices[i])];
}

// The processor sees no pattern in the rows.
void prefetch_row(const uint8_t* row, int64_t bytes) {
  for (int64_t i = 0; i < std::min<int64_t>(bytes, 512); i += kCacheLine) __builtin_prefetch(row + i);
}

void gather_rows(const uint8_t* x, const int32_t* indices, Below rows, uint8_t* out, int64_t row_bytes, int64_t begin,
                 int64_t end) {
  constexpr int64_t kAhead = 8;
  for (int64_t i = begin; i < end; ++i) {
    if (i + kAhead < end) prefetch_row(x + rows(indices[i + kAhead]) * row_bytes, row_bytes);
    copy_bytes(out + i * row_bytes, x + rows(indices[i]) * row_bytes, row_bytes);
  }
}

struct ScatterAdd {
  Location x, indices, updates, out;
  int64_t row_size, count;
};

// The rows [begin, end) of out: each thread goes over all indices, in ascending order, and takes those in its range.
template <typename T>
void scatter_rows(const Run& run, const ScatterAdd& s, void (*accumulate)(const T*, T*, int64_t), int64_t begin,
                  int64_t end) {
  const T* const x = s.x.in<const T>(run);
  const T* const updates = s.updates.in<const T>(run);
  const int32_t* const indices = s.indices.in<const int32_t>(run);
  T* const out = s.out.in<T>(run);
  const int64_t bytes = (end - begin) * s.row_size * static_cast<int64_t>(sizeof(T));
  if (out != x && bytes > 0) std::memcpy(out + begin * s.row_size, x + begin * s.row_size, bytes);
  for (int64_t i = 0; i < s.count; ++i) {
    const int64_t row = indices[i];
    if (row >= begin && row < end) accumulate(updates + i * s.row_size, out + row * s.row_size, s.row_size);
  }
}

// As each range costs a walk over all indices, there are few; and one, where that costs as much as the additions.
Split few_ranges(Split split, int64_t row_size) {
  const int64_t most = row_size < 16 ? 1 : 8;
  split.grain = std::max(split.grain, ceil_div(split.count, most));
  return split;
}

template <typename T>
auto scatter_body(const ScatterAdd& s, void (*accumulate)(const T*, T*, int64_t)) {
  return [=](const Run& run, int64_t begin, int64_t end) { scatter_rows(run, s, accumulate, begin, end); };
}

}  // namespace

std::unique_ptr<PreparedInstruction> prepare_gather(const Preparation& preparation, const Instruction& instruction) {
  const auto& params = std::get<GatherParams>(instruction.params);
  const Location x = preparation.input(instruction, 0), indices = preparation.input(instruction, 1);
  const Location out = preparation.output(instruction, 0);
  const int64_t count = params.rows;
  const int64_t width = element_bytes(preparation.input_dtype(instruction, 0));
  const int64_t row_bytes = params.row_size * width;
  const Split split = split_work(params.count, 1, cost::kPerRow + cost::of_moving(row_bytes));
  // A row of so many bytes may stand where no word does.
  const bool is_long = row_bytes == 8 && width == 8, is_word = row_bytes == 4 && width == 4, is_byte = row_bytes == 1;
  const auto body = [=](const Run& run, int64_t begin, int64_t end) {
    const int32_t* const at = indices.in<const int32_t>(run);
    with_rows(run, count, [&](auto rows) {
      if (is_long) gather_elements(x.in<const uint64_t>(run), at, rows, out.in<uint64_t>(run), begin, end);
      if (is_word) gather_elements(x.in<const uint32_t>(run), at, rows, out.in<uint32_t>(run), begin, end);
      if (is_byte) gather_elements(x.in<const uint8_t>(run), at, rows, out.in<uint8_t>(run), begin, end);
    });
    if (is_long || is_word || is_byte) return;
    gather_rows(x.in<const uint8_t>(run), at, Below(count), out.in<uint8_t>(run), row_bytes, begin, end);
  };
  return prepare_checked_ranges(indices, params.count, params.rows, split, body);
}

std::unique_ptr<PreparedInstruction> prepare_scatter_add(const Preparation& preparation,
                                                         const Instruction& instruction) {
  const auto& params = std::get<ScatterAddParams>(instruction.params);
  const ScatterAdd s{preparation.input(instruction, 0),
                     preparation.input(instruction, 1),
                     preparation.input(instruction, 2),
                     preparation.output(instruction, 0),
                     params.row_size,
                     params.count};
  const DType dtype = preparation.input_dtype(instruction, 0);
  const int64_t row_bytes = params.row_size * element_bytes(dtype);
  const double added = static_cast<double>(params.count) * (cost::kPerRow + cost::of_moving(row_bytes));
  const double per_row = cost::of_moving(row_bytes) + added / static_cast<double>(std::max<int64_t>(params.rows, 1));
  const Split split = few_ranges(split_work(params.rows, 1, per_row), params.row_size);
  const auto prepare = [&](auto accumulate) {
    return prepare_checked_ranges(s.indices, s.count, params.rows, split, scatter_body(s, accumulate));
  };
  if (dtype == DType::k_int32) return prepare(preparation.kernels.accumulate_int32);
  if (dtype == DType::k_float64) return prepare(preparation.kernels.accumulate_float64);
  return prepare(preparation.kernels.accumulate_float32);
}

}  // namespace galvani
