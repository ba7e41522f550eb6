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

// The median of many runs, each of as many calls as the clock needs.
template <typename Body>
double median_seconds(double budget, Body&& body) {
  std::vector<double> samples;
  int repetitions = 1;
  for (const double start = seconds(); seconds() - start < budget || samples.size() < 5;) {
    const double before = seconds();
    for (int i = 0; i < repetitions; ++i) body();
    const double each = (seconds() - before) / repetitions;
    if (each * repetitions < 2e-5) {
      repetitions *= 2;
    } else {
      samples.push_back(each);
    }
  }
  std::nth_element(samples.begin(), samples.begin() + samples.size() / 2, samples.end());
  return samples[samples.size() / 2];
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
  if (table.gemm.lanes == 8) chains = avx2_chains;
  if (table.gemm.lanes == 16) chains = avx512_chains;
#endif
  const double operations = 2.0 * kChains * kLinks * static_cast<double>(table.gemm.lanes);
  return operations / best_seconds(0.1, chains) * 1e-9;
}

// Additions that wait for each other, of which a core does one at each turn.
inline double gigahertz() {
  constexpr int64_t kAdditions = 1 << 20;
  const double time = best_seconds(0.05, [] {
    int64_t sum = 0;
    for (int64_t i = 0; i < kAdditions; i += 16) {
#pragma GCC unroll 16
      for (int j = 0; j < 16; ++j) {
        sum += i;
        asm volatile("" : "+r"(sum));
      }
    }
  });
  return static_cast<double>(kAdditions) / time * 1e-9;
}

// Copies by whole vectors, four at a time; `bytes` is a multiple of 256.
template <typename V>
inline __attribute__((always_inline)) void copy_vectors(const void* from, void* to, size_t bytes) {
  const V* const x = static_cast<const V*>(from);
  V* const out = static_cast<V*>(to);
  for (size_t i = 0; i < bytes / sizeof(V); i += 4) {
    const V a = x[i], b = x[i + 1], c = x[i + 2], d = x[i + 3];
    out[i] = a;
    out[i + 1] = b;
    out[i + 2] = c;
    out[i + 3] = d;
    asm volatile("" ::: "memory");  // so that it stays this loop
  }
}
inline void baseline_copy(const void* from, void* to, size_t bytes) { copy_vectors<Floats4>(from, to, bytes); }
#if defined(__x86_64__)
__attribute__((target("avx2"))) inline void avx2_copy(const void* from, void* to, size_t bytes) {
  copy_vectors<__m256>(from, to, bytes);
}
__attribute__((target("avx512f"))) inline void avx512_copy(const void* from, void* to, size_t bytes) {
  copy_vectors<__m512>(from, to, bytes);
}
#endif

using CopyLoop = void (*)(const void* from, void* to, size_t bytes);
inline CopyLoop copy_loop(const KernelTable& table) {
#if defined(__x86_64__)
  if (table.gemm.lanes == 8) return avx2_copy;
  if (table.gemm.lanes == 16) return avx512_copy;
#endif
  (void)table;
  return baseline_copy;
}

// Bytes read and written per nanosecond by memcpy on one core, from one block larger than the caches to another.
inline double copy_gbs() {
  constexpr size_t kBytes = size_t{1} << 28;
  std::vector<char> from(kBytes, 1), to(kBytes, 2);
  return 2.0 * kBytes / best_seconds(0.5, [&] { std::memcpy(to.data(), from.data(), kBytes); }) * 1e-9;
}

}  // namespace galvani
