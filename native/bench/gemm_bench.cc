// GFLOP/s of gemm() per instruction set on one and two threads, and the share of the peak of fused multiply-adds (of
// multiplications and additions for the baseline) that this is; and of its time, what operands rounded to bf16 take. An
// argument selects instruction sets by name.
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <vector>

#include "bench/machine.h"
#include "gemm/gemm.h"
#include "runtime/cpu.h"
#include "runtime/thread_pool.h"

namespace galvani {
namespace {

struct Case {
  GemmShape shape;
  bool transpose_a, transpose_b;
};

// The products of a step of the MLP 784-256-128-10 at batch 128; of inference; cubes; small ones; a batch.
constexpr Case kCases[] = {
    {{1, 128, 256, 784}, false, false},
    {{1, 128, 128, 256}, false, false},
    {{1, 128, 10, 128}, false, false},
    {{1, 128, 10, 128}, true, false},
    {{1, 128, 128, 10}, false, true},
    {{1, 256, 128, 128}, true, false},
    {{1, 128, 256, 128}, false, true},
    {{1, 784, 256, 128}, true, false},
    {{1, 128, 784, 256}, false, true},
    {{1, 32, 256, 784}, false, false},
    {{1, 784, 256, 32}, true, false},
    {{1, 1024, 256, 784}, false, false},
    {{1, 784, 256, 1024}, true, false},
    {{1, 1, 256, 784}, false, false},
    {{1, 1, 256, 784}, false, true},
    {{1, 8, 256, 784}, false, true},
    {{1, 1, 2048, 2048}, false, false},
    {{1, 8, 2048, 2048}, false, false},
    {{1, 784, 1, 128}, true, false},
    {{1, 128, 1, 784}, false, false},
    {{1, 64, 64, 64}, false, false},
    {{1, 256, 256, 256}, false, false},
    {{1, 256, 256, 256}, true, true},
    {{1, 512, 512, 512}, false, false},
    {{1, 1024, 1024, 1024}, false, false},
    {{1, 1024, 1024, 1024}, true, true},
    {{1, 2, 3, 4}, false, false},
    {{1, 4, 3, 2}, true, false},
    {{1, 2, 4, 3}, false, true},
    {{1, 4, 3, 4}, false, false},
    {{64, 32, 32, 32}, false, false},
    {{512, 4, 4, 4}, false, false},
    // Of wide layers, and of a transformer.
    {{1, 256, 1024, 1024}, false, true},
    {{1, 256, 1024, 1024}, false, false},
    {{1, 1024, 1024, 256}, true, false},
    {{1, 1024, 128, 128}, false, true},
    {{1, 1024, 512, 128}, false, true},
    {{1, 1024, 128, 512}, false, true},
    {{1, 1024, 512, 128}, false, false},
    {{1, 1024, 128, 512}, false, false},
    {{1, 512, 128, 1024}, true, false},
    {{1, 128, 512, 1024}, true, false},
    {{1, 128, 128, 1024}, true, false},
    {{1, 1024, 96, 128}, false, true},
    {{64, 64, 64, 32}, false, true},
    {{64, 64, 32, 64}, false, false},
    {{64, 64, 32, 64}, true, false},
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

double gemm_seconds(const Case& c, const GemmKernels& kernels, Parallel& parallel) {
  const GemmShape& s = c.shape;
  const Buffer a = make_buffer(s.batch * s.m * s.k), b = make_buffer(s.batch * s.k * s.n);
  const Buffer out = make_buffer(s.batch * s.m * s.n), bias = make_buffer(s.n);
  const MatrixView a_view = {a.get(), s.m * s.k, c.transpose_a ? 1 : s.k, c.transpose_a ? s.m : 1};
  const size_t bytes = gemm_workspace_bytes(s, a_view, kernels, parallel.threads());
  const Buffer workspace = make_buffer(static_cast<int64_t>(bytes / sizeof(float)));
  const MatrixView b_view = {b.get(), s.k * s.n, c.transpose_b ? 1 : s.n, c.transpose_b ? s.k : 1};
  const bool is_layer = !c.transpose_a && !c.transpose_b;
  const GemmEpilogue epilogue = is_layer ? GemmEpilogue{bias.get(), Activation::k_relu, 0} : GemmEpilogue{};
  const double work = 2e-9 * static_cast<double>(s.batch * s.m * s.n * s.k);
  return best_seconds(std::min(0.6, 0.08 + work),
                      [&] { gemm(s, a_view, b_view, out.get(), epilogue, kernels, parallel, workspace.get()); });
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
    const double time = gemm_seconds(c, table.gemm, lease);
    const double rate = operations / time * 1e-9;
    std::printf("  %10.3f us %6.1f GFLOP/s %5.1f%%", time * 1e6, rate, 100 * rate / (peak * threads));
    std::printf(", bf16 %4.2f", gemm_seconds(c, table.gemm_bf16, lease) / time);
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
