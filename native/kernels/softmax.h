// softmax, logSoftmax and cross entropy over the rows of x[rows, columns]; of few columns in softmax_narrow.h. A row
// stays in cache between its passes: its greatest element (subtracted, so that no power overflows), the sum of the
// powers, the result. In a row with a NaN or +∞, or of -∞ alone, the sum is NaN and so is every result, as in the
// composition of the plain operations.
#pragma once

#include "kernels/reduce.h"
#include "kernels/softmax_narrow.h"
#include "kernels/vector_loop.h"
#include "math/exp.h"
#include "math/log.h"
#include "simd/vectors.h"

// The raw maximum may lose a NaN; the sum finds it.
inline F32 greatest_of_row(const float* x, int64_t columns) {
  const F32 least = broadcast(-kInfinity);
  return fold_lanes<RawMax>(fold_pairwise<RawMax>(Elements<float>{x}, least, 0, columns));
}

// Up to this length the powers of a row wait for their sum on the stack. They are stored there by whole vectors, which
// the next pass can take from the store buffer, as it cannot the masked store at the end of a row.
constexpr int64_t kShortRow = 1024;
struct Scratch {
  float powers[kShortRow + kLanes];
};

struct KeepWhole {
  float* powers;
  template <class Lanes>
  void operator()(int64_t i, F32 power, Lanes) const {
    store(powers + i, power);
  }
};
struct KeepInRow {
  float* powers;
  template <class Lanes>
  void operator()(int64_t i, F32 power, Lanes lanes) const {
    lanes.write(powers + i, power);
  }
};
struct Forget {
  template <class Lanes>
  void operator()(int64_t, F32, Lanes) const {}
};

template <class Keep>
struct Powers {
  const float* x;
  F32 shift;
  Keep keep;
  template <class Lanes>
  F32 operator()(int64_t i, Lanes lanes) const {
    const F32 power = exp(lanes.read(x + i) - shift);
    keep(i, power, lanes);
    return power;
  }
};

template <class Keep>
inline F32 sum_of_powers(const float* x, F32 shift, int64_t columns, Keep keep) {
  return fold_lanes<Sum>(fold_pairwise<Sum>(Powers<Keep>{x, shift, keep}, zero(), 0, columns));
}

// x - shift and e^(x - shift) are what all results are made of.
struct RowSum {
  F32 shift, sum;
  const float* powers;
};

// The powers are kept in the scratch, or in `out` if the row is long.
inline RowSum sum_row(const float* x, float* out, Scratch& scratch, int64_t columns) {
  const F32 shift = greatest_of_row(x, columns);
  if (columns <= kShortRow) return {shift, sum_of_powers(x, shift, columns, KeepWhole{scratch.powers}), scratch.powers};
  return {shift, sum_of_powers(x, shift, columns, KeepInRow{out}), out};
}

inline RowSum sum_row(const float* x, int64_t columns) {
  const F32 shift = greatest_of_row(x, columns);
  return {shift, sum_of_powers(x, shift, columns, Forget()), nullptr};
}

struct SoftmaxBody {
  const float* powers;
  float* out;
  F32 factor;
  template <class Lanes>
  void operator()(int64_t i, Lanes lanes) const {
    lanes.write(out + i, lanes.read(powers + i) * factor);
  }
};

inline void softmax_kernel(const float* x, float* out, int64_t columns, int64_t begin, int64_t end) {
  if (columns <= kNarrow) return for_each_group(columns, begin, end, NarrowSoftmax{x, out, columns});
  Scratch scratch;
  for (int64_t row = begin; row < end; ++row) {
    const RowSum row_sum = sum_row(x + row * columns, out + row * columns, scratch, columns);
    const F32 factor = broadcast(1.0f) / row_sum.sum;
    for_each_vector(0, columns, SoftmaxBody{row_sum.powers, out + row * columns, factor});
  }
}

struct LogSoftmaxBody {
  const float* x;
  float* out;
  F32 shift, log_sum;
  template <class Lanes>
  void operator()(int64_t i, Lanes lanes) const {
    lanes.write(out + i, (lanes.read(x + i) - shift) - log_sum);
  }
};

inline void log_softmax_kernel(const float* x, float* out, int64_t columns, int64_t begin, int64_t end) {
  if (columns <= kNarrow) return for_each_group(columns, begin, end, NarrowLogSoftmax{x, out, columns});
  for (int64_t row = begin; row < end; ++row) {
    const RowSum row_sum = sum_row(x + row * columns, columns);
    const LogSoftmaxBody body{x + row * columns, out + row * columns, row_sum.shift, log(row_sum.sum)};
    for_each_vector(0, columns, body);
  }
}

// softmax − 1 at the label, softmax elsewhere.
struct ClassGradientBody {
  const float* powers;
  float* gradient;
  F32 factor;
  int32_t label;
  template <class Lanes>
  void operator()(int64_t i, Lanes lanes) const {
    const F32 probability = lanes.read(powers + i) * factor;
    const Mask chosen = lane_numbers() == broadcast(static_cast<int32_t>(label - i));
    lanes.write(gradient + i, select(chosen, probability - broadcast(1.0f), probability));
  }
};

inline void cross_entropy_classes_kernel(const float* logits, const int32_t* labels, float* losses, float* gradient,
                                         int64_t columns, int64_t begin, int64_t end) {
  if (columns <= kNarrow) {
    return for_each_group(columns, begin, end, NarrowClassEntropy{logits, labels, losses, gradient, columns});
  }
  Scratch scratch;
  for (int64_t row = begin; row < end; ++row) {
    const float* x = logits + row * columns;
    float* g = gradient ? gradient + row * columns : nullptr;
    const RowSum row_sum = g ? sum_row(x, g, scratch, columns) : sum_row(x, columns);
    const int64_t label = Below(columns)(labels[row]);
    losses[row] = first_lane(log(row_sum.sum) - (broadcast(x[label]) - row_sum.shift));
    if (!g) continue;
    const F32 factor = broadcast(1.0f) / row_sum.sum;
    for_each_vector(0, columns, ClassGradientBody{row_sum.powers, g, factor, static_cast<int32_t>(label)});
  }
}

// p·(−logSoftmax).
struct WeightedLosses {
  const float* x;
  const float* p;
  F32 shift, log_sum;
  template <class Lanes>
  F32 operator()(int64_t i, Lanes lanes) const {
    return weighted_loss(lanes.read(p + i), log_sum - (lanes.read(x + i) - shift));
  }
};

// softmax·Σp − p.
struct ProbabilitiesGradientBody {
  const float* powers;
  const float* p;
  float* gradient;
  F32 factor;
  template <class Lanes>
  void operator()(int64_t i, Lanes lanes) const {
    lanes.write(gradient + i, lanes.read(powers + i) * factor - lanes.read(p + i));
  }
};

inline void cross_entropy_probabilities_kernel(const float* logits, const float* labels, float* losses, float* gradient,
                                               int64_t columns, int64_t begin, int64_t end) {
  if (columns <= kNarrow) {
    return for_each_group(columns, begin, end, NarrowProbabilityEntropy{logits, labels, losses, gradient, columns});
  }
  Scratch scratch;
  for (int64_t row = begin; row < end; ++row) {
    const float* x = logits + row * columns;
    const float* p = labels + row * columns;
    float* g = gradient ? gradient + row * columns : nullptr;
    const RowSum row_sum = g ? sum_row(x, g, scratch, columns) : sum_row(x, columns);
    const WeightedLosses terms{x, p, row_sum.shift, log(row_sum.sum)};
    losses[row] = first_lane(fold_lanes<Sum>(fold_pairwise<Sum>(terms, zero(), 0, columns)));
    if (!g) continue;
    const F32 factor = fold_row<Sum>(p, columns) / row_sum.sum;
    for_each_vector(0, columns, ProbabilitiesGradientBody{row_sum.powers, p, g, factor});
  }
}
