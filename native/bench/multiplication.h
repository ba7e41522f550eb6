// Matrix products to measure and to test: their shapes and how the operands lie.
#pragma once

#include <cmath>
#include <iterator>
#include <random>

#include "gemm/gemm.h"

namespace galvani {

// C[batch] = A[batch] · B[batch], all with dense batches. A is stored in its rows, of a_stride floats, or if transposed
// in its columns; B likewise.
struct Multiplication {
  GemmShape shape;
  bool transpose_a, transpose_b;
  int64_t a_stride, b_stride;
};

inline MatrixView view_a(const Multiplication& x, const float* a) {
  const int64_t lines = x.transpose_a ? x.shape.k : x.shape.m;
  return {a, lines * x.a_stride, x.transpose_a ? 1 : x.a_stride, x.transpose_a ? x.a_stride : 1};
}

inline MatrixView view_b(const Multiplication& x, const float* b) {
  const int64_t lines = x.transpose_b ? x.shape.n : x.shape.k;
  return {b, lines * x.b_stride, x.transpose_b ? 1 : x.b_stride, x.transpose_b ? x.b_stride : 1};
}

inline int64_t floats_of_a(const Multiplication& x) {
  return x.shape.batch * (x.transpose_a ? x.shape.k : x.shape.m) * x.a_stride;
}
inline int64_t floats_of_b(const Multiplication& x) {
  return x.shape.batch * (x.transpose_b ? x.shape.n : x.shape.k) * x.b_stride;
}

constexpr int kSweepShapes = 200;

// Random shapes of every kind, the same ones in every run.
class SweepShapes {
 public:
  Multiplication next() {
    constexpr int kKinds = 8;
    const int kind = static_cast<int>(below(kKinds));
    Multiplication x = {};
    GemmShape& s = x.shape;
    s = {1, size(320), size(320), size(320)};
    if (kind == 1) s = {1, prime(), prime(), prime()};
    if (kind == 2) s.k = 1 + below(4);
    if (kind == 3) s = {1, size(4000), size(64), size(200)};  // tall
    if (kind == 4) s = {1, size(64), size(4000), size(200)};  // wide
    if (kind == 5) s.n = 10;
    if (kind == 6) s = {1 + below(256), size(32), size(32), size(32)};  // a batch of small ones
    if (kind == 7) (below(2) == 0 ? s.m : s.n) = 1 + below(8);          // nearly a vector
    x.transpose_a = below(2) == 0;
    x.transpose_b = below(2) == 0;
    x.a_stride = (x.transpose_a ? s.m : s.k) + padding();
    x.b_stride = (x.transpose_b ? s.k : s.n) + padding();
    return x;
  }

 private:
  // std's distributions differ between libraries, the generator does not.
  int64_t below(int64_t n) { return static_cast<int64_t>(generator_() % static_cast<uint64_t>(n)); }
  // As many small as large.
  int64_t size(double most) {
    const double unit = static_cast<double>(below(1 << 20)) / (1 << 20);
    return static_cast<int64_t>(std::exp(unit * std::log(most + 0.99)));
  }
  int64_t prime() {
    static constexpr int64_t kPrimes[] = {1, 2, 3, 7, 13, 31, 47, 61, 97, 127, 211, 263, 397};
    return kPrimes[below(std::size(kPrimes))];
  }
  int64_t padding() { return below(3) == 0 ? 1 + below(40) : 0; }

  std::mt19937_64 generator_{1};
};

}  // namespace galvani
