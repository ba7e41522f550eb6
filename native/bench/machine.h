// What this machine can do: the peak of fused multiply-adds per instruction set, and the bandwidth of a copy.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstring>
#include <vector>

#include "kernels/kernel_table.h"

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace galvani {

inline double seconds() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

// The shortest of many runs, as a machine that does other things too lengthens them at random.
template <typename Body>
double best_seconds(double budget, Body&& body) {
  double best = 1e9;
  int repetitions = 1;
  for (const double start = seconds(); seconds() - start < budget;) {
    const double before = seconds();
    for (int i = 0; i < repetitions; ++i) body();
    const double each = (seconds() - before) / repetitions;
    best = std::min(best, each);
    if (each * repetitions < 2e-5) repetitions *= 2;
  }
  return best;
}

constexpr int kChains = 12;  // enough to cover the latency of two units
constexpr int kLinks = 1 << 15;

// What a chain holds after each step, said to the compiler so that it computes all of them.
#if defined(__x86_64__)
#define GALVANI_IN_REGISTER "+v"
#else
#define GALVANI_IN_REGISTER "+w"
#endif

typedef float Floats4 __attribute__((vector_size(16)));

inline void baseline_chains() {
  Floats4 chains[kChains] = {};
  for (int i = 0; i < kLinks; ++i) {
#pragma GCC unroll 12
    for (int c = 0; c < kChains; ++c) {
      chains[c] = chains[c] * chains[c] + chains[c];
      asm volatile("" : GALVANI_IN_REGISTER(chains[c]));
    }
  }
}

#if defined(__x86_64__)
__attribute__((target("avx2,fma"))) inline void avx2_chains() {
  __m256 chains[kChains] = {};
  for (int i = 0; i < kLinks; ++i) {
#pragma GCC unroll 12
    for (int c = 0; c < kChains; ++c) {
      chains[c] = _mm256_fmadd_ps(chains[c], chains[c], chains[c]);
      asm volatile("" : GALVANI_IN_REGISTER(chains[c]));
    }
  }
}

__attribute__((target("avx512f"))) inline void avx512_chains() {
  __m512 chains[kChains] = {};
  for (int i = 0; i < kLinks; ++i) {
#pragma GCC unroll 12
    for (int c = 0; c < kChains; ++c) {
      chains[c] = _mm512_fmadd_ps(chains[c], chains[c], chains[c]);
      asm volatile("" : GALVANI_IN_REGISTER(chains[c]));
    }
  }
}
#endif

// Of multiplications and additions for the baseline.
inline double peak_gflops(const KernelTable& table) {
  void (*chains)() = baseline_chains;
#if defined(__x86_64__)
  if (&table == &kAvx2Kernels) chains = avx2_chains;
  if (&table == &kAvx512Kernels) chains = avx512_chains;
#endif
  const double operations = 2.0 * kChains * kLinks * static_cast<double>(table.gemm.lanes);
  return operations / best_seconds(0.1, chains) * 1e-9;
}

// Bytes read and written per nanosecond by memcpy on one core, from one block larger than the caches to another.
inline double copy_gbs() {
  constexpr size_t kBytes = size_t{1} << 28;
  std::vector<char> from(kBytes, 1), to(kBytes, 2);
  return 2.0 * kBytes / best_seconds(0.5, [&] { std::memcpy(to.data(), from.data(), kBytes); }) * 1e-9;
}

}  // namespace galvani
