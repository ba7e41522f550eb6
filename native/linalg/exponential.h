// The exponential of one matrix in double, by the operations of lib/backend/reference in their order.
#pragma once

#include <cstdint>

namespace galvani::linalg {

// How many matrices of its size the exponential works in.
constexpr int64_t kExponentialScratch = 7;

// Of a[n, n] in place; NaN throughout where an element is not finite.
void exponential(double* a, double* scratch, int64_t n);

}  // namespace galvani::linalg
