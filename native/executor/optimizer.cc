// Parameter updates.
#include <cmath>
#include <new>
#include <type_traits>
#include <utility>

#include "base/numbers.h"
#include "executor/families.h"
#include "executor/ranges.h"

namespace galvani {
namespace {

template <typename T>
Split split_update(int64_t size, int buffers) {
  return split_work(size, kCacheLineElements, cost::kPerUpdatedElement + buffers * sizeof(T) * cost::kPerByte);
}

// Runs body(run, scalars, first, gradient, size) over ranges of a parameter, where scalars = prepare(run) once.
template <typename T, typename Prepare, typename Body>
class PreparedUpdate final : public PreparedInstruction, public Tail {
 public:
  PreparedUpdate(const Split& split, Location gradient, Prepare prepare, Body body)
      : PreparedInstruction(split),
        split_(split),
        gradient_(gradient),
        prepare_(std::move(prepare)),
        body_(std::move(body)) {}

  bool run(Run& run) const override {
    const Scalars scalars = prepare_(std::as_const(run));
    const T* const gradient = gradient_.in<const T>(run);
    for_ranges(run.parallel, split_, [&](int64_t begin, int64_t end, int) {
      body_(std::as_const(run), scalars, begin, gradient + begin, end - begin);
    });
    return true;
  }

  const Tail* as_tail() const override { return this; }
  int64_t tail_workspace_bytes(int /* threads */) const override { return sizeof(Scalars); }
  void begin(Run& run) const override { new (run.workspace) Scalars(prepare_(std::as_const(run))); }
  // The gradient is the product, or what a tail before this one has made of it.
  void run_part(const Run& run, const GemmPart& part, const Location& product, int /* thread */) const override {
    const Scalars& scalars = *std::launder(reinterpret_cast<const Scalars*>(run.workspace));
    const bool is_product = gradient_ == product;
    const T* const gradient =
        is_product ? static_cast<const T*>(part.elements) : gradient_.in<const T>(run) + part.first;
    const int64_t stride = is_product ? part.elements_stride : part.stride;
    const bool is_dense = part.columns == part.stride && part.columns == stride;
    if (is_dense) return body_(run, scalars, part.first, gradient, part.rows * part.columns);
    for (int64_t row = 0; row < part.rows; ++row) {
      body_(run, scalars, part.first + row * part.stride, gradient + row * stride, part.columns);
    }
  }
  bool needs_c() const override { return false; }

 private:
  using Scalars = std::invoke_result_t<const Prepare&, const Run&>;

  Split split_;
  Location gradient_;
  Prepare prepare_;
  Body body_;
};

template <typename T, typename Prepare, typename Body>
std::unique_ptr<PreparedInstruction> prepare_update(int64_t size, int buffers, Location gradient, Prepare prepare,
                                                    Body body) {
  return std::make_unique<PreparedUpdate<T, Prepare, Body>>(split_update<T>(size, buffers), gradient,
                                                            std::move(prepare), std::move(body));
}

// The bias corrections are computed in double, as 1 - beta^t loses digits where t is small.
template <typename T>
AdamScalars<T> adam_scalars(const AdamParams& p, double learning_rate, double step) {
  AdamScalars<T> result;
  result.learning_rate = static_cast<T>(learning_rate);
  result.beta1 = static_cast<T>(p.beta1);
  result.beta2 = static_cast<T>(p.beta2);
  result.one_minus_beta1 = static_cast<T>(1 - p.beta1);
  result.one_minus_beta2 = static_cast<T>(1 - p.beta2);
  result.step_size = static_cast<T>(learning_rate / (1 - std::pow(p.beta1, step)));
  result.inverse_sqrt_bias2 = static_cast<T>(1 / std::sqrt(1 - std::pow(p.beta2, step)));
  result.epsilon = static_cast<T>(p.epsilon);
  result.decay = static_cast<T>(1 - learning_rate * p.weight_decay);
  return result;
}

template <typename T>
std::unique_ptr<PreparedInstruction> prepare_sgd_of(const Preparation& preparation, const Instruction& instruction,
                                                    const OptimizerKernels<T>& kernels) {
  const auto kernel = kernels.sgd;
  const Location p = preparation.input(instruction, 0), g = preparation.input(instruction, 1);
  const Location learning_rate = preparation.input(instruction, 2), p_out = preparation.output(instruction, 0);
  return prepare_update<T>(
      std::get<SgdParams>(instruction.params).size, 3, g,
      [=](const Run& run) { return *learning_rate.in<const T>(run); },
      [=](const Run& run, T rate, int64_t first, const T* gradient, int64_t size) {
        kernel(p.in<const T>(run) + first, gradient, rate, p_out.in<T>(run) + first, 0, size);
      });
}

template <typename T>
std::unique_ptr<PreparedInstruction> prepare_momentum_of(const Preparation& preparation, const Instruction& instruction,
                                                         const OptimizerKernels<T>& kernels) {
  const auto& params = std::get<MomentumParams>(instruction.params);
  const auto kernel = kernels.momentum;
  const Location p = preparation.input(instruction, 0), g = preparation.input(instruction, 1);
  const Location v = preparation.input(instruction, 2), learning_rate = preparation.input(instruction, 3);
  const Location p_out = preparation.output(instruction, 0), v_out = preparation.output(instruction, 1);
  const T momentum = static_cast<T>(params.momentum);
  const bool nesterov = params.nesterov;
  return prepare_update<T>(
      params.size, 5, g, [=](const Run& run) { return *learning_rate.in<const T>(run); },
      [=](const Run& run, T rate, int64_t first, const T* gradient, int64_t size) {
        kernel(p.in<const T>(run) + first, gradient, v.in<const T>(run) + first, rate, momentum, nesterov,
               p_out.in<T>(run) + first, v_out.in<T>(run) + first, 0, size);
      });
}

template <typename T>
std::unique_ptr<PreparedInstruction> prepare_adam_of(const Preparation& preparation, const Instruction& instruction,
                                                     const OptimizerKernels<T>& kernels) {
  const AdamParams params = std::get<AdamParams>(instruction.params);
  const auto kernel = kernels.adam;
  const Location p = preparation.input(instruction, 0), g = preparation.input(instruction, 1);
  const Location m = preparation.input(instruction, 2), v = preparation.input(instruction, 3);
  const Location learning_rate = preparation.input(instruction, 4), step = preparation.input(instruction, 5);
  const Location p_out = preparation.output(instruction, 0), m_out = preparation.output(instruction, 1);
  const Location v_out = preparation.output(instruction, 2);
  return prepare_update<T>(
      params.size, 7, g,
      [=](const Run& run) { return adam_scalars<T>(params, *learning_rate.in<const T>(run), *step.in<const T>(run)); },
      [=](const Run& run, const AdamScalars<T>& scalars, int64_t first, const T* gradient, int64_t size) {
        kernel(scalars, p.in<const T>(run) + first, gradient, m.in<const T>(run) + first, v.in<const T>(run) + first,
               p_out.in<T>(run) + first, m_out.in<T>(run) + first, v_out.in<T>(run) + first, 0, size);
      });
}

bool is_double(const Preparation& preparation, const Instruction& instruction) {
  return preparation.input_dtype(instruction, 0) == DType::k_float64;
}

}  // namespace

std::unique_ptr<PreparedInstruction> prepare_sgd(const Preparation& preparation, const Instruction& instruction) {
  return is_double(preparation, instruction)
             ? prepare_sgd_of(preparation, instruction, preparation.kernels.update_float64)
             : prepare_sgd_of(preparation, instruction, preparation.kernels.update_float32);
}

std::unique_ptr<PreparedInstruction> prepare_momentum(const Preparation& preparation, const Instruction& instruction) {
  return is_double(preparation, instruction)
             ? prepare_momentum_of(preparation, instruction, preparation.kernels.update_float64)
             : prepare_momentum_of(preparation, instruction, preparation.kernels.update_float32);
}

std::unique_ptr<PreparedInstruction> prepare_adam(const Preparation& preparation, const Instruction& instruction) {
  return is_double(preparation, instruction)
             ? prepare_adam_of(preparation, instruction, preparation.kernels.update_float64)
             : prepare_adam_of(preparation, instruction, preparation.kernels.update_float32);
}

}  // namespace galvani
