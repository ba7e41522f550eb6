// Elements by index along one axis: takeAlongAxis and scatterAlongAxis.
#include <algorithm>
#include <cstring>

#include "base/numbers.h"
#include "executor/families.h"
#include "executor/ranges.h"

namespace galvani {
namespace {

// The elements [begin, end) of out[outer, count, inner].
template <typename T, typename Rows>
void take(const TakeAlongAxisParams& p, const T* x, const int32_t* indices, Rows rows, T* out, int64_t begin,
          int64_t end) {
  const int64_t slab = p.count * p.inner;
  while (begin < end) {
    const int64_t o = begin / slab, last = std::min(end, (o + 1) * slab);
    const T* const from = x + o * p.rows * p.inner;
    if (p.inner == 1) {
      for (; begin < last; ++begin) out[begin] = from[rows(indices[begin])];
      continue;
    }
    for (int64_t j = begin % p.inner; begin < last; ++begin) {
      out[begin] = from[rows(indices[begin]) * p.inner + j];
      if (++j == p.inner) j = 0;
    }
  }
}

struct Scatter {
  ScatterAlongAxisParams params;
  Location x, indices, updates, out;
};

// Elements of int32 add up modulo 2³², as those of elementwise groups do.
inline void accumulate(float& out, float update) { out += update; }
inline void accumulate(double& out, double update) { out += update; }
inline void accumulate(int32_t& out, int32_t update) {
  out = static_cast<int32_t>(static_cast<uint32_t>(out) + static_cast<uint32_t>(update));
}

// The columns [first, last) of one of the `outer` matrices: copied, then updated row by row of the indices.
template <typename T, typename Update>
void scatter_columns(const Run& run, const Scatter& s, Update update, int64_t o, int64_t first, int64_t last) {
  const ScatterAlongAxisParams& p = s.params;
  const T* const x = s.x.in<const T>(run) + o * p.rows * p.inner;
  T* const out = s.out.in<T>(run) + o * p.rows * p.inner;
  if (out != x) {
    const bool is_whole = last - first == p.inner;
    const int64_t copies = is_whole ? 1 : p.rows, size = is_whole ? p.rows * p.inner : last - first;
    for (int64_t row = 0; row < copies; ++row) {
      if (size > 0) std::memcpy(out + row * p.inner + first, x + row * p.inner + first, size * sizeof(T));
    }
  }
  const int32_t* const indices = s.indices.in<const int32_t>(run) + o * p.count * p.inner;
  const T* const updates = s.updates.in<const T>(run) + o * p.count * p.inner;
  with_rows(run, p.rows, [&](auto rows) {
    for (int64_t i = 0; i < p.count; ++i) {
      for (int64_t j = first; j < last; ++j)
        update(out[rows(indices[i * p.inner + j]) * p.inner + j], updates[i * p.inner + j]);
    }
  });
}

// The columns of all matrices, counted through, are independent of each other, so that they are what is divided.
template <typename T, typename Update>
std::unique_ptr<PreparedInstruction> prepare_scatter(const Scatter& s, Update update) {
  const ScatterAlongAxisParams& p = s.params;
  const double per_column = 2 * static_cast<double>(p.rows * static_cast<int64_t>(sizeof(T))) * cost::kPerByte +
                            static_cast<double>(p.count) * cost::kPerStridedElement;
  const int64_t unit = p.inner < kCacheLineElements ? p.inner : kCacheLineElements;
  const int64_t columns = p.rows == 0 ? 0 : p.outer * p.inner;
  const Split split = split_work(columns, std::max<int64_t>(unit, 1), per_column);
  return prepare_checked_ranges(s.indices, p.outer * p.count * p.inner, p.rows, split,
                                [=](const Run& run, int64_t begin, int64_t end) {
                                  while (begin < end) {
                                    const int64_t o = begin / s.params.inner, first = begin % s.params.inner;
                                    const int64_t last = std::min(s.params.inner, first + end - begin);
                                    scatter_columns<T>(run, s, update, o, first, last);
                                    begin += last - first;
                                  }
                                });
}

template <typename T>
std::unique_ptr<PreparedInstruction> prepare_replacing(const Scatter& s) {
  return prepare_scatter<T>(s, [](T& out, T update) { out = update; });
}

template <typename T>
std::unique_ptr<PreparedInstruction> prepare_accumulating(const Scatter& s) {
  return prepare_scatter<T>(s, [](T& out, T update) { accumulate(out, update); });
}

}  // namespace

std::unique_ptr<PreparedInstruction> prepare_take_along_axis(const Preparation& preparation,
                                                             const Instruction& instruction) {
  const auto p = std::get<TakeAlongAxisParams>(instruction.params);
  const Location x = preparation.input(instruction, 0), indices = preparation.input(instruction, 1);
  const Location out = preparation.output(instruction, 0);
  const int64_t bytes = element_bytes(preparation.input_dtype(instruction, 0));
  const int64_t size = p.outer * p.count * p.inner;
  const Split split = split_work(size, 4 * kCacheLineElements, cost::kPerStridedElement);
  return prepare_checked_ranges(indices, size, p.rows, split, [=](const Run& run, int64_t begin, int64_t end) {
    const int32_t* const at = indices.in<const int32_t>(run);
    with_rows(run, p.rows, [&](auto rows) {
      if (bytes == 8) return take(p, x.in<const uint64_t>(run), at, rows, out.in<uint64_t>(run), begin, end);
      if (bytes == 4) return take(p, x.in<const uint32_t>(run), at, rows, out.in<uint32_t>(run), begin, end);
      take(p, x.in<const uint8_t>(run), at, rows, out.in<uint8_t>(run), begin, end);
    });
  });
}

std::unique_ptr<PreparedInstruction> prepare_scatter_along_axis(const Preparation& preparation,
                                                                const Instruction& instruction) {
  const auto& p = std::get<ScatterAlongAxisParams>(instruction.params);
  const Scatter s{p, preparation.input(instruction, 0), preparation.input(instruction, 1),
                  preparation.input(instruction, 2), preparation.output(instruction, 0)};
  const DType dtype = preparation.input_dtype(instruction, 0);
  if (!p.accumulate) {
    const int64_t bytes = element_bytes(dtype);
    if (bytes == 8) return prepare_replacing<uint64_t>(s);
    return bytes == 4 ? prepare_replacing<uint32_t>(s) : prepare_replacing<uint8_t>(s);
  }
  if (dtype == DType::k_float64) return prepare_accumulating<double>(s);
  return dtype == DType::k_int32 ? prepare_accumulating<int32_t>(s) : prepare_accumulating<float>(s);
}

}  // namespace galvani
