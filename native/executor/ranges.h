// Instructions that run a body over ranges of their outputs, and the checks of the indices that some of them read.
#pragma once

#include <algorithm>
#include <cstring>
#include <memory>
#include <utility>

#include "base/numbers.h"
#include "executor/prepared_instruction.h"

namespace galvani {

// Runs body(run, begin, end) over the ranges of its split.
template <typename Body>
class PreparedRanges final : public PreparedInstruction {
 public:
  PreparedRanges(const Split& split, Body body) : PreparedInstruction(split), split_(split), body_(std::move(body)) {}
  bool run(Run& run) const override {
    for_ranges(run.parallel, split_, [&](int64_t begin, int64_t end, int) { body_(std::as_const(run), begin, end); });
    return true;
  }

 private:
  Split split_;
  Body body_;
};

template <typename Body>
std::unique_ptr<PreparedInstruction> prepare_ranges(const Split& split, Body body) {
  return std::make_unique<PreparedRanges<Body>>(split, std::move(body));
}

// memcpy, which takes no null even for nothing.
inline void copy_bytes(uint8_t* out, const uint8_t* x, int64_t bytes) {
  if (bytes > 0) std::memcpy(out, x, bytes);
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
    run.failure = {-1, i, static_cast<double>(indices[i]), limit};
    return false;
  }
  return true;
}

struct AsChecked {
  int64_t operator()(int32_t index) const { return index; }
};

// Calls body(at), where at(index) is one of `count` rows: the one that was checked, whatever became of it in between.
template <typename Body>
void with_rows(const Run& run, int64_t count, Body body) {
  if (run.is_lent) return body(Below(count));
  body(AsChecked());
}

// The same, where that reads `count` indices at `indices` and so may fail before anything else.
template <typename Body>
class PreparedCheckedRanges final : public PreparedInstruction {
 public:
  PreparedCheckedRanges(Location indices, int64_t count, int64_t limit, const Split& split, Body body)
      : PreparedInstruction(split), indices_(indices), count_(count), limit_(limit), rest_(split, std::move(body)) {}
  bool run(Run& run) const override {
    return check_indices(run, indices_.in<const int32_t>(run), count_, limit_) && rest_.run(run);
  }

 private:
  Location indices_;
  int64_t count_, limit_;
  PreparedRanges<Body> rest_;
};

template <typename Body>
std::unique_ptr<PreparedInstruction> prepare_checked_ranges(Location indices, int64_t count, int64_t limit,
                                                            const Split& split, Body body) {
  return std::make_unique<PreparedCheckedRanges<Body>>(indices, count, limit, split, std::move(body));
}

}  // namespace galvani
