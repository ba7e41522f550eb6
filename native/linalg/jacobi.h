// Eigenvalues and singular values by Jacobi's rotations, one matrix at a time, in double (Golub & Van Loan, "Matrix
// Computations", sections 8.5 and 8.6.3). The operations of lib/backend/reference/jacobi.ts in their order.
#pragma once

#include <cstdint>

namespace galvani::linalg {

// a[n, n], symmetric, becomes diagonal, with the eigenvalues in no order; the rows of v[n, n] become the eigenvectors,
// and `order` their places by ascending eigenvalue. Everything is NaN where an element is not finite.
void diagonalize(double* a, double* v, int32_t* order, int64_t n);

// The rows of w[count, length], count <= length, become orthonormal, `norms` what was their length: v·W = diag(norms)·w
// for the rotations v[count, count]. `order` is by descending norm. Everything is NaN where an element is not finite.
void orthogonalize(double* w, double* v, double* norms, int32_t* order, int64_t count, int64_t length);

}  // namespace galvani::linalg
