// What elementwise instructions have in common, block by block or as chains: how operands lie, and the two ways to run
// them, as a whole and in the parts of a product before them.
#pragma once

#include <algorithm>

#include "executor/prepared_instruction.h"

namespace galvani {

// Collapsed views of operands, by what a group finds in them: one element everywhere, a row again and again, or an
// element of each row, or of rows that are a multiple of so many apart.
inline bool is_one_element(const StridedView& view) { return view.rank == 1 && view.strides[0] == 0; }
inline bool is_row(const StridedView& view) { return view.rank == 2 && view.strides[0] == 0 && view.strides[1] == 1; }
inline bool is_column(const StridedView& view) {
  if (view.rank == 2) return view.strides[1] == 0;
  return view.rank == 3 && view.strides[0] == 0 && view.strides[2] == 0;
}

// Of a row or a column: the elements of a row; those of a column, and what is between them.
inline int64_t row_length(const StridedView& view) { return view.shape[view.rank - 1]; }
inline int64_t column_length(const StridedView& view) { return view.shape[view.rank - 2]; }
inline int64_t column_stride(const StridedView& view) { return view.strides[view.rank - 2]; }

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
