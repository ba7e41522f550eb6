// Programs with words changed at random: each is refused, or runs inside its memory. Meant for a sanitizer.
#include "test/executor_testing.h"

namespace galvani::test {
namespace {

constexpr DType kFloat = DType::k_float32, kInt = DType::k_int32, kByte = DType::k_uint8, kBool = DType::k_bool;

int32_t literal_of(ProgramBuilder& b, DType floats, const Words& shape, const std::vector<float>& values) {
  if (floats == kFloat) return b.literal<float>(floats, shape, values);
  return b.literal<double>(floats, shape, std::vector<double>(values.begin(), values.end()));
}

// Every opcode and every place. What a seed calls matmul, elementwise, … is small, so that a run is quick.
ProgramBuilder forward_program(DType floats) {
  ProgramBuilder b;
  const int32_t x = b.input(floats, {4, 6}), weight = b.input(floats, {5, 6}),
                bias = literal_of(b, floats, {5}, {1, 2, 3, 4, 5});
  const int32_t hidden = b.scratch(floats, {4, 5}), masked = b.scratch(floats, {4, 5}), mask = b.scratch(kBool, {4, 5});
  b.instruction(Opcode::k_matmul, {x, weight, bias}, {hidden},
                matmul(1, 4, 5, 6, {0, 24, 6, 0}, {0, 30, 6, 1}, Activation::k_tanh));
  const std::vector<MicroWords> code = {{MicroOp::k_less, floats, {0, 1}},
                                        {MicroOp::k_exp, floats, {0}},
                                        {MicroOp::k_where, floats, {2, 3, 1}},
                                        {MicroOp::k_mul, floats, {4, 3}}};
  b.instruction(Opcode::k_elementwise, {hidden, bias}, {masked, mask},
                elementwise({4, 5}, {{0, {5, 1}}, {0, {0, 1}}}, code, {5, 2}));
  const int32_t soft = b.result(floats, {4, 5}), sums = b.result(floats, {5}), best = b.result(kInt, {4}),
                turned = b.result(kBool, {5, 4});
  const int32_t panels = b.input(kByte, {1, 2, 16, 4});
  const int32_t scales = b.input(kFloat, {5});
  b.instruction(Opcode::k_quantizedMatmul, {b.input(kFloat, {4, 5}), panels, scales, scales},
                {b.result(kFloat, {4, 5})}, {4, 5, 5, number(Activation::k_leakyRelu), 0, 0});
  b.instruction(Opcode::k_softmax, {masked}, {soft}, {4, 5});
  b.instruction(Opcode::k_reduce, {masked}, {sums}, {number(Reduction::k_sum), 1, 4, 5});
  b.instruction(Opcode::k_argmax, {masked}, {best}, {4, 5, 1});
  const int32_t order = b.result(kInt, {4, 3}), running = b.result(floats, {4, 5}), recurred = b.result(floats, {4, 5});
  b.instruction(Opcode::k_argsort, {masked}, {order}, {4, 5, 3, 1});
  b.instruction(Opcode::k_scan, {masked}, {running}, {number(Reduction::k_prod), 2, 2, 5, 1});
  b.instruction(Opcode::k_recurrence, {masked, running}, {recurred}, {4, 5, 1, 0});
  b.instruction(Opcode::k_copy, {mask}, {turned}, view({5, 4}, 0, {1, 5}));
  b.instruction(Opcode::k_logSoftmax, {masked}, {b.result(floats, {4, 5})}, {4, 5});
  return b;
}

ProgramBuilder indexing_program() {
  ProgramBuilder b;
  const int32_t table = b.input(kFloat, {7, 3}), indices = b.literal<int32_t>(kInt, {4}, {6, 0, 3, 3});
  const int32_t rows = b.scratch(kFloat, {4, 3}), sums = b.scratch(kFloat, {7, 3});
  b.instruction(Opcode::k_gather, {table, indices}, {rows}, {7, 3, 4});
  b.instruction(Opcode::k_scatterAdd, {table, indices, rows}, {sums}, {7, 3, 4});
  const int32_t taken = b.scratch(kFloat, {2, 2, 3}), put = b.result(kFloat, {7, 3});
  const int32_t along = b.literal<int32_t>(kInt, {2, 2, 3}, {1, 0, 1, 0, 0, 1, 1, 1, 0, 0, 1, 0});
  b.instruction(Opcode::k_takeAlongAxis, {rows, along}, {taken}, {2, 2, 2, 3});
  b.instruction(Opcode::k_scatterAlongAxis, {sums, along, taken}, {put}, {1, 7, 4, 3, 1});
  const int32_t joined = b.result(kFloat, {2, 17}), padded = b.result(kFloat, {6, 5});
  const int32_t half = b.value(kFloat, Place::k_arena, 0, {2, 6});
  b.instruction(Opcode::k_elementwise, {rows}, {half},
                elementwise({12}, {{0, {1}}}, {{MicroOp::k_abs, kFloat, {0}}}, {1}));
  b.instruction(Opcode::k_concat, {half, half, b.literal<float>(kFloat, {2, 5}, std::vector<float>(10, 0.5f))},
                {joined}, {2, 3, 6, 6, 5});
  b.instruction(Opcode::k_pad, {half}, {padded}, view({4, 3}, 6, {5, 1}));
  const int32_t bytes = b.input(kByte, {9});
  b.instruction(Opcode::k_elementwise, {bytes}, {b.result(kFloat, {3, 3})},
                elementwise({3, 3}, {{8, {-3, -1}}}, {{MicroOp::k_cast, kByte, {0}, kFloat}}, {1}));
  return b;
}

ProgramBuilder matrices_program(DType floats) {
  ProgramBuilder b;
  const int32_t x = b.input(floats, {2, 3, 3}), right = b.input(floats, {2, 3, 2});
  const Words square = {2, 3, 3}, column = {2, 3}, one = {2};
  const int32_t factor = b.scratch(floats, square), vectors = b.scratch(floats, square);
  b.instruction(Opcode::k_eigh, {x}, {b.result(floats, column), vectors}, {2, 3});
  b.instruction(Opcode::k_cholesky, {x}, {factor}, {2, 3});
  const int32_t solution = b.result(floats, {2, 3, 2}), other = b.result(floats, {2, 3, 2});
  b.instruction(Opcode::k_triangularSolve, {factor, right}, {solution}, {2, 3, 2, 1, 0, 0});
  b.instruction(Opcode::k_solve, {vectors, right}, {other}, {2, 3, 2});
  b.instruction(Opcode::k_determinant, {x}, {b.result(floats, one), b.result(floats, one), b.result(floats, one)},
                {2, 3});
  b.instruction(Opcode::k_qr, {right}, {b.result(floats, {2, 3, 2}), b.result(floats, {2, 2, 2})}, {2, 3, 2});
  b.instruction(Opcode::k_lu, {right},
                {b.result(floats, square), b.result(floats, {2, 3, 2}), b.result(floats, {2, 2, 2})}, {2, 3, 2});
  b.instruction(Opcode::k_matrixExp, {x}, {b.result(floats, square)}, {2, 3});
  b.instruction(Opcode::k_svd, {right},
                {b.result(floats, {2, 3, 2}), b.result(floats, {2, 2}), b.result(floats, {2, 2, 2})}, {2, 3, 2});
  return b;
}

ProgramBuilder update_program(DType floats) {
  ProgramBuilder b;
  const Words shape = {3, 4};
  const int32_t logits = b.input(floats, shape), labels = b.literal<int32_t>(kInt, {3}, {0, 3, 1}),
                rate = b.input(floats, {}), key = b.input(kInt, {2});
  const int32_t gradient = b.scratch(floats, shape), noise = b.scratch(floats, shape), losses = b.result(floats, {3});
  Words old, updated;
  for (int i = 0; i < 6; ++i) old.push_back(b.state(floats, shape));
  for (int i = 0; i < 6; ++i) updated.push_back(b.value(floats, Place::k_state, i, shape));
  b.instruction(Opcode::k_softmaxCrossEntropy, {logits, labels}, {losses, gradient}, {3, 4});
  b.instruction(Opcode::k_random, {key}, {noise}, {number(Distribution::k_normal)});
  const Words shaped = {literal_of(b, floats, {}, {0.3f}), b.input(floats, shape)};
  b.instruction(Opcode::k_random, {key, shaped[0], shaped[1]}, {b.result(floats, shape)},
                {number(Distribution::k_beta)});
  b.instruction(Opcode::k_random, {key, shaped[1]}, {b.result(floats, shape)}, {number(Distribution::k_poisson)});
  b.instruction(Opcode::k_adam, {old[0], gradient, old[1], old[2], rate, rate}, {updated[0], updated[1], updated[2]},
                Words{12} + real(0.9) + real(0.999) + real(1e-8) + real(0));
  b.instruction(Opcode::k_momentum, {old[3], noise, old[4], rate}, {updated[3], updated[4]},
                Words{12} + real(0.9) + Words{1});
  b.instruction(Opcode::k_sgd, {old[5], old[5], rate}, {updated[5]}, {12});
  return b;
}

Words view_words(const Words& strides) { return Words{0} + list(strides); }

ProgramBuilder attention_program() {
  ProgramBuilder b;
  const int32_t q = b.input(kFloat, {2, 3, 4}), k = b.scratch(kFloat, {2, 5, 4}), v = b.input(kFloat, {5, 3});
  b.instruction(Opcode::k_copy, {b.input(kFloat, {4})}, {k}, view({2, 5, 4}, 0, {0, 0, 1}));
  const int32_t out = b.result(kFloat, {2, 3, 3}), log_sums = b.result(kFloat, {2, 3});
  b.instruction(Opcode::k_attention, {q, k, v, b.input(kBool, {3, 5})}, {out, log_sums},
                Words{1, 2, 3, 5, 4, 3, 4} + view_words({12, 4, 1}) + view_words({20, 4, 1}) + view_words({0, 3, 1}) +
                    view_words({0, 5, 1}) + real(0.5) + Words{1});
  return b;
}

int64_t bytes_of_buffers(const Program& program) {
  int64_t sum = program.arena_bytes;
  for (const BufferType& type : program.buffers) sum = std::min<int64_t>(sum, int64_t{1} << 50) + type.bytes;
  return sum;
}

// Whether the words were a program.
bool try_words(const Words& words, const Bytes& literals, const KernelTable& table, Random& random) {
  // On the heap, and no longer than they say.
  const Words exact(words);
  Program program;
  std::string error;
  if (!decode_program(exact.data(), static_cast<int64_t>(exact.size()), static_cast<int64_t>(literals.size()), &program,
                      &error)) {
    EXPECT(!error.empty());
    return false;
  }
  constexpr int64_t kMostBytes = 1 << 20;
  if (bytes_of_buffers(program) > kMostBytes) return true;
  std::vector<Bytes> contents;
  for (const BufferType& type : program.buffers) {
    contents.emplace_back(type.bytes);
    for (uint8_t& byte : contents.back()) byte = static_cast<uint8_t>(random.next());
  }
  EXPECT(run(exact, literals, contents, table, 2).is_prepared);
  return true;
}

int32_t changed(int32_t word, Random& random) {
  const int32_t special[] = {0, 1, -1, 2, 7, 16, 64, 1 << 20, 0x7fffffff, INT32_MIN};
  switch (random.below(4)) {
    case 0: return special[random.below(10)];
    case 1: return static_cast<int32_t>(static_cast<uint32_t>(word) + 1);
    case 2: return static_cast<int32_t>(static_cast<uint32_t>(word) - 1);
    default: return static_cast<int32_t>(random.below(12));
  }
}

void fuzz(const ProgramBuilder& builder, uint64_t seed) {
  Random random(seed + other_seed());
  const Words valid = builder.words();
  int accepted = 0;
  constexpr int kRounds = 6000;
  int table_count = 0;
  const KernelTable* const* tables = supported_kernel_tables(&table_count);
  EXPECT(try_words(valid, builder.literals, *tables[0], random));
  for (int round = 0; round < kRounds; ++round) {
    Words words = valid;
    const int64_t changes = 1 + random.below(3);
    for (int64_t i = 0; i < changes; ++i) {
      int32_t& word = words[random.below(static_cast<int64_t>(words.size()))];
      word = changed(word, random);
    }
    if (random.below(20) == 0) words.resize(random.below(static_cast<int64_t>(words.size())));
    accepted += try_words(words, builder.literals, *tables[round % table_count], random);
  }
  EXPECT(accepted > kRounds / 100);
  EXPECT(accepted < kRounds);
}

TEST(fuzz_forward_program) { fuzz(forward_program(kFloat), 1); }
TEST(fuzz_forward_program_of_doubles) { fuzz(forward_program(DType::k_float64), 6); }
TEST(fuzz_indexing_program) { fuzz(indexing_program(), 2); }
TEST(fuzz_update_program) { fuzz(update_program(kFloat), 3); }
TEST(fuzz_update_program_of_doubles) { fuzz(update_program(DType::k_float64), 7); }
TEST(fuzz_attention_program) { fuzz(attention_program(), 4); }
TEST(fuzz_matrices_program) { fuzz(matrices_program(kFloat), 5); }
TEST(fuzz_matrices_program_of_doubles) { fuzz(matrices_program(DType::k_float64), 8); }

TEST(fuzz_noise) {
  Random random(4 + other_seed());
  for (int round = 0; round < 3000; ++round) {
    Words words(random.below(60));
    for (int32_t& word : words) word = changed(0, random);
    if (words.size() > 1) {
      words[0] = kProgramMagic;
      words[1] = kProgramVersion;
    }
    try_words(words, {}, kBaselineKernels, random);
  }
}

}  // namespace
}  // namespace galvani::test
