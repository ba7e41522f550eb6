// What an elementwise group does at each block: where its registers live, and which kernels run on them.
#pragma once

#include <vector>

#include "executor/prepared_instruction.h"

namespace galvani::elementwise {

constexpr int64_t kBlock = 2048;  // elements; a few blocks of them fit the first-level cache

enum class Load {
  k_direct,      // dense: a pointer into its memory
  k_scalar,      // one element, which all micro-ops that read it take as such
  k_prepared,    // the same block every time: a scalar, or rows that fit a block; filled once at the start of a run
  k_row,         // a row, again and again: a pointer into it wherever no row ends in the block
  k_column,      // one element for each row, or for rows that are a multiple of so many apart
  k_in_row,      // k_row and k_column where blocks stay in a row: a pointer into it,
  k_row_scalar,  // and a scalar
  k_in_rows,     // k_column whose short rows are all in such a row, which is filled once at the start of a run
  k_strided,
};

struct Operand {
  Load load;
  Location location;       // of its first element
  StridedView view;        // collapsed
  int64_t bytes;           // of an element
  bool is_staged = false;  // copied before it is used, as an output overwrites it too soon
  int32_t slot = -1;       // the scratch block that it is loaded into, where it needs one
};

// Registers are entries of a table of pointers, made anew for each block: operands, outputs, scratch blocks, and null.
struct Micro {
  MicroKernel kernel;
  int32_t args[3];
  int32_t target;
};

struct Copy {
  int32_t from, to;  // entries
  int64_t bytes;     // of an element
};

struct Plan {
  Split split{};
  int64_t block = kBlock;  // elements of one
  int64_t row = 0;         // blocks end where rows of this length do; 0: they need not
  std::vector<Operand> operands;
  std::vector<Location> outputs;
  std::vector<int64_t> output_bytes;  // of an element
  std::vector<Micro> code;
  std::vector<Copy> copies;    // at the end of each block
  int64_t slot_width = 4;      // bytes of an element of a scratch block
  int32_t slots = 0;           // scratch blocks of a thread
  int32_t prepared = 0;        // scratch blocks that all threads read,
  int64_t prepared_block = 0;  // and elements of one
};

// False, with preparation.error set, where a kernel is missing.
bool make_plan(Preparation& preparation, const Instruction& instruction, Plan* plan);

}  // namespace galvani::elementwise
