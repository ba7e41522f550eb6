// Random floats of standard distributions; doubles, and those with parameters, in sample.cc.
#include "base/numbers.h"
#include "executor/families.h"
#include "executor/ranges.h"

namespace galvani {

std::unique_ptr<PreparedInstruction> prepare_random(const Preparation& preparation, const Instruction& instruction) {
  const auto& params = std::get<RandomParams>(instruction.params);
  if (instruction.inputs.size() > 1) return prepare_sample(preparation, instruction);
  if (preparation.program.values[instruction.outputs[0]].dtype == DType::k_float64) {
    return prepare_standard_doubles(preparation, instruction);
  }
  const auto kernel = preparation.kernels.random[static_cast<int>(params.distribution)];
  const Location key = preparation.input(instruction, 0), out = preparation.output(instruction, 0);
  const int64_t size = preparation.program.values[instruction.outputs[0]].size;
  return prepare_ranges(split_work(size, kCacheLineElements, cost::kPerRandomElement),
                        [=](const Run& run, int64_t begin, int64_t end) {
                          kernel(key.in<const int32_t>(run), out.in<float>(run), begin, end);
                        });
}

}  // namespace galvani
