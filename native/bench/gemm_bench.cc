// GFLOP/s of gemm() per instruction set on one and two threads, and the share of the peak of fused multiply-adds (of
// multiplications and additions for the baseline) that this is. An argument selects instruction sets by name.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <vector>

#include "gemm/gemm.h"
#include "runtime/cpu.h"
#include "runtime/thread_pool.h"

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace galvani {
namespace {

double seconds() {
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

void baseline_chains() {
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
__attribute__((target("avx2,fma"))) void avx2_chains() {
  __m256 chains[kChains] = {};
  for (int i = 0; i < kLinks; ++i) {
#pragma GCC unroll 12
    for (int c = 0; c < kChains; ++c) {
      chains[c] = _mm256_fmadd_ps(chains[c], chains[c], chains[c]);
      asm volatile("" : GALVANI_IN_REGISTER(chains[c]));
    }
  }
}

__attribute__((target("avx512f"))) void avx512_chains() {
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

double peak_gflops(const KernelTable& table) {
  void (*chains)() = baseline_chains;
#if defined(__x86_64__)
  if (&table == &kAvx2Kernels) chains = avx2_chains;
  if (&table == &kAvx512Kernels) chains = avx512_chains;
#endif
  const double operations = 2.0 * kChains * kLinks * static_cast<double>(table.gemm.lanes);
  return operations / best_seconds(0.1, chains) * 1e-9;
}

struct Case {
  GemmShape shape;
  bool transpose_a, transpose_b;
};

// The products of a step of the MLP 784-256-128-10 at batch 128; of inference; cubes; small ones; a batch.
constexpr Case kCases[] = {
    {{1, 128, 256, 784}, false, false}, {{1, 128, 128, 256}, false, false}, {{1, 128, 10, 128}, false, false},
    {{1, 128, 10, 128}, true, false},   {{1, 128, 128, 10}, false, true},   {{1, 256, 128, 128}, true, false},
    {{1, 128, 256, 128}, false, true},  {{1, 784, 256, 128}, true, false},  {{1, 128, 784, 256}, false, true},
    {{1, 32, 256, 784}, false, false},  {{1, 784, 256, 32}, true, false},   {{1, 1024, 256, 784}, false, false},
    {{1, 784, 256, 1024}, true, false}, {{1, 1, 256, 784}, false, false},   {{1, 1, 256, 784}, false, true},
    {{1, 8, 256, 784}, false, true},    {{1, 1, 2048, 2048}, false, false}, {{1, 8, 2048, 2048}, false, false},
    {{1, 784, 1, 128}, true, false},    {{1, 128, 1, 784}, false, false},   {{1, 64, 64, 64}, false, false},
    {{1, 256, 256, 256}, false, false}, {{1, 256, 256, 256}, true, true},   {{1, 512, 512, 512}, false, false},
    {{1, 1024, 1024, 1024}, false, false}, {{1, 1024, 1024, 1024}, true, true}, {{1, 2, 3, 4}, false, false},
    {{1, 4, 3, 2}, true, false},        {{1, 2, 4, 3}, false, true},        {{1, 4, 3, 4}, false, false},
    {{64, 32, 32, 32}, false, false},   {{512, 4, 4, 4}, false, false},
};

struct Free {
  void operator()(void* p) const { std::free(p); }
};
using Buffer = std::unique_ptr<float, Free>;

Buffer make_buffer(int64_t floats) {
  const size_t bytes = (static_cast<size_t>(floats) * sizeof(float) + 127) / 64 * 64;
  Buffer buffer(static_cast<float*>(std::aligned_alloc(64, bytes)));
  for (size_t i = 0; i < bytes / sizeof(float); ++i) buffer.get()[i] = static_cast<float>(i * 37 % 101) / 101 - 0.5f;
  return buffer;
}

double gemm_seconds(const Case& c, const KernelTable& table, Parallel& parallel) {
  const GemmShape& s = c.shape;
  const Buffer a = make_buffer(s.batch * s.m * s.k), b = make_buffer(s.batch * s.k * s.n);
  const Buffer out = make_buffer(s.batch * s.m * s.n), bias = make_buffer(s.n);
  const size_t bytes = gemm_workspace_bytes(s, table.gemm, parallel.threads());
  const Buffer workspace = make_buffer(static_cast<int64_t>(bytes / sizeof(float)));
  const MatrixView a_view = {a.get(), s.m * s.k, c.transpose_a ? 1 : s.k, c.transpose_a ? s.m : 1};
  const MatrixView b_view = {b.get(), s.k * s.n, c.transpose_b ? 1 : s.n, c.transpose_b ? s.k : 1};
  const bool is_layer = !c.transpose_a && !c.transpose_b;
  const GemmEpilogue epilogue = is_layer ? GemmEpilogue{bias.get(), Activation::k_relu, 0} : GemmEpilogue{};
  const double work = 2e-9 * static_cast<double>(s.batch * s.m * s.n * s.k);
  return best_seconds(std::min(0.6, 0.08 + work), [&] {
    gemm(s, a_view, b_view, out.get(), epilogue, table.gemm, parallel, workspace.get());
  });
}

void run_case(const Case& c, const KernelTable& table, double peak) {
  const GemmShape& s = c.shape;
  char name[64];
  std::snprintf(name, sizeof(name), "%lld x %lld x %lld x %lld%s%s", static_cast<long long>(s.batch),
                static_cast<long long>(s.m), static_cast<long long>(s.k), static_cast<long long>(s.n),
                c.transpose_a ? " aT" : "", c.transpose_b ? " bT" : "");
  std::printf("%-9s %-28s", table.isa, name);
  const double operations = 2.0 * static_cast<double>(s.batch * s.m * s.n * s.k);
  for (int threads = 1; threads <= 2; ++threads) {
    ThreadPool::Lease lease(ThreadPool::instance(), threads);
    const double time = gemm_seconds(c, table, lease);
    const double rate = operations / time * 1e-9;
    std::printf("  %9.2f us %7.1f GFLOP/s %5.1f%%", time * 1e6, rate, 100 * rate / (peak * threads));
  }
  std::printf("\n");
}

int run(const char* filter) {
  ThreadPool& pool = ThreadPool::instance();
  pool.retain();
  pool.set_threads(2);
  int count = 0;
  const KernelTable* const* tables = supported_kernel_tables(&count);
  for (int i = 0; i < count; ++i) {
    if (filter != nullptr && std::strcmp(filter, tables[i]->isa) != 0) continue;
    const double peak = peak_gflops(*tables[i]);
    std::printf("%s: peak %.1f GFLOP/s per thread; batch x m x k x n, bias and relu where nothing is transposed\n",
                tables[i]->isa, peak);
    for (const Case& c : kCases) run_case(c, *tables[i], peak);
  }
  pool.release();
  return 0;
}

}  // namespace
}  // namespace galvani

int main(int count, char** arguments) { return galvani::run(count > 1 ? arguments[1] : nullptr); }
