#include "linalg/exponential.h"

#include <algorithm>
#include <cmath>
#include <initializer_list>
#include <limits>

#include "linalg/factorizations.h"

namespace galvani::linalg {
namespace {

// The coefficients of Padé's approximant of order 13, and up to which 1-norm it is exact to double (N. J. Higham 2005,
// "The scaling and squaring method for the matrix exponential revisited").
constexpr double kPade[] = {64764752532480000,
                            32382376266240000,
                            7771770303897600,
                            1187353796428800,
                            129060195264000,
                            10559470521600,
                            670442572800,
                            33522128640,
                            1323241920,
                            40840800,
                            960960,
                            16380,
                            182,
                            1};
constexpr double kGreatestNorm = 5.371920351148152;

// Of the sums of columns the greatest, or NaN where one is not finite.
double norm_of(const double* a, int64_t n) {
  double norm = 0;
  for (int64_t j = 0; j < n; ++j) {
    double sum = 0;
    for (int64_t i = 0; i < n; ++i) sum += std::fabs(a[i * n + j]);
    if (!std::isfinite(sum)) return std::numeric_limits<double>::quiet_NaN();
    norm = std::max(norm, sum);
  }
  return norm;
}

void multiply(const double* a, const double* b, double* out, int64_t n) {
  std::fill(out, out + n * n, 0.0);
  for (int64_t i = 0; i < n; ++i) {
    for (int64_t k = 0; k < n; ++k) {
      const double factor = a[i * n + k];
      for (int64_t j = 0; j < n; ++j) out[i * n + j] += factor * b[k * n + j];
    }
  }
}

struct Term {
  const double* matrix;
  double factor;
};

// Σ factor·matrix in their order, and `diagonal` times the identity.
void combine(std::initializer_list<Term> terms, double diagonal, double* out, int64_t n) {
  for (int64_t i = 0; i < n * n; ++i) {
    double sum = 0;
    for (const Term& term : terms) sum += term.factor * term.matrix[i];
    out[i] = sum;
  }
  if (diagonal == 0) return;
  for (int64_t i = 0; i < n; ++i) out[i * n + i] += diagonal;
}

// The odd powers of the series without one factor A (parity 1), or the even ones (parity 0).
void sum_series(const double* a2, const double* a4, const double* a6, int parity, double* high, double* out,
                int64_t n) {
  combine({{a6, kPade[12 + parity]}, {a4, kPade[10 + parity]}, {a2, kPade[8 + parity]}}, 0, high, n);
  multiply(a6, high, out, n);
  combine({{out, 1}, {a6, kPade[6 + parity]}, {a4, kPade[4 + parity]}, {a2, kPade[2 + parity]}}, kPade[parity], out, n);
}

}  // namespace

void exponential(double* a, double* scratch, int64_t n) {
  const int64_t size = n * n;
  double norm = norm_of(a, n);
  if (std::isnan(norm)) {
    std::fill(a, a + size, norm);
    return;
  }
  int squarings = 0;
  for (; norm > kGreatestNorm; norm /= 2) ++squarings;
  const double scale = std::ldexp(1.0, squarings);
  for (int64_t i = 0; i < size; ++i) a[i] /= scale;
  double* const a2 = scratch;
  double *const a4 = a2 + size, *const a6 = a4 + size, *const u = a6 + size, *const v = u + size;
  double *const numerator = v + size, *const denominator = numerator + size;
  multiply(a, a, a2, n);
  multiply(a2, a2, a4, n);
  multiply(a2, a4, a6, n);
  sum_series(a2, a4, a6, 1, numerator, v, n);
  multiply(a, v, u, n);
  sum_series(a2, a4, a6, 0, numerator, v, n);
  combine({{v, 1}, {u, 1}}, 0, numerator, n);
  combine({{v, 1}, {u, -1}}, 0, denominator, n);
  solve(denominator, n, numerator, n);
  for (; squarings > 0; --squarings) {
    multiply(numerator, numerator, denominator, n);
    std::copy(denominator, denominator + size, numerator);
  }
  std::copy(numerator, numerator + size, a);
}

}  // namespace galvani::linalg
