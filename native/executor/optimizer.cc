// Parameter updates.
#include <cmath>

#include "base/numbers.h"
#include "executor/families.h"
#include "executor/ranges.h"

namespace galvani {
namespace {

Split split_update(int64_t size, int buffers) {
  return split_work(size, kCacheLineElements, cost::kPerUpdatedElement + buffers * sizeof(float) * cost::kPerByte);
}

// The bias corrections are computed in double, as 1 - beta^t loses digits where t is small.
AdamScalars adam_scalars(const AdamParams& p, double learning_rate, double step) {
  AdamScalars result;
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

std::unique_ptr<PreparedInstruction> prepare_sgd(const Preparation& preparation, const Instruction& instruction) {
  const auto kernel = preparation.kernels.sgd;
  const Location p = preparation.input(instruction, 0), g = preparation.input(instruction, 1);
  const Location learning_rate = preparation.input(instruction, 2), p_out = preparation.output(instruction, 0);
  return prepare_ranges(split_update(std::get<SgdParams>(instruction.params).size, 3),
                        [=](const Run& run, int64_t begin, int64_t end) {
                          kernel(p.in<const float>(run), g.in<const float>(run), *learning_rate.in<const float>(run),
                                 p_out.in<float>(run), begin, end);
                        });
}

std::unique_ptr<PreparedInstruction> prepare_momentum(const Preparation& preparation, const Instruction& instruction) {
  const auto& params = std::get<MomentumParams>(instruction.params);
  const auto kernel = preparation.kernels.momentum;
  const Location p = preparation.input(instruction, 0), g = preparation.input(instruction, 1);
  const Location v = preparation.input(instruction, 2), learning_rate = preparation.input(instruction, 3);
  const Location p_out = preparation.output(instruction, 0), v_out = preparation.output(instruction, 1);
  const float momentum = static_cast<float>(params.momentum);
  const bool nesterov = params.nesterov;
  return prepare_ranges(split_update(params.size, 5), [=](const Run& run, int64_t begin, int64_t end) {
    kernel(p.in<const float>(run), g.in<const float>(run), v.in<const float>(run), *learning_rate.in<const float>(run),
           momentum, nesterov, p_out.in<float>(run), v_out.in<float>(run), begin, end);
  });
}

std::unique_ptr<PreparedInstruction> prepare_adam(const Preparation& preparation, const Instruction& instruction) {
  const AdamParams params = std::get<AdamParams>(instruction.params);
  const auto kernel = preparation.kernels.adam;
  const Location p = preparation.input(instruction, 0), g = preparation.input(instruction, 1);
  const Location m = preparation.input(instruction, 2), v = preparation.input(instruction, 3);
  const Location learning_rate = preparation.input(instruction, 4), step = preparation.input(instruction, 5);
  const Location p_out = preparation.output(instruction, 0), m_out = preparation.output(instruction, 1);
  const Location v_out = preparation.output(instruction, 2);
  return prepare_ranges(split_update(params.size, 7), [=](const Run& run, int64_t begin, int64_t end) {
    const AdamScalars scalars = adam_scalars(params, *learning_rate.in<const float>(run), *step.in<const float>(run));
    kernel(scalars, p.in<const float>(run), g.in<const float>(run), m.in<const float>(run), v.in<const float>(run),
           p_out.in<float>(run), m_out.in<float>(run), v_out.in<float>(run), begin, end);
  });
}

}  // namespace galvani
