// An elementwise instruction: what a whole run and the parts of a product before it have in common.
#pragma once

#include <algorithm>

#include "executor/prepared_instruction.h"

namespace galvani {

class ElementGroup : public PreparedInstruction, public Tail {
 public:
  explicit ElementGroup(const Split& split) : PreparedInstruction(split), split_(split) {}

  bool run(Run& run) const override {
    begin(run);
    for_ranges(run.parallel, split_,
               [&](int64_t begin, int64_t end, int thread) { run_range(run, begin, end, thread); });
    return true;
  }

  const Tail* as_tail() const override { return this; }
  void begin(Run& /* run */) const override {}
  int64_t tail_workspace_bytes(int threads) const override { return workspace_bytes(threads); }
  void run_part(const Run& run, const GemmPart& part, const Location& /* product */, int thread) const override {
    if (part.columns == part.stride) return run_range(run, part.first, part.first + part.rows * part.columns, thread);
    for (int64_t row = 0; row < part.rows; ++row) {
      const int64_t begin = part.first + row * part.stride;
      run_range(run, begin, begin + part.columns, thread);
    }
  }

 protected:
  virtual void run_range(const Run& run, int64_t begin, int64_t end, int thread) const = 0;
  int64_t count() const { return split_.count; }

 private:
  Split split_;
};

}  // namespace galvani
