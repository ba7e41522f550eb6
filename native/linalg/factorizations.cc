#include "linalg/factorizations.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace galvani::linalg {
namespace {

void exchange_rows(double* x, int64_t columns, int64_t i, int64_t k) {
  std::swap_ranges(x + i * columns, x + (i + 1) * columns, x + k * columns);
}

// Column j from row j on becomes (beta, 0, …); below beta stands v of H = I - tau·v·vᵀ, v₀ = 1. Gives tau.
double make_reflection(double* a, int64_t rows, int64_t columns, int64_t j) {
  const double alpha = a[j * columns + j];
  double squares = 0;
  for (int64_t i = j + 1; i < rows; ++i) squares += a[i * columns + j] * a[i * columns + j];
  if (squares == 0) return 0;
  const double norm = std::sqrt(alpha * alpha + squares);
  const double beta = alpha >= 0 ? -norm : norm;
  for (int64_t i = j + 1; i < rows; ++i) a[i * columns + j] /= alpha - beta;
  a[j * columns + j] = beta;
  return (beta - alpha) / beta;
}

// Applies the reflection in column j of `a` to columns [first, stride) of x[rows, stride].
void reflect(const double* a, int64_t rows, int64_t columns, int64_t j, double factor, double* x, int64_t stride,
             int64_t first) {
  for (int64_t column = first; column < stride; ++column) {
    double inner = x[j * stride + column];
    for (int64_t i = j + 1; i < rows; ++i) inner += a[i * columns + j] * x[i * stride + column];
    inner *= factor;
    x[j * stride + column] -= inner;
    for (int64_t i = j + 1; i < rows; ++i) x[i * stride + column] -= inner * a[i * columns + j];
  }
}

double sign_of(double x) { return x > 0 ? 1 : x < 0 ? -1 : x; }

}  // namespace

template <typename T>
bool factor_cholesky(const T* a, double* l, int64_t n) {
  std::fill(l, l + n * n, 0.0);
  for (int64_t j = 0; j < n; ++j) {
    for (int64_t i = j; i < n; ++i) {
      double sum = a[i * n + j];
      for (int64_t k = 0; k < j; ++k) sum -= l[i * n + k] * l[j * n + k];
      if (i > j) {
        l[i * n + j] = sum / l[j * n + j];
      } else if (sum > 0) {
        l[j * n + j] = std::sqrt(sum);
      } else {
        return false;
      }
    }
  }
  return true;
}
template bool factor_cholesky(const float* a, double* l, int64_t n);
template bool factor_cholesky(const double* a, double* l, int64_t n);

double factor_lu(double* a, int64_t rows, int64_t columns, double* x, int64_t width) {
  double sign = 1;
  for (int64_t k = 0; k < std::min(rows, columns); ++k) {
    int64_t pivot = k;
    for (int64_t i = k + 1; i < rows; ++i) {
      if (std::fabs(a[i * columns + k]) > std::fabs(a[pivot * columns + k])) pivot = i;
    }
    if (a[pivot * columns + k] == 0) {
      sign = 0;
      continue;
    }
    if (pivot != k) {
      sign = -sign;
      exchange_rows(a, columns, k, pivot);
      exchange_rows(x, width, k, pivot);
    }
    for (int64_t i = k + 1; i < rows; ++i) {
      const double factor = a[i * columns + k] / a[k * columns + k];
      a[i * columns + k] = factor;
      for (int64_t j = k + 1; j < columns; ++j) a[i * columns + j] -= factor * a[k * columns + j];
    }
  }
  return sign;
}

void solve(double* a, int64_t n, double* x, int64_t columns) {
  if (factor_lu(a, n, n, x, columns) == 0) {
    std::fill(x, x + n * columns, std::numeric_limits<double>::quiet_NaN());
    return;
  }
  substitute(Triangle<double>{a, n, true, false, true}, x, columns);
  substitute(Triangle<double>{a, n, false, false, false}, x, columns);
}

Determinant determinant(double* a, int64_t n) {
  const double parity = factor_lu(a, n, n, nullptr, 0);
  if (parity == 0) return {0, 0, -std::numeric_limits<double>::infinity()};
  Determinant result{parity, parity, 0};
  for (int64_t k = 0; k < n; ++k) {
    const double pivot = a[k * n + k];
    result.value *= pivot;
    result.sign *= sign_of(pivot);
    result.log_abs += std::log(std::fabs(pivot));
  }
  return result;
}

void factor_qr(double* a, double* q, double* factors, int64_t rows, int64_t columns) {
  const int64_t k = std::min(rows, columns);
  for (int64_t j = 0; j < k; ++j) {
    factors[j] = make_reflection(a, rows, columns, j);
    reflect(a, rows, columns, j, factors[j], a, columns, j + 1);
  }
  std::fill(q, q + rows * k, 0.0);
  for (int64_t j = 0; j < k; ++j) q[j * k + j] = 1;
  for (int64_t j = k - 1; j >= 0; --j) reflect(a, rows, columns, j, factors[j], q, k, j);
}

}  // namespace galvani::linalg
