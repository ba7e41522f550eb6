#include "bench/peers/peers.h"

#include <dlfcn.h>
#include <dnnl.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>

namespace galvani {
namespace {

enum CblasOrder { kRowMajor = 101 };
enum CblasTranspose { kNoTranspose = 111, kTranspose = 112 };
using CblasSgemm = void (*)(int order, int transpose_a, int transpose_b, int m, int n, int k, float alpha,
                            const float* a, int a_stride, const float* b, int b_stride, float beta, float* c,
                            int c_stride);

class Cblas final : public Peer {
 public:
  Cblas(const char* name, CblasSgemm sgemm, void (*set_threads)(int))
      : name_(name), sgemm_(sgemm), set_threads_(set_threads) {}
  const char* name() const override { return name_; }
  void set_threads(int threads) override { set_threads_(threads); }
  void prepare(const Multiplication& multiplication, const Operands& operands) override {
    multiplication_ = multiplication;
    operands_ = operands;
  }
  void run() override {
    const auto& [shape, transpose_a, transpose_b, a_stride, b_stride] = multiplication_;
    const int m = static_cast<int>(shape.m), n = static_cast<int>(shape.n), k = static_cast<int>(shape.k);
    for (int64_t i = 0; i < shape.batch; ++i) {
      sgemm_(kRowMajor, transpose_a ? kTranspose : kNoTranspose, transpose_b ? kTranspose : kNoTranspose, m, n, k, 1,
             operands_.a + i * (transpose_a ? k : m) * a_stride, static_cast<int>(a_stride),
             operands_.b + i * (transpose_b ? n : k) * b_stride, static_cast<int>(b_stride), 0, operands_.c + i * m * n,
             n);
    }
  }

 private:
  const char* name_;
  CblasSgemm sgemm_;
  void (*set_threads_)(int);
  Multiplication multiplication_{};
  Operands operands_{};
};

// oneDNN takes the number of threads from OpenMP, which is loaded with it.
void set_openmp_threads(int threads) {
  static const auto set = reinterpret_cast<void (*)(int)>(dlsym(RTLD_DEFAULT, "omp_set_num_threads"));
  if (set != nullptr) set(threads);
}

void check(dnnl_status_t status, const char* what) {
  if (status == dnnl_success) return;
  std::fprintf(stderr, "oneDNN: %s failed: %d\n", what, static_cast<int>(status));
  std::exit(1);
}

class DnnlSgemm final : public Peer {
 public:
  const char* name() const override { return "oneDNN sgemm"; }
  void set_threads(int threads) override { set_openmp_threads(threads); }
  void prepare(const Multiplication& multiplication, const Operands& operands) override {
    multiplication_ = multiplication;
    operands_ = operands;
  }
  void run() override {
    const auto& [shape, transpose_a, transpose_b, a_stride, b_stride] = multiplication_;
    for (int64_t i = 0; i < shape.batch; ++i) {
      dnnl_sgemm(transpose_a ? 'T' : 'N', transpose_b ? 'T' : 'N', shape.m, shape.n, shape.k, 1,
                 operands_.a + i * (transpose_a ? shape.k : shape.m) * a_stride, a_stride,
                 operands_.b + i * (transpose_b ? shape.n : shape.k) * b_stride, b_stride, 0,
                 operands_.c + i * shape.m * shape.n, shape.n);
    }
  }

 private:
  Multiplication multiplication_{};
  Operands operands_{};
};

class DnnlMatmul final : public Peer {
 public:
  DnnlMatmul() {
    check(dnnl_engine_create(&engine_, dnnl_cpu, 0), "engine");
    check(dnnl_stream_create(&stream_, engine_, dnnl_stream_default_flags), "stream");
  }
  ~DnnlMatmul() override {
    forget();
    dnnl_stream_destroy(stream_);
    dnnl_engine_destroy(engine_);
  }
  const char* name() const override { return "oneDNN matmul"; }
  void set_threads(int threads) override { set_openmp_threads(threads); }

  void prepare(const Multiplication& multiplication, const Operands& operands) override {
    forget();
    const auto& [s, transpose_a, transpose_b, a_stride, b_stride] = multiplication;
    const dnnl_memory_desc_t a = describe(s.batch, s.m, s.k, transpose_a, a_stride);
    const dnnl_memory_desc_t b = describe(s.batch, s.k, s.n, transpose_b, b_stride);
    const dnnl_memory_desc_t c = describe(s.batch, s.m, s.n, false, s.n);
    dnnl_matmul_desc_t matmul;
    check(dnnl_matmul_desc_init(&matmul, &a, &b, nullptr, &c), "matmul");
    dnnl_primitive_desc_t primitive_desc;
    check(dnnl_primitive_desc_create(&primitive_desc, &matmul, nullptr, engine_, nullptr), "primitive descriptor");
    check(dnnl_primitive_create(&primitive_, primitive_desc), "primitive");
    dnnl_primitive_desc_destroy(primitive_desc);
    arguments_[0] = {DNNL_ARG_SRC, make_memory(a, const_cast<float*>(operands.a))};
    arguments_[1] = {DNNL_ARG_WEIGHTS, make_memory(b, const_cast<float*>(operands.b))};
    arguments_[2] = {DNNL_ARG_DST, make_memory(c, operands.c)};
  }
  void run() override {
    dnnl_primitive_execute(primitive_, stream_, 3, arguments_);
    dnnl_stream_wait(stream_);
  }

 private:
  dnnl_memory_desc_t describe(int64_t batch, int64_t rows, int64_t columns, bool transpose, int64_t stride) {
    const dnnl_dims_t dims = {batch, rows, columns};
    const dnnl_dims_t strides = {(transpose ? columns : rows) * stride, transpose ? 1 : stride, transpose ? stride : 1};
    const int skipped = batch == 1 ? 1 : 0;  // a matrix alone has two dimensions
    dnnl_memory_desc_t description;
    check(dnnl_memory_desc_init_by_strides(&description, 3 - skipped, dims + skipped, dnnl_f32, strides + skipped),
          "memory descriptor");
    return description;
  }
  dnnl_memory_t make_memory(const dnnl_memory_desc_t& description, float* data) {
    dnnl_memory_t memory;
    check(dnnl_memory_create(&memory, &description, engine_, data), "memory");
    return memory;
  }
  void forget() {
    if (primitive_ == nullptr) return;
    for (const dnnl_exec_arg_t& argument : arguments_) dnnl_memory_destroy(argument.memory);
    dnnl_primitive_destroy(primitive_);
    primitive_ = nullptr;
  }

  dnnl_engine_t engine_ = nullptr;
  dnnl_stream_t stream_ = nullptr;
  dnnl_primitive_t primitive_ = nullptr;
  dnnl_exec_arg_t arguments_[3] = {};
};

template <typename Function>
Function find(void* library, const char* name) {
  return reinterpret_cast<Function>(dlsym(library, name));
}

void open_openblas(std::vector<std::unique_ptr<Peer>>* peers) {
  void* const library = dlopen(GALVANI_OPENBLAS, RTLD_NOW | RTLD_LOCAL);
  if (library == nullptr) return;
  const auto sgemm = find<CblasSgemm>(library, "cblas_sgemm");
  const auto set_threads = find<void (*)(int)>(library, "openblas_set_num_threads");
  if (sgemm != nullptr && set_threads != nullptr) {
    peers->push_back(std::make_unique<Cblas>("OpenBLAS", sgemm, set_threads));
  }
}

void (*set_blis_threads)(int64_t) = nullptr;

void open_blis(std::vector<std::unique_ptr<Peer>>* peers) {
  void* const library = dlopen(GALVANI_BLIS, RTLD_NOW | RTLD_LOCAL);
  if (library == nullptr) return;
  const auto sgemm = find<CblasSgemm>(library, "cblas_sgemm");
  set_blis_threads = find<void (*)(int64_t)>(library, "bli_thread_set_num_threads");
  if (sgemm != nullptr && set_blis_threads != nullptr) {
    const auto set_threads = [](int threads) { set_blis_threads(threads); };
    peers->push_back(std::make_unique<Cblas>("BLIS", sgemm, set_threads));
  }
}

}  // namespace

std::vector<std::unique_ptr<Peer>> open_peers(bool has_avx512) {
  setenv("OPENBLAS_CORETYPE", has_avx512 ? "SkylakeX" : "Haswell", 1);
  setenv("BLIS_ARCH_TYPE", has_avx512 ? "0" : "3", 1);  // BLIS_ARCH_SKX, BLIS_ARCH_HASWELL
  setenv("ONEDNN_MAX_CPU_ISA", has_avx512 ? "AVX512_CORE" : "AVX2", 1);
  // Their idle threads spin between products, and must be asleep when it is another library's turn.
  setenv("OPENBLAS_THREAD_TIMEOUT", "21", 1);  // 2^21 cycles
  std::vector<std::unique_ptr<Peer>> peers;
  open_openblas(&peers);
  open_blis(&peers);
  peers.push_back(std::make_unique<DnnlSgemm>());
  peers.push_back(std::make_unique<DnnlMatmul>());
  return peers;
}

}  // namespace galvani
