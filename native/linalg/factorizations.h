// Factorizations and systems of equations, one matrix at a time, row-major and in double: results are rounded once,
// where they are stored. Each does the operations of lib/backend/reference in their order, and so gives their bits.
#pragma once

#include <cstdint>

namespace galvani::linalg {

// L of L·Lᵀ = A from the lower triangle of A; the upper one of `l` becomes 0. False where A is not positive definite.
template <typename T>
bool factor_cholesky(const T* a, double* l, int64_t n);

// P·A = L·U in place, with the greatest element of each column as its pivot (the first of several); the rows of x,
// which has `width` columns, are exchanged alike. The sign of P, or 0 where a pivot is 0: below it everything is.
double factor_lu(double* a, int64_t rows, int64_t columns, double* x, int64_t width);

// A square matrix as a triangular system reads it.
template <typename T>
struct Triangle {
  const T* data;
  int64_t n;
  bool is_lower, is_transposed, has_unit_diagonal;  // is_lower: of the matrix as it is stored

  double at(int64_t row, int64_t column) const {
    return is_transposed ? data[column * n + row] : data[row * n + column];
  }
};

// Solves the system in place: row by row, from the top where it is lower triangular, else from the bottom.
template <typename T>
void substitute(const Triangle<T>& a, double* x, int64_t columns) {
  const bool is_forward = a.is_lower != a.is_transposed;
  for (int64_t step = 0; step < a.n; ++step) {
    const int64_t i = is_forward ? step : a.n - 1 - step;
    for (int64_t done = 0; done < step; ++done) {
      const int64_t k = is_forward ? done : a.n - 1 - done;
      const double coefficient = a.at(i, k);
      for (int64_t j = 0; j < columns; ++j) x[i * columns + j] -= coefficient * x[k * columns + j];
    }
    if (a.has_unit_diagonal) continue;
    const double pivot = a.at(i, i);
    for (int64_t j = 0; j < columns; ++j) x[i * columns + j] /= pivot;
  }
}

// X of A·X = B in place of B, of which NaN where a pivot is 0; A is overwritten.
void solve(double* a, int64_t n, double* x, int64_t columns);

struct Determinant {
  double value, sign, log_abs;
};

// Of a matrix, which it overwrites.
Determinant determinant(double* a, int64_t n);

// Householder's reflections: R takes the upper triangle of a[rows, columns], Q is q[rows, min(rows, columns)].
// `factors` is scratch of that many.
void factor_qr(double* a, double* q, double* factors, int64_t rows, int64_t columns);

}  // namespace galvani::linalg
