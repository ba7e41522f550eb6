// The parts of decode_program(). Each returns whether all is well, and says what is not in `error`.
#pragma once

#include <cstdarg>
#include <initializer_list>
#include <limits>

#include "program/program.h"

namespace galvani {

// More elements than any machine holds, and few enough that sums and byte counts of sizes cannot overflow.
constexpr int64_t kMaxElements = int64_t{1} << 48;

// The product of extents, or int64's greatest value (which is the size of nothing) where it exceeds kMaxElements.
int64_t checked_product(const int64_t* extents, int count);
inline int64_t checked_product(std::initializer_list<int64_t> extents) {
  return checked_product(extents.begin(), static_cast<int>(extents.size()));
}

// Formats into `error` and returns false.
bool fail(std::string* error, const char* format, ...) __attribute__((format(printf, 2, 3)));

// Counts, dtypes, sizes, addresses and register code of one instruction.
bool check_operands(const Program& program, const Instruction& instruction, std::string* error);

// Every value is written once and before it is read, nothing that is still to be read is overwritten, and no
// instruction can fail once a state has been written.
bool check_order(const Program& program, std::string* error);

// Whether a view's elements are those of a dense array, in order.
bool is_dense(const StridedView& view);

}  // namespace galvani
