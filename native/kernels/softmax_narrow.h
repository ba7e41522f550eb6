// softmax, logSoftmax and cross entropy over rows of few columns, kLanes rows at a time: one in each lane. So nothing
// is folded across lanes, and a logarithm or a division is for all of them. The order of the operations of a row does
// not depend on its lane.
#pragma once

#include "kernels/movement.h"
#include "math/exp.h"
#include "math/log.h"
#include "simd/vectors.h"

constexpr int64_t kNarrow = 64;

// Column by column.
struct RowGroup {
  F32 v[kNarrow];
};

// `rows` of at most kLanes; lanes past them hold zeros.
inline void read_group(const float* x, int64_t columns, int rows, RowGroup& group) {
  for (int64_t first = 0; first < columns; first += kLanes) {
    const int width = static_cast<int>(columns - first < kLanes ? columns - first : kLanes);
    Vectors<kLanes> tile;
    for (int i = 0; i < kLanes; ++i) {
      tile.v[i] = i < rows ? bits(load_partial(x + i * columns + first, width)) : broadcast(0);
    }
    tile = interleave(tile);
    for (int i = 0; i < kLanes; ++i) {
      if (i < width) group.v[first + i] = from_bits(tile.v[i]);
    }
  }
}

inline void write_group(float* out, int64_t columns, int rows, const RowGroup& group) {
  for (int64_t first = 0; first < columns; first += kLanes) {
    const int width = static_cast<int>(columns - first < kLanes ? columns - first : kLanes);
    Vectors<kLanes> tile;
    for (int i = 0; i < kLanes; ++i) tile.v[i] = i < width ? bits(group.v[first + i]) : broadcast(0);
    tile = interleave(tile);
    for (int i = 0; i < kLanes; ++i) {
      if (i < rows) store_partial(out + i * columns + first, from_bits(tile.v[i]), width);
    }
  }
}

// group(first row, rows) for the rows [begin, end).
template <class Group>
inline void for_each_group(int64_t columns, int64_t begin, int64_t end, const Group& group) {
  if (columns == 0) return;
  for (int64_t row = begin; row < end; row += kLanes) {
    group(row, static_cast<int>(end - row < kLanes ? end - row : kLanes));
  }
}

// p·(−logSoftmax), and 0 where p is 0: an impossible class that has no weight is no 0·∞.
inline F32 weighted_loss(F32 p, F32 loss) { return select(p == zero(), zero(), p * loss); }
inline F64 weighted_loss(F64 p, F64 loss) { return select(p == broadcast(0.0), broadcast(0.0), p * loss); }

inline F32 greatest_of_rows(const RowGroup& x, int64_t columns) {
  F32 greatest = x.v[0];
  for (int64_t c = 1; c < columns; ++c) greatest = max(greatest, x.v[c]);
  return greatest;
}

// Subtracts the greatest element of each row and gives the sum of the powers, in two parts that overlap in time.
template <class Keep>
inline F32 sum_of_powers(RowGroup& x, int64_t columns, Keep keep) {
  const F32 greatest = greatest_of_rows(x, columns);
  F32 sums[2] = {zero(), zero()};
  for (int64_t c = 0; c < columns; ++c) {
    const F32 shifted = x.v[c] - greatest;
    const F32 power = exp(shifted);
    sums[c & 1] = sums[c & 1] + power;
    x.v[c] = keep(c, shifted, power);
  }
  return sums[0] + sums[1];
}
struct KeepPowers {
  F32 operator()(int64_t, F32, F32 power) const { return power; }
};
struct KeepShifted {
  F32 operator()(int64_t, F32 shifted, F32) const { return shifted; }
};

struct NarrowSoftmax {
  const float* x;
  float* out;
  int64_t columns;
  void operator()(int64_t row, int rows) const {
    RowGroup group;
    read_group(x + row * columns, columns, rows, group);
    const F32 factor = broadcast(1.0f) / sum_of_powers(group, columns, KeepPowers());
    for (int64_t c = 0; c < columns; ++c) group.v[c] = group.v[c] * factor;
    write_group(out + row * columns, columns, rows, group);
  }
};

struct NarrowLogSoftmax {
  const float* x;
  float* out;
  int64_t columns;
  void operator()(int64_t row, int rows) const {
    RowGroup group;
    read_group(x + row * columns, columns, rows, group);
    const F32 log_sum = log(sum_of_powers(group, columns, KeepShifted()));
    for (int64_t c = 0; c < columns; ++c) group.v[c] = group.v[c] - log_sum;
    write_group(out + row * columns, columns, rows, group);
  }
};

struct NarrowClassEntropy {
  const float* logits;
  const int32_t* labels;
  float* losses;
  float* gradient;
  int64_t columns;

  // The powers stay; what stands at the label is set aside.
  struct KeepLabelled {
    I32 label;
    F32* labelled;
    F32 operator()(int64_t c, F32 shifted, F32 power) const {
      *labelled = select(label == broadcast(static_cast<int32_t>(c)), shifted, *labelled);
      return power;
    }
  };

  void operator()(int64_t row, int rows) const {
    RowGroup group;
    read_group(logits + row * columns, columns, rows, group);
    const I32 label = load_partial(labels + row, rows);
    F32 labelled = zero();
    const F32 sum = sum_of_powers(group, columns, KeepLabelled{label, &labelled});
    store_partial(losses + row, log(sum) - labelled, rows);
    if (gradient == nullptr) return;
    const F32 one = broadcast(1.0f), factor = one / sum;
    for (int64_t c = 0; c < columns; ++c) {
      const F32 probability = group.v[c] * factor;
      const Mask chosen = label == broadcast(static_cast<int32_t>(c));
      group.v[c] = select(chosen, probability - one, probability);
    }
    write_group(gradient + row * columns, columns, rows, group);
  }
};

struct NarrowProbabilityEntropy {
  const float* logits;
  const float* labels;
  float* losses;
  float* gradient;
  int64_t columns;

  // Beside the powers, those without which there is no loss.
  struct KeepBoth {
    RowGroup* shifted_rows;
    F32 operator()(int64_t c, F32 shifted, F32 power) const {
      shifted_rows->v[c] = shifted;
      return power;
    }
  };

  void operator()(int64_t row, int rows) const {
    RowGroup group, shifted, p;
    read_group(logits + row * columns, columns, rows, group);
    read_group(labels + row * columns, columns, rows, p);
    const F32 sum = sum_of_powers(group, columns, KeepBoth{&shifted});
    const F32 log_sum = log(sum);
    F32 loss = zero(), total = zero();
    for (int64_t c = 0; c < columns; ++c) {
      loss = loss + weighted_loss(p.v[c], log_sum - shifted.v[c]);
      total = total + p.v[c];
    }
    store_partial(losses + row, loss, rows);
    if (gradient == nullptr) return;
    const F32 factor = total / sum;
    for (int64_t c = 0; c < columns; ++c) group.v[c] = group.v[c] * factor - p.v[c];
    write_group(gradient + row * columns, columns, rows, group);
  }
};
