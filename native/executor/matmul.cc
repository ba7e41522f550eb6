// Matrix products: see gemm/gemm.h.
#include <algorithm>
#include <vector>

#include "base/numbers.h"
#include "executor/families.h"
#include "executor/ranges.h"
#include "gemm/gemm.h"

namespace galvani {
namespace {

template <typename T>
MatrixViewOf<T> view_of(const MatrixLayout& layout, const T* data) {
  const int64_t leading = layout.leading_dimension;
  return {data + layout.offset, layout.batch_stride, layout.transpose ? 1 : leading, layout.transpose ? leading : 1};
}

template <typename T>
class PreparedMatmul final : public PreparedInstruction {
 public:
  PreparedMatmul(const MatmulParams& params, const GemmKernelsOf<T>& kernels, Location a, Location b, Location bias,
                 Location c)
      : PreparedInstruction(split_work(multiplications(params), 1, 2 * cost::kPerFlop)),
        params_(params),
        shape_{params.batch, params.m, params.n, params.k},
        kernels_(kernels),
        a_(a),
        b_(b),
        bias_(bias),
        c_(c) {}

  bool run(Run& run) const override {
    if (shape_.batch * shape_.m * shape_.n == 0) return true;
    if (tails_.empty() || !run.has_tails) {
      multiply(run, nullptr);
      return true;
    }
    Parts parts{run, tails_.data(), tails_.size(), c_, {}};
    uint8_t* workspace = run.workspace + own_workspace_bytes(threads_of(run).threads());
    for (size_t i = 0; i < tails_.size(); ++i) {
      parts.workspaces[i] = workspace;
      Run of_tail = parts.run_of(i);
      tails_[i]->begin(of_tail);
      workspace += round_up(tails_[i]->tail_workspace_bytes(threads_of(run).threads()), kArenaAlignment);
    }
    const GemmTail tail{&run_tails, &parts, takes_columns_, needs_c_};
    multiply(run, &tail);
    return true;
  }

  int64_t workspace_bytes(int threads) const override {
    int64_t bytes = own_workspace_bytes(threads);
    for (const Tail* tail : tails_) bytes += round_up(tail->tail_workspace_bytes(threads), kArenaAlignment);
    return bytes;
  }

  bool take_tail(const Tail& tail, bool is_only_reader) override {
    if (tails_.size() == kMostTails || shape_.n % tail.unit() != 0) return false;
    needs_c_ |= !is_only_reader || tail.needs_c();
    takes_columns_ &= tail.unit() == 1;
    tails_.push_back(&tail);
    return true;
  }

 private:
  static constexpr size_t kMostTails = 4;

  // What the tails of a run find in each part.
  struct Parts {
    const Run& run;
    const Tail* const* tails;
    size_t count;
    Location product;
    uint8_t* workspaces[kMostTails];

    Run run_of(size_t i) const {
      Run of_tail = run;
      of_tail.workspace = workspaces[i];
      return of_tail;
    }
  };

  static void run_tails(const void* context, const GemmPart& part, int thread) {
    const Parts& parts = *static_cast<const Parts*>(context);
    for (size_t i = 0; i < parts.count; ++i) parts.tails[i]->run_part(parts.run_of(i), part, parts.product, thread);
  }

  void multiply(Run& run, const GemmTail* tail) const {
    const T* const bias = bias_.base < 0 ? nullptr : bias_.in<const T>(run);
    gemm(shape_, view_of(params_.a, a_.in<const T>(run)), view_of(params_.b, b_.in<const T>(run)), c_.in<T>(run),
         {bias, params_.activation, static_cast<T>(params_.slope), tail}, kernels_, threads_of(run), run.workspace);
  }

  int64_t own_workspace_bytes(int threads) const {
    const MatrixViewOf<T> a = view_of<T>(params_.a, nullptr);
    const size_t bytes = gemm_workspace_bytes(shape_, a, kernels_, is_parallel() ? threads : 1, !tails_.empty());
    return round_up(static_cast<int64_t>(bytes), kArenaAlignment);
  }

  // Bounded, so that it counts work that no machine will ever finish as merely long.
  static int64_t multiplications(const MatmulParams& p) {
    const double product = static_cast<double>(p.batch) * p.m * p.n * p.k;
    return static_cast<int64_t>(std::min(product, 1e15));
  }

  MatmulParams params_;
  GemmShape shape_;
  const GemmKernelsOf<T>& kernels_;
  Location a_, b_, bias_, c_;
  std::vector<const Tail*> tails_;
  bool takes_columns_ = true, needs_c_ = false;
};

// Sums of products of integers modulo 2^32, as those of their bits without a sign are.
struct IntegerMatrix {
  const uint32_t* data;
  int64_t batch_stride, row_stride, column_stride;
};

IntegerMatrix integers_of(const MatrixLayout& layout, const uint32_t* data) {
  const int64_t leading = layout.leading_dimension;
  return {data + layout.offset, layout.batch_stride, layout.transpose ? 1 : leading, layout.transpose ? leading : 1};
}

uint32_t dot(const uint32_t* x, int64_t x_stride, const uint32_t* y, int64_t y_stride, int64_t k) {
  uint32_t sum = 0;
  for (int64_t q = 0; q < k; ++q) sum += x[q * x_stride] * y[q * y_stride];
  return sum;
}

// c[n] = a[k] of a stride · b[k, n], by rows of b where those are dense, and else by its columns.
void multiply_row(const uint32_t* a, int64_t a_stride, const IntegerMatrix& b, uint32_t* c, int64_t n, int64_t k) {
  if (b.column_stride != 1) {
    for (int64_t j = 0; j < n; ++j) c[j] = dot(a, a_stride, b.data + j * b.column_stride, b.row_stride, k);
    return;
  }
  std::fill(c, c + n, 0);
  for (int64_t q = 0; q < k; ++q) {
    const uint32_t x = a[q * a_stride];
    const uint32_t* const row = b.data + q * b.row_stride;
    for (int64_t j = 0; j < n; ++j) c[j] += x * row[j];
  }
}

std::unique_ptr<PreparedInstruction> prepare_integer_matmul(const MatmulParams& p, Location a, Location b, Location c) {
  const double per_row = static_cast<double>(p.n) * static_cast<double>(p.k) * cost::kPerIntegerProduct;
  return prepare_ranges(split_work(p.batch * p.m, 1, per_row), [=](const Run& run, int64_t begin, int64_t end) {
    const IntegerMatrix left = integers_of(p.a, a.in<const uint32_t>(run));
    const IntegerMatrix right = integers_of(p.b, b.in<const uint32_t>(run));
    uint32_t* const out = c.in<uint32_t>(run);
    for (int64_t row = begin; row < end; ++row) {
      const int64_t batch = row / p.m;
      const uint32_t* const x = left.data + batch * left.batch_stride + (row % p.m) * left.row_stride;
      const IntegerMatrix y{right.data + batch * right.batch_stride, 0, right.row_stride, right.column_stride};
      multiply_row(x, left.column_stride, y, out + row * p.n, p.n, p.k);
    }
  });
}

}  // namespace

std::unique_ptr<PreparedInstruction> prepare_matmul(const Preparation& preparation, const Instruction& instruction) {
  const auto& params = std::get<MatmulParams>(instruction.params);
  const Location a = preparation.input(instruction, 0), b = preparation.input(instruction, 1);
  const Location bias = instruction.inputs.size() == 3 ? preparation.input(instruction, 2) : Location{-1, 0};
  const Location c = preparation.output(instruction, 0);
  const DType dtype = preparation.input_dtype(instruction, 0);
  if (dtype == DType::k_int32) return prepare_integer_matmul(params, a, b, c);
  if (dtype == DType::k_float64)
    return std::make_unique<PreparedMatmul<double>>(params, preparation.kernels.gemm_float64, a, b, bias, c);
  const KernelTable& kernels = preparation.kernels;
  const GemmKernels& gemm = params.precision == Precision::k_bf16 ? kernels.gemm_bf16 : kernels.gemm;
  return std::make_unique<PreparedMatmul<float>>(params, gemm, a, b, bias, c);
}

}  // namespace galvani
