// The families of instructions, each prepared in a file of its own, and what they are made of.
#pragma once

#include <utility>

#include "executor/step.h"

namespace galvani {

// A step that runs body(run, begin, end) over the ranges of its split.
template <typename Body>
class RangeStep final : public Step {
 public:
  RangeStep(const Split& split, Body body) : Step(split.tasks()), split_(split), body_(std::move(body)) {}
  bool run(Run& run) const override {
    for_ranges(run.parallel, split_, [&](int64_t begin, int64_t end, int) { body_(std::as_const(run), begin, end); });
    return true;
  }

 private:
  Split split_;
  Body body_;
};

template <typename Body>
std::unique_ptr<Step> make_range_step(const Split& split, Body body) {
  return std::make_unique<RangeStep<Body>>(split, std::move(body));
}

// Without a branch, so that it becomes vectors: the sign of i, or of limit - 1 - i, is set where i is outside [0,
// limit).
inline bool are_in_range(const int32_t* indices, int64_t count, int64_t limit) {
  const uint32_t last = static_cast<uint32_t>(std::min<int64_t>(limit, INT32_MAX) - 1);
  uint32_t signs = 0;
  for (int64_t i = 0; i < count; ++i) {
    const uint32_t index = static_cast<uint32_t>(indices[i]);
    signs |= index | (last - index);
  }
  return signs >> 31 == 0;
}

// The first of `count` indices outside [0, limit) fails the run.
inline bool check_indices(Run& run, const int32_t* indices, int64_t count, int64_t limit) {
  if (limit > 0 && are_in_range(indices, count, limit)) return true;
  for (int64_t i = 0; i < count; ++i) {
    if (indices[i] >= 0 && indices[i] < limit) continue;
    run.failure = {-1, i, indices[i], limit};
    return false;
  }
  return true;
}

// A step that reads `count` indices at `indices` and so may fail before anything else.
template <typename Body>
class CheckedStep final : public Step {
 public:
  CheckedStep(Location indices, int64_t count, int64_t limit, const Split& split, Body body)
      : Step(split.tasks()), indices_(indices), count_(count), limit_(limit), rest_(split, std::move(body)) {}
  bool run(Run& run) const override {
    return check_indices(run, indices_.in<const int32_t>(run), count_, limit_) && rest_.run(run);
  }

 private:
  Location indices_;
  int64_t count_, limit_;
  RangeStep<Body> rest_;
};

template <typename Body>
std::unique_ptr<Step> make_checked_step(Location indices, int64_t count, int64_t limit, const Split& split, Body body) {
  return std::make_unique<CheckedStep<Body>>(indices, count, limit, split, std::move(body));
}

// Null, with preparation.error set, where a kernel is missing.
std::unique_ptr<Step> make_elementwise(Preparation& preparation, const Instruction& instruction);

std::unique_ptr<Step> make_matmul(const Preparation& preparation, const Instruction& instruction);
std::unique_ptr<Step> make_reduce(const Preparation& preparation, const Instruction& instruction);
std::unique_ptr<Step> make_argmax(const Preparation& preparation, const Instruction& instruction);
std::unique_ptr<Step> make_softmax(const Preparation& preparation, const Instruction& instruction);
std::unique_ptr<Step> make_cross_entropy(const Preparation& preparation, const Instruction& instruction);
std::unique_ptr<Step> make_attention(const Preparation& preparation, const Instruction& instruction);
std::unique_ptr<Step> make_random(const Preparation& preparation, const Instruction& instruction);
std::unique_ptr<Step> make_sample(const Preparation& preparation, const Instruction& instruction);
std::unique_ptr<Step> make_sgd(const Preparation& preparation, const Instruction& instruction);
std::unique_ptr<Step> make_momentum(const Preparation& preparation, const Instruction& instruction);
std::unique_ptr<Step> make_adam(const Preparation& preparation, const Instruction& instruction);

std::unique_ptr<Step> make_scan(const Preparation& preparation, const Instruction& instruction);
std::unique_ptr<Step> make_recurrence(const Preparation& preparation, const Instruction& instruction);
std::unique_ptr<Step> make_argsort(const Preparation& preparation, const Instruction& instruction);

std::unique_ptr<Step> make_matrices(const Preparation& preparation, const Instruction& instruction);

std::unique_ptr<Step> make_copy(const Preparation& preparation, const Instruction& instruction);
std::unique_ptr<Step> make_pad(const Preparation& preparation, const Instruction& instruction);
std::unique_ptr<Step> make_concat(const Preparation& preparation, const Instruction& instruction);
std::unique_ptr<Step> make_gather(const Preparation& preparation, const Instruction& instruction);
std::unique_ptr<Step> make_scatter_add(const Preparation& preparation, const Instruction& instruction);
std::unique_ptr<Step> make_take_along_axis(const Preparation& preparation, const Instruction& instruction);
std::unique_ptr<Step> make_scatter_along_axis(const Preparation& preparation, const Instruction& instruction);

std::unique_ptr<Step> make_convolution(const Preparation& preparation, const Instruction& instruction);
std::unique_ptr<Step> make_max_pool(const Preparation& preparation, const Instruction& instruction);

}  // namespace galvani
