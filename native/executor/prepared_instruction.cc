// Which family prepares an instruction, and where its values are.
#include <algorithm>

#include "executor/families.h"
#include "executor/ranges.h"
#include "program/checks.h"

namespace galvani {
namespace {

// Of an instruction that gives no element, whose extents may be great beside one of 0: loops would go over nothing for
// hours, and workspaces be had for it.
bool does_nothing(const Program& program, const Instruction& instruction) {
  const bool is_empty = std::all_of(instruction.outputs.begin(), instruction.outputs.end(),
                                    [&](int32_t id) { return program.values[id].size == 0; });
  return is_empty && !is_fallible(program, instruction);
}

std::unique_ptr<PreparedInstruction> prepare_by_family(Preparation& preparation, const Instruction& instruction);

}  // namespace

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

std::unique_ptr<PreparedInstruction> prepare_instruction(Preparation& preparation, const Instruction& instruction) {
  if (!does_nothing(preparation.program, instruction)) return prepare_by_family(preparation, instruction);
  return prepare_ranges(Split{0, 1}, [](const Run&, int64_t, int64_t) {});
}

namespace {

std::unique_ptr<PreparedInstruction> prepare_by_family(Preparation& preparation, const Instruction& instruction) {
  switch (instruction.opcode) {
    case Opcode::k_matmul: return prepare_matmul(preparation, instruction);
    case Opcode::k_quantizedMatmul: return prepare_quantized_matmul(preparation, instruction);
    case Opcode::k_elementwise: return prepare_elementwise(preparation, instruction);
    case Opcode::k_copy: return prepare_copy(preparation, instruction);
    case Opcode::k_pad: return prepare_pad(preparation, instruction);
    case Opcode::k_concat: return prepare_concat(preparation, instruction);
    case Opcode::k_reduce: return prepare_reduce(preparation, instruction);
    case Opcode::k_argmax: return prepare_argmax(preparation, instruction);
    case Opcode::k_moments: return prepare_moments(preparation, instruction);
    case Opcode::k_deviationSums: return prepare_deviation_sums(preparation, instruction);
    case Opcode::k_softmax:
    case Opcode::k_logSoftmax: return prepare_softmax(preparation, instruction);
    case Opcode::k_softmaxCrossEntropy: return prepare_cross_entropy(preparation, instruction);
    case Opcode::k_gather: return prepare_gather(preparation, instruction);
    case Opcode::k_demand: return prepare_demand(preparation, instruction);
    case Opcode::k_scatterAdd: return prepare_scatter_add(preparation, instruction);
    case Opcode::k_takeAlongAxis: return prepare_take_along_axis(preparation, instruction);
    case Opcode::k_scatterAlongAxis: return prepare_scatter_along_axis(preparation, instruction);
    case Opcode::k_attention: return prepare_attention(preparation, instruction);
    case Opcode::k_attentionGradient: return prepare_attention_gradient(preparation, instruction);
    case Opcode::k_cholesky:
    case Opcode::k_triangularSolve:
    case Opcode::k_solve:
    case Opcode::k_determinant:
    case Opcode::k_lu:
    case Opcode::k_matrixExp:
    case Opcode::k_qr:
    case Opcode::k_eigh:
    case Opcode::k_svd: return prepare_linalg(preparation, instruction);
    case Opcode::k_random: return prepare_random(preparation, instruction);
    case Opcode::k_sgd: return prepare_sgd(preparation, instruction);
    case Opcode::k_momentum: return prepare_momentum(preparation, instruction);
    case Opcode::k_adam: return prepare_adam(preparation, instruction);
    case Opcode::k_loop: return prepare_loop(preparation, instruction);
    case Opcode::k_whileLoop: return prepare_while_loop(preparation, instruction);
    case Opcode::k_branch: return prepare_branch(preparation, instruction);
    case Opcode::k_scan: return prepare_scan(preparation, instruction);
    case Opcode::k_recurrence: return prepare_recurrence(preparation, instruction);
    case Opcode::k_argsort: return prepare_argsort(preparation, instruction);
    case Opcode::k_conv2d:
    case Opcode::k_maxPooledConv2d:
    case Opcode::k_conv2dInputGradient:
    case Opcode::k_conv2dWeightGradient: return prepare_convolution(preparation, instruction);
    case Opcode::k_maxPool2d:
    case Opcode::k_maxPool2dGradient: return prepare_max_pool(preparation, instruction);
    case Opcode::count: break;
  }
  return nullptr;
}

}  // namespace
}  // namespace galvani
