// Max pooling and its adjoint.
#include <algorithm>

#include "executor/families.h"
#include "executor/ranges.h"

namespace galvani {
namespace {

constexpr double kNanosecondsPerWindowElement = 0.3;

// Of planes, each of which takes as long as its windows meet elements.
template <typename Body>
std::unique_ptr<PreparedInstruction> prepare_planes(const Preparation& preparation, const Instruction& instruction,
                                                    Windows windows, int64_t planes, Body body) {
  if (windows.out_width == 0) windows.out_height = 0;  // rows of nothing would be gone through
  // No window meets more than there is.
  const double elements = static_cast<double>(windows.out_height) * static_cast<double>(windows.out_width) *
                          static_cast<double>(std::min(windows.kernel_height, windows.height)) *
                          static_cast<double>(std::min(windows.kernel_width, windows.width));
  const Location x = preparation.input(instruction, 0), second = preparation.input(instruction, 1);
  const Location out = preparation.output(instruction, 0);
  const bool is_empty = preparation.program.values[instruction.outputs[0]].size == 0;
  const Split split = split_work(is_empty ? 0 : planes, 1, std::min(elements, 1e9) * kNanosecondsPerWindowElement);
  return prepare_ranges(split, [=](const Run& run, int64_t begin, int64_t end) {
    body(windows, x.in<const float>(run), second.in<const float>(run), out.in<float>(run), planes, begin, end);
  });
}

}  // namespace

std::unique_ptr<PreparedInstruction> prepare_max_pool(const Preparation& preparation, const Instruction& instruction) {
  const KernelTable& kernels = preparation.kernels;
  if (instruction.opcode == Opcode::k_maxPool2d) {
    const auto& params = std::get<MaxPool2dParams>(instruction.params);
    return prepare_planes(preparation, instruction, params, params.planes, kernels.max_pool);
  }
  const auto& params = std::get<MaxPool2dGradientParams>(instruction.params);
  return prepare_planes(preparation, instruction, params, params.planes,
                        [is_rectified = params.rectified, kernel = kernels.max_pool_gradient](
                            const Windows& windows, auto... operands) { kernel(windows, is_rectified, operands...); });
}

}  // namespace galvani
