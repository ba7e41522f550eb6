// Parameter updates.
#include <cmath>

#include "base/numbers.h"
#include "executor/families.h"
#include "executor/ranges.h"

namespace galvani {
namespace {

template <typename T>
Split split_update(int64_t size, int buffers) {
  return split_work(size, kCacheLineElements, cost::kPerUpdatedElement + buffers * sizeof(T) * cost::kPerByte);
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
  return prepare_ranges(split_update<T>(std::get<SgdParams>(instruction.params).size, 3),
                        [=](const Run& run, int64_t begin, int64_t end) {
                          kernel(p.in<const T>(run), g.in<const T>(run), *learning_rate.in<const T>(run),
                                 p_out.in<T>(run), begin, end);
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
  return prepare_ranges(split_update<T>(params.size, 5), [=](const Run& run, int64_t begin, int64_t end) {
    kernel(p.in<const T>(run), g.in<const T>(run), v.in<const T>(run), *learning_rate.in<const T>(run), momentum,
           nesterov, p_out.in<T>(run), v_out.in<T>(run), begin, end);
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
  return prepare_ranges(split_update<T>(params.size, 7), [=](const Run& run, int64_t begin, int64_t end) {
    const AdamScalars<T> scalars = adam_scalars<T>(params, *learning_rate.in<const T>(run), *step.in<const T>(run));
    kernel(scalars, p.in<const T>(run), g.in<const T>(run), m.in<const T>(run), v.in<const T>(run), p_out.in<T>(run),
           m_out.in<T>(run), v_out.in<T>(run), begin, end);
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
