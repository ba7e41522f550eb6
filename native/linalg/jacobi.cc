#include "linalg/jacobi.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace galvani::linalg {
namespace {

// More sweeps than any matrix takes: convergence is quadratic.
constexpr int kMostSweeps = 60;
constexpr double kEpsilon = std::numeric_limits<double>::epsilon();
constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

struct Rotation {
  double cosine, sine;
};

// Of the angle that annihilates the off-diagonal element of [[p, pq], [pq, q]]: its tangent is at most 1 in size.
Rotation rotation_of(double p, double q, double pq) {
  const double cotangent = (q - p) / (2 * pq);
  const double root = std::fabs(cotangent) + std::sqrt(1 + cotangent * cotangent);
  const double tangent = (cotangent < 0 ? -1 : 1) / root;
  const double cosine = 1 / std::sqrt(1 + tangent * tangent);
  return {cosine, cosine * tangent};
}

// (x, y) becomes (c·x - s·y, s·x + c·y), element by element of two rows.
void rotate(double* x, double* y, int64_t length, Rotation by) {
  for (int64_t k = 0; k < length; ++k) {
    const double first = x[k], second = y[k];
    x[k] = by.cosine * first - by.sine * second;
    y[k] = by.sine * first + by.cosine * second;
  }
}

void set_identity(double* m, int64_t n) {
  std::fill(m, m + n * n, 0.0);
  for (int64_t i = 0; i < n; ++i) m[i * n + i] = 1;
}

// The places of x[i·stride] in order; equal ones stay in theirs.
template <typename IsBefore>
void sort(const double* x, int64_t stride, int32_t* order, int64_t count, IsBefore is_before) {
  for (int64_t i = 0; i < count; ++i) order[i] = static_cast<int32_t>(i);
  for (int64_t i = 1; i < count; ++i) {
    for (int64_t k = i; k > 0 && is_before(x[order[k] * stride], x[order[k - 1] * stride]); --k) {
      std::swap(order[k], order[k - 1]);
    }
  }
}

// The root of the sum of squares; NaN where an element is not finite.
double finite_norm(const double* x, int64_t size) {
  double squares = 0;
  for (int64_t i = 0; i < size; ++i) squares += x[i] * x[i];
  return squares < std::numeric_limits<double>::infinity() ? std::sqrt(squares) : kNaN;
}

bool annihilate(double* a, double* v, int64_t n, int64_t p, int64_t q, double threshold) {
  const double pq = a[p * n + q];
  if (!(std::fabs(pq) > threshold)) return false;
  const double pp = a[p * n + p], qq = a[q * n + q];
  const Rotation by = rotation_of(pp, qq, pq);
  rotate(a + p * n, a + q * n, n, by);
  for (int64_t k = 0; k < n; ++k) {
    a[k * n + p] = a[p * n + k];
    a[k * n + q] = a[q * n + k];
  }
  a[p * n + p] = pp - (by.sine / by.cosine) * pq;
  a[q * n + q] = qq + (by.sine / by.cosine) * pq;
  a[p * n + q] = a[q * n + p] = 0;
  rotate(v + p * n, v + q * n, n, by);
  return true;
}

// Makes two rows of w orthogonal, unless they are to within rounding.
bool separate(double* x, double* y, int64_t length, double tolerance, Rotation* by) {
  double xx = 0, yy = 0, xy = 0;
  for (int64_t k = 0; k < length; ++k) {
    xx += x[k] * x[k];
    yy += y[k] * y[k];
    xy += x[k] * y[k];
  }
  if (!(std::fabs(xy) > tolerance * std::sqrt(xx) * std::sqrt(yy))) return false;
  *by = rotation_of(xx, yy, xy);
  rotate(x, y, length, *by);
  return true;
}

void sweep_rows(double* w, double* v, int64_t count, int64_t length) {
  const double tolerance = std::sqrt(static_cast<double>(length)) * kEpsilon;
  bool rotated = true;
  for (int sweep = 0; sweep < kMostSweeps && rotated; ++sweep) {
    rotated = false;
    for (int64_t p = 0; p < count - 1; ++p) {
      for (int64_t q = p + 1; q < count; ++q) {
        Rotation by;
        if (!separate(w + p * length, w + q * length, length, tolerance, &by)) continue;
        rotated = true;
        rotate(v + p * count, v + q * count, count, by);
      }
    }
  }
}

// The axis that `count` orthonormal rows reach least.
int64_t axis_least_reached(const double* w, const int32_t* order, int64_t count, int64_t length) {
  int64_t best = 0;
  double least = std::numeric_limits<double>::infinity();
  for (int64_t i = 0; i < length; ++i) {
    double squares = 0;
    for (int64_t other = 0; other < count; ++other) {
      const double x = w[order[other] * length + i];
      squares += x * x;
    }
    if (squares < least) {
      best = i;
      least = squares;
    }
  }
  return best;
}

// A row of zeros becomes one of length 1 that is orthogonal to the first k.
void complete(double* w, const int32_t* order, int64_t k, int64_t length) {
  double* const row = w + order[k] * length;
  row[axis_least_reached(w, order, k, length)] = 1;
  // Twice, as the first time leaves what rounding made of it.
  for (int pass = 0; pass < 2; ++pass) {
    for (int64_t other = 0; other < k; ++other) {
      const double* const at = w + order[other] * length;
      double inner = 0;
      for (int64_t i = 0; i < length; ++i) inner += row[i] * at[i];
      for (int64_t i = 0; i < length; ++i) row[i] -= inner * at[i];
    }
  }
  const double norm = finite_norm(row, length);
  for (int64_t i = 0; i < length; ++i) row[i] /= norm;
}

}  // namespace

void diagonalize(double* a, double* v, int32_t* order, int64_t n) {
  set_identity(v, n);
  const double norm = finite_norm(a, n * n);
  if (std::isnan(norm)) {
    std::fill(a, a + n * n, kNaN);
    std::fill(v, v + n * n, kNaN);
  }
  bool rotated = !std::isnan(norm);
  for (int sweep = 0; sweep < kMostSweeps && rotated; ++sweep) {
    rotated = false;
    for (int64_t p = 0; p < n - 1; ++p) {
      for (int64_t q = p + 1; q < n; ++q) rotated |= annihilate(a, v, n, p, q, 0.5 * kEpsilon * norm);
    }
  }
  sort(a, n + 1, order, n, [](double x, double y) { return x < y; });
}

void orthogonalize(double* w, double* v, double* norms, int32_t* order, int64_t count, int64_t length) {
  set_identity(v, count);
  if (std::isnan(finite_norm(w, count * length))) {
    std::fill(w, w + count * length, kNaN);
    std::fill(v, v + count * count, kNaN);
  } else {
    sweep_rows(w, v, count, length);
  }
  for (int64_t i = 0; i < count; ++i) norms[i] = finite_norm(w + i * length, length);
  sort(norms, 1, order, count, [](double x, double y) { return x > y; });
  for (int64_t k = 0; k < count; ++k) {
    const double norm = norms[order[k]];
    double* const row = w + order[k] * length;
    if (norm == 0) {
      complete(w, order, k, length);
    } else {
      for (int64_t i = 0; i < length; ++i) row[i] /= norm;
    }
  }
}

}  // namespace galvani::linalg
