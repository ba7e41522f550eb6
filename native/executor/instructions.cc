// Preparing instructions: matmul, reductions, rows, random numbers and updates here; the rest beside this file.
#include <cmath>

#include "base/numbers.h"
#include "executor/steps.h"
#include "gemm/gemm.h"

namespace galvani {
namespace {

// Ranges of whole cache lines, so that no two threads write to one.

MatrixView view_of(const MatrixLayout& layout, const float* data) {
  const int64_t leading = layout.leading_dimension;
  return {data + layout.offset, layout.batch_stride, layout.transpose ? 1 : leading, layout.transpose ? leading : 1};
}

class MatmulStep final : public Step {
 public:
  MatmulStep(const MatmulParams& params, const GemmKernels& kernels, Location a, Location b, Location bias, Location c)
      : Step(split_work(multiplications(params), 1, 2 * cost::kPerFlop).tasks()),
        params_(params),
        shape_{params.batch, params.m, params.n, params.k},
        kernels_(kernels),
        a_(a),
        b_(b),
        bias_(bias),
        c_(c) {}

  bool run(Run& run) const override {
    if (shape_.batch * shape_.m * shape_.n == 0) return true;
    const float* const bias = bias_.base < 0 ? nullptr : bias_.in<const float>(run);
    gemm(shape_, view_of(params_.a, a_.in<const float>(run)), view_of(params_.b, b_.in<const float>(run)),
         c_.in<float>(run), {bias, params_.activation, static_cast<float>(params_.slope)}, kernels_, threads_of(run),
         run.workspace);
    return true;
  }

  int64_t workspace_bytes(int threads) const override {
    const MatrixView a = view_of(params_.a, nullptr);
    return static_cast<int64_t>(gemm_workspace_bytes(shape_, a, kernels_, is_parallel() ? threads : 1));
  }

 private:
  // Bounded, so that it counts work that no machine will ever finish as merely long.
  static int64_t multiplications(const MatmulParams& p) {
    const double product = static_cast<double>(p.batch) * p.m * p.n * p.k;
    return static_cast<int64_t>(std::min(product, 1e15));
  }

  MatmulParams params_;
  GemmShape shape_;
  const GemmKernels& kernels_;
  Location a_, b_, bias_, c_;
};

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
class PartedReduceStep final : public Step {
 public:
  PartedReduceStep(const ReduceParams& params, const Parts& parts, ReduceKernel<T> kernel, Location x, Location out)
      : Step(params.outer * parts.count), params_(params), parts_(parts), kernel_(kernel), x_(x), out_(out) {}

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
std::unique_ptr<Step> make_reduce_of(const ReduceParams& params, ReduceKernel<T> kernel, Location x, Location out) {
  const Parts parts(params);
  // A product is not cut: its parts would be rounded, and overflow where the whole does not.
  if (parts.count > 1 && params.kind != Reduction::k_prod)
    return std::make_unique<PartedReduceStep<T>>(params, parts, kernel, x, out);
  return make_range_step(
      split_reduction(params.outer * params.inner, kCacheLineElements, params.reduced),
      [=, reduced = params.reduced, inner = params.inner](const Run& run, int64_t begin, int64_t end) {
        kernel(x.in<const T>(run), out.in<T>(run), reduced, inner, begin, end);
      });
}

template <typename T, typename Kernel>
std::unique_ptr<Step> make_argmax_of(const ArgmaxParams& params, Kernel kernel, Location x, Location out) {
  return make_range_step(
      split_reduction(params.outer * params.inner, kCacheLineElements, params.reduced),
      [=, reduced = params.reduced, inner = params.inner](const Run& run, int64_t begin, int64_t end) {
        kernel(x.in<const T>(run), out.in<int32_t>(run), reduced, inner, begin, end);
      });
}

Split split_rows(int64_t rows, int64_t columns) {
  return split_work(rows, 1, static_cast<double>(columns) * cost::kPerSoftmaxElement);
}

Split split_update(int64_t size, int buffers) {
  return split_work(size, kCacheLineElements, cost::kPerUpdatedElement + buffers * sizeof(float) * cost::kPerByte);
}

// The bias corrections are computed in double, as 1 - beta^t loses digits where t is small.
AdamStep adam_step(const AdamParams& p, double learning_rate, double step) {
  AdamStep result;
  result.learning_rate = static_cast<float>(learning_rate);
  result.beta1 = static_cast<float>(p.beta1);
  result.beta2 = static_cast<float>(p.beta2);
  result.one_minus_beta1 = static_cast<float>(1 - p.beta1);
  result.one_minus_beta2 = static_cast<float>(1 - p.beta2);
  result.step_size = static_cast<float>(learning_rate / (1 - std::pow(p.beta1, step)));
  result.inverse_sqrt_bias2 = static_cast<float>(1 / std::sqrt(1 - std::pow(p.beta2, step)));
  result.epsilon = static_cast<float>(p.epsilon);
  result.decay = static_cast<float>(1 - learning_rate * p.weight_decay);
  return result;
}

}  // namespace

std::unique_ptr<Step> make_matmul(const Preparation& preparation, const Instruction& instruction) {
  const Location bias = instruction.inputs.size() == 3 ? preparation.input(instruction, 2) : Location{-1, 0};
  return std::make_unique<MatmulStep>(std::get<MatmulParams>(instruction.params), preparation.kernels.gemm,
                                      preparation.input(instruction, 0), preparation.input(instruction, 1), bias,
                                      preparation.output(instruction, 0));
}

std::unique_ptr<Step> make_reduce(const Preparation& preparation, const Instruction& instruction) {
  const auto& params = std::get<ReduceParams>(instruction.params);
  const Location x = preparation.input(instruction, 0), out = preparation.output(instruction, 0);
  const int kind = static_cast<int>(params.kind);
  if (preparation.input_dtype(instruction, 0) == DType::k_int32) {
    return make_reduce_of<int32_t>(params, preparation.kernels.reduce_int32[kind], x, out);
  }
  return make_reduce_of<float>(params, preparation.kernels.reduce_float32[kind], x, out);
}

std::unique_ptr<Step> make_argmax(const Preparation& preparation, const Instruction& instruction) {
  const auto& params = std::get<ArgmaxParams>(instruction.params);
  const Location x = preparation.input(instruction, 0), out = preparation.output(instruction, 0);
  if (preparation.input_dtype(instruction, 0) == DType::k_int32) {
    return make_argmax_of<int32_t>(params, preparation.kernels.argmax_int32, x, out);
  }
  return make_argmax_of<float>(params, preparation.kernels.argmax_float32, x, out);
}

std::unique_ptr<Step> make_softmax(const Preparation& preparation, const Instruction& instruction) {
  const auto [rows, columns] = std::get<SoftmaxParams>(instruction.params);
  const auto kernel =
      instruction.opcode == Opcode::k_softmax ? preparation.kernels.softmax : preparation.kernels.log_softmax;
  const Location x = preparation.input(instruction, 0), out = preparation.output(instruction, 0);
  const Split split = split_rows(columns == 0 ? 0 : rows, columns);
  return make_range_step(split, [=, columns = columns](const Run& run, int64_t begin, int64_t end) {
    kernel(x.in<const float>(run), out.in<float>(run), columns, begin, end);
  });
}

std::unique_ptr<Step> make_cross_entropy(const Preparation& preparation, const Instruction& instruction) {
  const auto [rows, columns] = std::get<SoftmaxParams>(instruction.params);
  const Split split = split_rows(rows, columns);
  const Location logits = preparation.input(instruction, 0), labels = preparation.input(instruction, 1);
  const Location losses = preparation.output(instruction, 0);
  const bool has_gradient = instruction.outputs.size() == 2;
  const Location gradient = has_gradient ? preparation.output(instruction, 1) : losses;
  const auto body = [=, columns = columns](auto kernel, auto labels_of) {
    return [=](const Run& run, int64_t begin, int64_t end) {
      kernel(logits.in<const float>(run), labels_of(run), losses.in<float>(run),
             has_gradient ? gradient.in<float>(run) : nullptr, columns, begin, end);
    };
  };
  if (preparation.input_dtype(instruction, 1) == DType::k_float32) {
    const auto probabilities = [labels](const Run& run) { return labels.in<const float>(run); };
    return make_range_step(split, body(preparation.kernels.cross_entropy_probabilities, probabilities));
  }
  const auto classes = [labels](const Run& run) { return labels.in<const int32_t>(run); };
  return make_checked_step(labels, rows, columns, split, body(preparation.kernels.cross_entropy_classes, classes));
}

std::unique_ptr<Step> make_random(const Preparation& preparation, const Instruction& instruction) {
  const auto& params = std::get<RandomParams>(instruction.params);
  if (instruction.inputs.size() > 1) return make_sample(preparation, instruction);
  const auto kernel = preparation.kernels.random[static_cast<int>(params.distribution)];
  const Location key = preparation.input(instruction, 0), out = preparation.output(instruction, 0);
  const int64_t size = preparation.program.values[instruction.outputs[0]].size;
  return make_range_step(split_work(size, kCacheLineElements, cost::kPerRandomElement),
                         [=](const Run& run, int64_t begin, int64_t end) {
                           kernel(key.in<const int32_t>(run), out.in<float>(run), begin, end);
                         });
}

std::unique_ptr<Step> make_sgd(const Preparation& preparation, const Instruction& instruction) {
  const auto kernel = preparation.kernels.sgd;
  const Location p = preparation.input(instruction, 0), g = preparation.input(instruction, 1);
  const Location learning_rate = preparation.input(instruction, 2), p_out = preparation.output(instruction, 0);
  return make_range_step(split_update(std::get<SgdParams>(instruction.params).size, 3),
                         [=](const Run& run, int64_t begin, int64_t end) {
                           kernel(p.in<const float>(run), g.in<const float>(run), *learning_rate.in<const float>(run),
                                  p_out.in<float>(run), begin, end);
                         });
}

std::unique_ptr<Step> make_momentum(const Preparation& preparation, const Instruction& instruction) {
  const auto& params = std::get<MomentumParams>(instruction.params);
  const auto kernel = preparation.kernels.momentum;
  const Location p = preparation.input(instruction, 0), g = preparation.input(instruction, 1);
  const Location v = preparation.input(instruction, 2), learning_rate = preparation.input(instruction, 3);
  const Location p_out = preparation.output(instruction, 0), v_out = preparation.output(instruction, 1);
  const float momentum = static_cast<float>(params.momentum);
  const bool nesterov = params.nesterov;
  return make_range_step(split_update(params.size, 5), [=](const Run& run, int64_t begin, int64_t end) {
    kernel(p.in<const float>(run), g.in<const float>(run), v.in<const float>(run), *learning_rate.in<const float>(run),
           momentum, nesterov, p_out.in<float>(run), v_out.in<float>(run), begin, end);
  });
}

std::unique_ptr<Step> make_adam(const Preparation& preparation, const Instruction& instruction) {
  const AdamParams params = std::get<AdamParams>(instruction.params);
  const auto kernel = preparation.kernels.adam;
  const Location p = preparation.input(instruction, 0), g = preparation.input(instruction, 1);
  const Location m = preparation.input(instruction, 2), v = preparation.input(instruction, 3);
  const Location learning_rate = preparation.input(instruction, 4), step = preparation.input(instruction, 5);
  const Location p_out = preparation.output(instruction, 0), m_out = preparation.output(instruction, 1);
  const Location v_out = preparation.output(instruction, 2);
  return make_range_step(split_update(params.size, 7), [=](const Run& run, int64_t begin, int64_t end) {
    const AdamStep scalars = adam_step(params, *learning_rate.in<const float>(run), *step.in<const float>(run));
    kernel(scalars, p.in<const float>(run), g.in<const float>(run), m.in<const float>(run), v.in<const float>(run),
           p_out.in<float>(run), m_out.in<float>(run), v_out.in<float>(run), begin, end);
  });
}

Location Preparation::locate(int32_t id) const {
  const Value& value = program.values[id];
  const int64_t states = program.input_count, results = states + program.state_count;
  const int64_t literals = results + program.result_count, arena = literals + 1;
  switch (value.place) {
    case Place::k_input: return {value.index, 0};
    case Place::k_state: return {states + value.index, 0};
    case Place::k_result: return {results + value.index, 0};
    case Place::k_literal: return {literals, value.index};
    case Place::k_arena: return {arena, value.index};
    case Place::count: break;
  }
  return {-1, 0};
}

std::unique_ptr<Step> make_step(Preparation& preparation, const Instruction& instruction) {
  switch (instruction.opcode) {
    case Opcode::k_matmul: return make_matmul(preparation, instruction);
    case Opcode::k_elementwise: return make_elementwise(preparation, instruction);
    case Opcode::k_copy: return make_copy(preparation, instruction);
    case Opcode::k_pad: return make_pad(preparation, instruction);
    case Opcode::k_concat: return make_concat(preparation, instruction);
    case Opcode::k_reduce: return make_reduce(preparation, instruction);
    case Opcode::k_argmax: return make_argmax(preparation, instruction);
    case Opcode::k_softmax:
    case Opcode::k_logSoftmax: return make_softmax(preparation, instruction);
    case Opcode::k_softmaxCrossEntropy: return make_cross_entropy(preparation, instruction);
    case Opcode::k_gather: return make_gather(preparation, instruction);
    case Opcode::k_scatterAdd: return make_scatter_add(preparation, instruction);
    case Opcode::k_takeAlongAxis: return make_take_along_axis(preparation, instruction);
    case Opcode::k_scatterAlongAxis: return make_scatter_along_axis(preparation, instruction);
    case Opcode::k_attention: return make_attention(preparation, instruction);
    case Opcode::k_cholesky:
    case Opcode::k_triangularSolve:
    case Opcode::k_solve:
    case Opcode::k_determinant:
    case Opcode::k_qr:
    case Opcode::k_eigh:
    case Opcode::k_svd: return make_matrices(preparation, instruction);
    case Opcode::k_random: return make_random(preparation, instruction);
    case Opcode::k_sgd: return make_sgd(preparation, instruction);
    case Opcode::k_momentum: return make_momentum(preparation, instruction);
    case Opcode::k_adam: return make_adam(preparation, instruction);
    case Opcode::k_scan: return make_scan(preparation, instruction);
    case Opcode::k_recurrence: return make_recurrence(preparation, instruction);
    case Opcode::k_argsort: return make_argsort(preparation, instruction);
    case Opcode::k_conv2d:
    case Opcode::k_conv2dInputGradient:
    case Opcode::k_conv2dWeightGradient: return make_convolution(preparation, instruction);
    case Opcode::k_maxPool2d:
    case Opcode::k_maxPool2dGradient: return make_max_pool(preparation, instruction);
    case Opcode::count: break;
  }
  return nullptr;
}

}  // namespace galvani
