// softmax, logSoftmax and softmaxCrossEntropy, by rows.
#include "executor/families.h"
#include "executor/ranges.h"

namespace galvani {
namespace {

Split split_rows(int64_t rows, int64_t columns) {
  return split_work(rows, 1, static_cast<double>(columns) * cost::kPerSoftmaxElement);
}

template <typename T>
std::unique_ptr<PreparedInstruction> prepare_softmax_of(const Preparation& preparation, const Instruction& instruction,
                                                        const RowKernels<T>& kernels) {
  const auto [rows, columns] = std::get<SoftmaxParams>(instruction.params);
  const auto kernel = instruction.opcode == Opcode::k_softmax ? kernels.softmax : kernels.log_softmax;
  const Location x = preparation.input(instruction, 0), out = preparation.output(instruction, 0);
  const Split split = split_rows(columns == 0 ? 0 : rows, columns);
  return prepare_ranges(split, [=, columns = columns](const Run& run, int64_t begin, int64_t end) {
    kernel(x.in<const T>(run), out.in<T>(run), columns, begin, end);
  });
}

template <typename T>
std::unique_ptr<PreparedInstruction> prepare_cross_entropy_of(const Preparation& preparation,
                                                              const Instruction& instruction,
                                                              const RowKernels<T>& kernels) {
  const auto [rows, columns] = std::get<SoftmaxParams>(instruction.params);
  const Split split = split_rows(rows, columns);
  const Location logits = preparation.input(instruction, 0), labels = preparation.input(instruction, 1);
  const Location losses = preparation.output(instruction, 0);
  const bool has_gradient = instruction.outputs.size() == 2;
  const Location gradient = has_gradient ? preparation.output(instruction, 1) : losses;
  const auto body = [=, columns = columns](auto kernel, auto labels_of) {
    return [=](const Run& run, int64_t begin, int64_t end) {
      kernel(logits.in<const T>(run), labels_of(run), losses.in<T>(run), has_gradient ? gradient.in<T>(run) : nullptr,
             columns, begin, end);
    };
  };
  if (preparation.input_dtype(instruction, 1) == DType::k_int32) {
    const auto classes = [labels](const Run& run) { return labels.in<const int32_t>(run); };
    return prepare_checked_ranges(labels, rows, columns, split, body(kernels.cross_entropy_classes, classes));
  }
  const auto probabilities = [labels](const Run& run) { return labels.in<const T>(run); };
  return prepare_ranges(split, body(kernels.cross_entropy_probabilities, probabilities));
}

}  // namespace

std::unique_ptr<PreparedInstruction> prepare_softmax(const Preparation& preparation, const Instruction& instruction) {
  return preparation.input_dtype(instruction, 0) == DType::k_float64
             ? prepare_softmax_of(preparation, instruction, preparation.kernels.rows_float64)
             : prepare_softmax_of(preparation, instruction, preparation.kernels.rows_float32);
}

std::unique_ptr<PreparedInstruction> prepare_cross_entropy(const Preparation& preparation,
                                                           const Instruction& instruction) {
  return preparation.input_dtype(instruction, 0) == DType::k_float64
             ? prepare_cross_entropy_of(preparation, instruction, preparation.kernels.rows_float64)
             : prepare_cross_entropy_of(preparation, instruction, preparation.kernels.rows_float32);
}

}  // namespace galvani
