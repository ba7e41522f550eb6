// Reductions and argmax.
#include <algorithm>

#include "base/numbers.h"
#include "executor/families.h"
#include "executor/ranges.h"

namespace galvani {
namespace {

Split split_reduction(int64_t outputs, int64_t unit, int64_t reduced) {
  return split_work(outputs, unit, static_cast<double>(reduced) * cost::kPerReducedElement);
}

// How a reduction is cut where it has few outputs: parts of the reduced axis, whose results are reduced in turn. The
// parts depend on the shape alone.
struct Parts {
  static constexpr int64_t kElements = 1 << 16;
  static constexpr int64_t kFewRows = 16, kFewColumns = 4096;

  explicit Parts(const ReduceParams& p) : length(kElements / std::max<int64_t>(p.inner, 1)) {
    const bool has_few_outputs = p.outer < kFewRows && p.inner <= kFewColumns && p.outer * p.inner > 0;
    count = has_few_outputs ? ceil_div(p.reduced, length) : 1;
  }

  int64_t length, count;
};

template <typename T>
using ReduceKernel = void (*)(const T* x, T* out, int64_t reduced, int64_t inner, int64_t begin, int64_t end);

template <typename T>
class PreparedPartedReduce final : public PreparedInstruction {
 public:
  PreparedPartedReduce(const ReduceParams& params, const Parts& parts, ReduceKernel<T> kernel, Location x, Location out)
      : PreparedInstruction(params.outer * parts.count),
        params_(params),
        parts_(parts),
        kernel_(kernel),
        x_(x),
        out_(out) {}

  bool run(Run& run) const override {
    const int64_t inner = params_.inner;
    const T* const x = x_.in<const T>(run);
    T* const partial = reinterpret_cast<T*>(run.workspace);  // [outer, parts, inner]
    threads_of(run).for_each(params_.outer * parts_.count, [&](int64_t task, int) {
      const int64_t first = task % parts_.count * parts_.length;
      const int64_t length = std::min(parts_.length, params_.reduced - first);
      const T* const from = x + (task / parts_.count * params_.reduced + first) * inner;
      kernel_(from, partial + task * inner, length, inner, 0, inner);
    });
    kernel_(partial, out_.in<T>(run), parts_.count, inner, 0, params_.outer * inner);
    return true;
  }

  int64_t workspace_bytes(int) const override { return params_.outer * parts_.count * params_.inner * sizeof(T); }

 private:
  ReduceParams params_;
  Parts parts_;
  ReduceKernel<T> kernel_;
  Location x_, out_;
};

template <typename T>
std::unique_ptr<PreparedInstruction> prepare_reduce_of(const ReduceParams& params, ReduceKernel<T> kernel, Location x,
                                                       Location out) {
  const Parts parts(params);
  // A product is not cut: its parts would be rounded, and overflow where the whole does not.
  if (parts.count > 1 && params.kind != Reduction::k_prod)
    return std::make_unique<PreparedPartedReduce<T>>(params, parts, kernel, x, out);
  return prepare_ranges(
      split_reduction(params.outer * params.inner, kCacheLineElements, params.reduced),
      [=, reduced = params.reduced, inner = params.inner](const Run& run, int64_t begin, int64_t end) {
        kernel(x.in<const T>(run), out.in<T>(run), reduced, inner, begin, end);
      });
}

template <typename T, typename Kernel>
std::unique_ptr<PreparedInstruction> prepare_argmax_of(const ArgmaxParams& params, Kernel kernel, Location x,
                                                       Location out) {
  return prepare_ranges(
      split_reduction(params.outer * params.inner, kCacheLineElements, params.reduced),
      [=, reduced = params.reduced, inner = params.inner](const Run& run, int64_t begin, int64_t end) {
        kernel(x.in<const T>(run), out.in<int32_t>(run), reduced, inner, begin, end);
      });
}

}  // namespace

std::unique_ptr<PreparedInstruction> prepare_reduce(const Preparation& preparation, const Instruction& instruction) {
  const auto& params = std::get<ReduceParams>(instruction.params);
  const Location x = preparation.input(instruction, 0), out = preparation.output(instruction, 0);
  const int kind = static_cast<int>(params.kind);
  if (preparation.input_dtype(instruction, 0) == DType::k_int32) {
    return prepare_reduce_of<int32_t>(params, preparation.kernels.reduce_int32[kind], x, out);
  }
  if (preparation.input_dtype(instruction, 0) == DType::k_float64) {
    return prepare_reduce_of<double>(params, preparation.kernels.reduce_float64[kind], x, out);
  }
  return prepare_reduce_of<float>(params, preparation.kernels.reduce_float32[kind], x, out);
}

std::unique_ptr<PreparedInstruction> prepare_argmax(const Preparation& preparation, const Instruction& instruction) {
  const auto& params = std::get<ArgmaxParams>(instruction.params);
  const Location x = preparation.input(instruction, 0), out = preparation.output(instruction, 0);
  if (preparation.input_dtype(instruction, 0) == DType::k_int32) {
    return prepare_argmax_of<int32_t>(params, preparation.kernels.argmax_int32, x, out);
  }
  if (preparation.input_dtype(instruction, 0) == DType::k_float64) {
    return prepare_argmax_of<double>(params, preparation.kernels.argmax_float64, x, out);
  }
  return prepare_argmax_of<float>(params, preparation.kernels.argmax_float32, x, out);
}

}  // namespace galvani
