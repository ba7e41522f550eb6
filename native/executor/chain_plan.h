// An elementwise group as a chain: steps of one accumulator that run on some vectors of elements at a time.
#pragma once

#include <vector>

#include "executor/prepared_instruction.h"

namespace galvani::chain {

// An array, or one element of each row. Rows that are `period` apart find the same.
struct Operand {
  Location location;
  bool is_array;
  int64_t row_stride;  // elements
  int64_t period;      // rows; 0: none
};

struct Plan {
  int64_t count;   // of elements
  int64_t length;  // of a row; that of all elements where operands have no rows
  std::vector<ChainStep> steps;
  std::vector<Operand> operands;  // outputs too
  double nanoseconds = 0;         // of an element
};

// False where the group is not cheap micro-ops of float32, or its operands are no such rows, or more values are in use
// at once than there are registers. Then it runs block by block.
bool make_plan(const Preparation& preparation, const Instruction& instruction, Plan* plan);

}  // namespace galvani::chain
