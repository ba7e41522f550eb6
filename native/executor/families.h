// The families of instructions, each prepared in a file of its own.
#pragma once

#include <memory>

#include "executor/prepared_instruction.h"

namespace galvani {

// Null, with preparation.error set, where a kernel is missing. As a chain, which may be null, or block by block.
std::unique_ptr<PreparedInstruction> prepare_elementwise(Preparation& preparation, const Instruction& instruction);
std::unique_ptr<PreparedInstruction> prepare_chain(const Preparation& preparation, const Instruction& instruction);
std::unique_ptr<PreparedInstruction> prepare_blocks(Preparation& preparation, const Instruction& instruction);

std::unique_ptr<PreparedInstruction> prepare_loop(Preparation& preparation, const Instruction& instruction);
std::unique_ptr<PreparedInstruction> prepare_while_loop(Preparation& preparation, const Instruction& instruction);
std::unique_ptr<PreparedInstruction> prepare_branch(Preparation& preparation, const Instruction& instruction);

std::unique_ptr<PreparedInstruction> prepare_matmul(const Preparation& preparation, const Instruction& instruction);
std::unique_ptr<PreparedInstruction> prepare_quantized_matmul(const Preparation& preparation,
                                                              const Instruction& instruction);
std::unique_ptr<PreparedInstruction> prepare_reduce(const Preparation& preparation, const Instruction& instruction);
std::unique_ptr<PreparedInstruction> prepare_argmax(const Preparation& preparation, const Instruction& instruction);
std::unique_ptr<PreparedInstruction> prepare_moments(const Preparation& preparation, const Instruction& instruction);
std::unique_ptr<PreparedInstruction> prepare_deviation_sums(const Preparation& preparation,
                                                            const Instruction& instruction);
std::unique_ptr<PreparedInstruction> prepare_softmax(const Preparation& preparation, const Instruction& instruction);
std::unique_ptr<PreparedInstruction> prepare_cross_entropy(const Preparation& preparation,
                                                           const Instruction& instruction);
std::unique_ptr<PreparedInstruction> prepare_attention(const Preparation& preparation, const Instruction& instruction);
std::unique_ptr<PreparedInstruction> prepare_attention_gradient(const Preparation& preparation,
                                                                const Instruction& instruction);
std::unique_ptr<PreparedInstruction> prepare_random(const Preparation& preparation, const Instruction& instruction);
std::unique_ptr<PreparedInstruction> prepare_sample(const Preparation& preparation, const Instruction& instruction);
std::unique_ptr<PreparedInstruction> prepare_standard_doubles(const Preparation& preparation,
                                                              const Instruction& instruction);
std::unique_ptr<PreparedInstruction> prepare_sgd(const Preparation& preparation, const Instruction& instruction);
std::unique_ptr<PreparedInstruction> prepare_momentum(const Preparation& preparation, const Instruction& instruction);
std::unique_ptr<PreparedInstruction> prepare_adam(const Preparation& preparation, const Instruction& instruction);

std::unique_ptr<PreparedInstruction> prepare_scan(const Preparation& preparation, const Instruction& instruction);
std::unique_ptr<PreparedInstruction> prepare_recurrence(const Preparation& preparation, const Instruction& instruction);
std::unique_ptr<PreparedInstruction> prepare_argsort(const Preparation& preparation, const Instruction& instruction);

std::unique_ptr<PreparedInstruction> prepare_linalg(const Preparation& preparation, const Instruction& instruction);

std::unique_ptr<PreparedInstruction> prepare_copy(const Preparation& preparation, const Instruction& instruction);
std::unique_ptr<PreparedInstruction> prepare_pad(const Preparation& preparation, const Instruction& instruction);
std::unique_ptr<PreparedInstruction> prepare_concat(const Preparation& preparation, const Instruction& instruction);
std::unique_ptr<PreparedInstruction> prepare_gather(const Preparation& preparation, const Instruction& instruction);
std::unique_ptr<PreparedInstruction> prepare_demand(const Preparation& preparation, const Instruction& instruction);
std::unique_ptr<PreparedInstruction> prepare_scatter_add(const Preparation& preparation,
                                                         const Instruction& instruction);
std::unique_ptr<PreparedInstruction> prepare_take_along_axis(const Preparation& preparation,
                                                             const Instruction& instruction);
std::unique_ptr<PreparedInstruction> prepare_scatter_along_axis(const Preparation& preparation,
                                                                const Instruction& instruction);

std::unique_ptr<PreparedInstruction> prepare_convolution(const Preparation& preparation,
                                                         const Instruction& instruction);
std::unique_ptr<PreparedInstruction> prepare_max_pool(const Preparation& preparation, const Instruction& instruction);

}  // namespace galvani
