// softmax, logSoftmax and cross entropy over the rows of x[rows, columns]; of few columns, of floats, in
// softmax_narrow.h. A row stays in cache between its passes: its greatest element (subtracted, so that no power
// overflows), the sum of the powers, the result. In a row with a NaN or +∞, or of -∞ alone, the sum is NaN and so is
// every result, as in the composition of the plain operations.
#pragma once

#include "kernels/reduce.h"
#include "kernels/softmax_narrow.h"
#include "kernels/vector_loop.h"
#include "math/doubles.h"
#include "math/exp.h"
#include "math/log.h"
#include "simd/vectors.h"

// The raw maximum may lose a NaN; the sum finds it.
template <class T>
inline VectorOf<T> greatest_of_row(const T* x, int64_t columns) {
  return fold_lanes<RawMax>(fold_pairwise<RawMax>(Elements<T>{x}, Max::identity(x), 0, columns));
}

// Up to this length the powers of a row wait for their sum on the stack. They are stored there by whole vectors, which
// the next pass can take from the store buffer, as it cannot the masked store at the end of a row.
constexpr int64_t kShortRow = 1024;
template <class T>
struct Scratch {
  T powers[kShortRow + kLanes];
};

template <class T>
struct KeepWhole {
  T* powers;
  template <class Lanes>
  void operator()(int64_t i, VectorOf<T> power, Lanes) const {
    store(powers + i, power);
  }
};
template <class T>
struct KeepInRow {
  T* powers;
  template <class Lanes>
  void operator()(int64_t i, VectorOf<T> power, Lanes lanes) const {
    lanes.write(powers + i, power);
  }
};
struct Forget {
  template <class V, class Lanes>
  void operator()(int64_t, V, Lanes) const {}
};

template <class T, class Keep>
struct Powers {
  const T* x;
  VectorOf<T> shift;
  Keep keep;
  template <class Lanes>
  VectorOf<T> operator()(int64_t i, Lanes lanes) const {
    const VectorOf<T> power = exp(lanes.read(x + i) - shift);
    keep(i, power, lanes);
    return power;
  }
};

template <class T, class Keep>
inline VectorOf<T> sum_of_powers(const T* x, VectorOf<T> shift, int64_t columns, Keep keep) {
  return fold_lanes<Sum>(fold_pairwise<Sum>(Powers<T, Keep>{x, shift, keep}, Sum::identity(x), 0, columns));
}

// Of a number in all lanes.
inline F32 log_of_all(F32 a) { return log(a); }
inline F64 log_of_all(F64 a) { return broadcast(__builtin_log(first_lane(a))); }

// x - shift and e^(x - shift) are what all results are made of.
template <class T>
struct RowSum {
  VectorOf<T> shift, sum;
  const T* powers;
};

// The powers are kept in the scratch, or in `out` if the row is long.
template <class T>
inline RowSum<T> sum_row(const T* x, T* out, Scratch<T>& scratch, int64_t columns) {
  const VectorOf<T> shift = greatest_of_row(x, columns);
  if (columns <= kShortRow)
    return {shift, sum_of_powers(x, shift, columns, KeepWhole<T>{scratch.powers}), scratch.powers};
  return {shift, sum_of_powers(x, shift, columns, KeepInRow<T>{out}), out};
}

template <class T>
inline RowSum<T> sum_row(const T* x, int64_t columns) {
  const VectorOf<T> shift = greatest_of_row(x, columns);
  return {shift, sum_of_powers(x, shift, columns, Forget()), nullptr};
}

template <class T>
struct SoftmaxBody {
  const T* powers;
  T* out;
  VectorOf<T> factor;
  template <class Lanes>
  void operator()(int64_t i, Lanes lanes) const {
    lanes.write(out + i, lanes.read(powers + i) * factor);
  }
};

template <class T>
void softmax_kernel(const T* x, T* out, int64_t columns, int64_t begin, int64_t end) {
  if constexpr (sizeof(T) == sizeof(float)) {
    if (columns <= kNarrow) return for_each_group(columns, begin, end, NarrowSoftmax{x, out, columns});
  }
  Scratch<T> scratch;
  for (int64_t row = begin; row < end; ++row) {
    const RowSum<T> row_sum = sum_row(x + row * columns, out + row * columns, scratch, columns);
    const VectorOf<T> factor = broadcast(T{1}) / row_sum.sum;
    for_each_vector(0, columns, SoftmaxBody<T>{row_sum.powers, out + row * columns, factor});
  }
}

template <class T>
struct LogSoftmaxBody {
  const T* x;
  T* out;
  VectorOf<T> shift, log_sum;
  template <class Lanes>
  void operator()(int64_t i, Lanes lanes) const {
    lanes.write(out + i, (lanes.read(x + i) - shift) - log_sum);
  }
};

template <class T>
void log_softmax_kernel(const T* x, T* out, int64_t columns, int64_t begin, int64_t end) {
  if constexpr (sizeof(T) == sizeof(float)) {
    if (columns <= kNarrow) return for_each_group(columns, begin, end, NarrowLogSoftmax{x, out, columns});
  }
  for (int64_t row = begin; row < end; ++row) {
    const RowSum<T> row_sum = sum_row(x + row * columns, columns);
    const LogSoftmaxBody<T> body{x + row * columns, out + row * columns, row_sum.shift, log_of_all(row_sum.sum)};
    for_each_vector(0, columns, body);
  }
}

// softmax − 1 at the label, softmax elsewhere.
template <class T>
struct ClassGradientBody {
  const T* powers;
  T* gradient;
  VectorOf<T> factor;
  int32_t label;
  template <class Lanes>
  void operator()(int64_t i, Lanes lanes) const {
    const VectorOf<T> probability = lanes.read(powers + i) * factor;
    const Mask chosen = lane_numbers() == broadcast(static_cast<int32_t>(label - i));
    lanes.write(gradient + i, select(chosen, probability - broadcast(T{1}), probability));
  }
};

template <class T>
void cross_entropy_classes_kernel(const T* logits, const int32_t* labels, T* losses, T* gradient, int64_t columns,
                                  int64_t begin, int64_t end) {
  if constexpr (sizeof(T) == sizeof(float)) {
    if (columns <= kNarrow)
      return for_each_group(columns, begin, end, NarrowClassEntropy{logits, labels, losses, gradient, columns});
  }
  Scratch<T> scratch;
  for (int64_t row = begin; row < end; ++row) {
    const T* x = logits + row * columns;
    T* g = gradient ? gradient + row * columns : nullptr;
    const RowSum<T> row_sum = g ? sum_row(x, g, scratch, columns) : sum_row(x, columns);
    const int64_t label = Below(columns)(labels[row]);
    losses[row] = first_lane(log_of_all(row_sum.sum) - (broadcast(x[label]) - row_sum.shift));
    if (!g) continue;
    const VectorOf<T> factor = broadcast(T{1}) / row_sum.sum;
    for_each_vector(0, columns, ClassGradientBody<T>{row_sum.powers, g, factor, static_cast<int32_t>(label)});
  }
}

// p·(−logSoftmax).
template <class T>
struct WeightedLosses {
  const T* x;
  const T* p;
  VectorOf<T> shift, log_sum;
  template <class Lanes>
  VectorOf<T> operator()(int64_t i, Lanes lanes) const {
    return weighted_loss(lanes.read(p + i), log_sum - (lanes.read(x + i) - shift));
  }
};

// softmax·Σp − p.
template <class T>
struct ProbabilitiesGradientBody {
  const T* powers;
  const T* p;
  T* gradient;
  VectorOf<T> factor;
  template <class Lanes>
  void operator()(int64_t i, Lanes lanes) const {
    lanes.write(gradient + i, lanes.read(powers + i) * factor - lanes.read(p + i));
  }
};

template <class T>
void cross_entropy_probabilities_kernel(const T* logits, const T* labels, T* losses, T* gradient, int64_t columns,
                                        int64_t begin, int64_t end) {
  if constexpr (sizeof(T) == sizeof(float)) {
    if (columns <= kNarrow)
      return for_each_group(columns, begin, end, NarrowProbabilityEntropy{logits, labels, losses, gradient, columns});
  }
  Scratch<T> scratch;
  for (int64_t row = begin; row < end; ++row) {
    const T* x = logits + row * columns;
    const T* p = labels + row * columns;
    T* g = gradient ? gradient + row * columns : nullptr;
    const RowSum<T> row_sum = g ? sum_row(x, g, scratch, columns) : sum_row(x, columns);
    const WeightedLosses<T> terms{x, p, row_sum.shift, log_of_all(row_sum.sum)};
    losses[row] = first_lane(fold_lanes<Sum>(fold_pairwise<Sum>(terms, Sum::identity(x), 0, columns)));
    if (!g) continue;
    const VectorOf<T> factor = fold_row<Sum>(p, columns) / row_sum.sum;
    for_each_vector(0, columns, ProbabilitiesGradientBody<T>{row_sum.powers, p, g, factor});
  }
}

template <class T>
constexpr RowKernels<T> row_kernels() {
  return {softmax_kernel<T>, log_softmax_kernel<T>, cross_entropy_classes_kernel<T>,
          cross_entropy_probabilities_kernel<T>};
}
