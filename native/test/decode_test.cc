// decode_program() takes the programs of the library and nothing else.
#include <string>

#include "program/program.h"
#include "test/program_builder.h"
#include "test/test.h"

namespace galvani::test {
namespace {

constexpr DType kFloat = DType::k_float32, kInt = DType::k_int32, kByte = DType::k_uint8, kBool = DType::k_bool;
constexpr DType kDouble = DType::k_float64;

std::string error_of(const Words& words, int64_t literal_bytes = 0) {
  Program program;
  std::string error;
  return decode_program(words.data(), static_cast<int64_t>(words.size()), literal_bytes, &program, &error) ? "" : error;
}

std::string error_of(const ProgramBuilder& builder) {
  return error_of(builder.words(), static_cast<int64_t>(builder.literals.size()));
}

bool contains(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

#define EXPECT_ACCEPTED(builder) EXPECT_EQ(error_of(builder), std::string())
#define EXPECT_REFUSED(builder, part)                                                                                  \
  do {                                                                                                                 \
    const std::string error = error_of(builder);                                                                       \
    if (!contains(error, part)) ::galvani::test::fail(__FILE__, __LINE__, "expected …" part "…, got '" + error + "'"); \
  } while (false)

// One instruction on inputs, results and nothing else.
struct Type {
  DType dtype;
  Words shape;
};

ProgramBuilder single(Opcode opcode, const std::vector<Type>& in, const std::vector<Type>& out, const Words& params) {
  ProgramBuilder builder;
  Words inputs, outputs;
  for (const Type& type : in) inputs.push_back(builder.input(type.dtype, type.shape));
  for (const Type& type : out) outputs.push_back(builder.result(type.dtype, type.shape));
  builder.instruction(opcode, inputs, outputs, params);
  return builder;
}

ProgramBuilder negation() {
  return single(Opcode::k_elementwise, {{kFloat, {2, 3}}}, {{kFloat, {2, 3}}},
                elementwise({2, 3}, {{0, {3, 1}}}, {{MicroOp::k_neg, kFloat, {0}}}, {1}));
}

Words negate(int32_t size) { return elementwise({size}, {{0, {1}}}, {{MicroOp::k_neg, kFloat, {0}}}, {1}); }

TEST(decode_accepts_a_program) { EXPECT_ACCEPTED(negation()); }

TEST(decode_reads_what_was_written) {
  ProgramBuilder builder;
  const int32_t a = builder.input(kFloat, {2, 4}), b = builder.input(kFloat, {3, 4}),
                bias = builder.literal<float>(kFloat, {3}, {1, 2, 3});
  const int32_t c = builder.result(kFloat, {2, 3});
  builder.instruction(Opcode::k_matmul, {a, b, bias}, {c},
                      matmul(1, 2, 3, 4, {0, 0, 4, 0}, {0, 0, 4, 1}, Activation::k_leakyRelu, 0.25));
  Program program;
  std::string error;
  const Words words = builder.words();
  EXPECT(decode_program(words.data(), static_cast<int64_t>(words.size()), 64, &program, &error));
  EXPECT_EQ(program.values.size(), size_t{4});
  EXPECT_EQ(program.buffers.size(), size_t{3});
  EXPECT_EQ(program.buffers[1].bytes, 48);
  const auto& params = std::get<MatmulParams>(program.instructions[0].params);
  EXPECT_EQ(params.k, 4);
  EXPECT(!params.a.transpose && params.b.transpose);
  EXPECT(params.activation == Activation::k_leakyRelu);
  EXPECT_EQ(params.slope, 0.25);
}

TEST(decode_refuses_other_words) {
  EXPECT_REFUSED(Words{}, "words of a program");
  Words words = negation().words();
  words[0] ^= 1;
  EXPECT_REFUSED(words, "words of a program");
  words[0] ^= 1;
  words[1] = kProgramVersion + 1;
  EXPECT_REFUSED(words, "words of a program");
}

TEST(decode_refuses_every_truncation) {
  const Words words = negation().words();
  for (size_t length = 0; length < words.size(); ++length) {
    if (error_of(Words(words.begin(), words.begin() + length)).empty()) {
      fail(__FILE__, __LINE__, "accepted a truncation");
    }
  }
}

TEST(decode_refuses_trailing_words) {
  Words words = negation().words();
  words.push_back(0);
  EXPECT_REFUSED(words, "end of the words");
  ProgramBuilder builder = single(Opcode::k_softmax, {{kFloat, {2, 3}}}, {{kFloat, {2, 3}}}, {2, 3, 0});
  EXPECT_REFUSED(builder, "end of the parameter words");
}

TEST(decode_refuses_counts_beyond_the_words) {
  for (const int position : {2, 3, 4, 5, 6}) {
    for (const int32_t count : {-1, 1 << 20, 0x7fffffff}) {
      Words words = negation().words();
      words[position] = count;
      if (error_of(words).empty()) fail(__FILE__, __LINE__, "accepted a count");
    }
  }
}

TEST(decode_refuses_bad_values) {
  const auto with_value = [](const Words& value) {
    ProgramBuilder builder = negation();
    builder.value_words = builder.value_words + value;
    ++builder.values;
    return builder;
  };
  const int32_t arena = number(Place::k_arena);
  EXPECT_ACCEPTED(with_value({number(kFloat), arena, 0, 1, 0}));
  EXPECT_REFUSED(with_value({number(DType::count), arena, 0, 1, 0}), "a dtype");
  EXPECT_REFUSED(with_value({-1, arena, 0, 1, 0}), "a dtype");
  EXPECT_REFUSED(with_value({number(kFloat), number(Place::count), 0, 1, 0}), "a place");
  EXPECT_REFUSED(with_value({number(kFloat), arena, -1, 1, 0}), "place's index");
  EXPECT_REFUSED(with_value({number(kFloat), arena, 0, 9, 1, 1, 1, 1, 1, 1, 1, 1, 1}), "a rank");
  EXPECT_REFUSED(with_value({number(kFloat), arena, 0, 1, -1}), "an extent");
  EXPECT_REFUSED(with_value({number(kFloat), arena, 0, 1, 1}), "arena bytes");
  EXPECT_REFUSED(with_value({number(kFloat), arena, 0, 3, 0x7fffffff, 0x7fffffff, 0x7fffffff}), "at most 2147483647");
  EXPECT_REFUSED(with_value({number(kFloat), arena, 0, 2, 1 << 16, 1 << 15}), "at most 2147483647");
  EXPECT_REFUSED(with_value({number(kFloat), arena, 0, 2, 0x7fffffff, 0x10000}), "at most 2147483647");
  EXPECT_REFUSED(with_value({number(kFloat), number(Place::k_literal), 0, 1, 1}), "literal bytes");
  EXPECT_REFUSED(with_value({number(kFloat), number(Place::k_input), 1, 1, 1}), "inputs");
  EXPECT_REFUSED(with_value({number(kFloat), number(Place::k_state), 0, 1, 1}), "states");
  EXPECT_REFUSED(with_value({number(kFloat), number(Place::k_result), 1, 1, 1}), "results");
  EXPECT_REFUSED(with_value({number(kFloat), number(Place::k_input), 0, 1, 7}), "the type of the other value");
  EXPECT_REFUSED(with_value({number(kInt), number(Place::k_input), 0, 1, 6}), "the type of the other value");
  EXPECT_REFUSED(with_value({number(kFloat), number(Place::k_result), 0, 1, 6}), "no writer");
}

TEST(decode_refuses_a_buffer_without_value) {
  ProgramBuilder builder = negation();
  builder.scratch(kFloat, {0});
  builder.inputs = 2;
  EXPECT_REFUSED(builder, "got none for one");
}

TEST(decode_refuses_unknown_opcodes_and_values) {
  Words words = negation().words();
  const size_t opcode = 8 + negation().value_words.size();
  for (const int32_t wrong : {-1, number(Opcode::count), 0x7fffffff}) {
    words[opcode] = wrong;
    EXPECT_REFUSED(words, "an opcode");
  }
  for (const int32_t wrong : {-1, 2, 0x7fffffff}) {
    ProgramBuilder builder = negation();
    builder.instruction_words[2] = wrong;
    EXPECT_REFUSED(builder, "a value in");
  }
}

TEST(decode_checks_elementwise_operands) {
  const auto group = [](const Words& params) {
    return single(Opcode::k_elementwise, {{kFloat, {2, 3}}}, {{kFloat, {2, 3}}}, params);
  };
  const std::vector<MicroWords> neg = {{MicroOp::k_neg, kFloat, {0}}};
  EXPECT_ACCEPTED(group(elementwise({2, 3}, {{0, {0, 0}}}, neg, {1})));
  EXPECT_ACCEPTED(group(elementwise({2, 3}, {{5, {-3, -1}}}, neg, {1})));
  EXPECT_REFUSED(group(elementwise({2, 3}, {{1, {3, 1}}}, neg, {1})), "pattern inside");
  EXPECT_REFUSED(group(elementwise({2, 3}, {{-1, {3, 1}}}, neg, {1})), "an offset in");
  EXPECT_REFUSED(group(elementwise({2, 3}, {{0, {3, std::numeric_limits<int32_t>::min()}}}, neg, {1})), "a stride");
  EXPECT_REFUSED(group(elementwise({2, 3}, {{0, {3, -1}}}, neg, {1})), "pattern inside");
  EXPECT_REFUSED(group(elementwise({2, 3}, {{0, {0x7fffffff, 1}}}, neg, {1})), "pattern inside");
  EXPECT_REFUSED(group(elementwise({2, 3}, {{0, {3, 1}}, {0, {3, 1}}}, neg, {2})), "expected 2 inputs, got 1");
  EXPECT_REFUSED(group(elementwise({2, 3}, {{0, {1}}}, neg, {1})), "a stride for each axis");
  EXPECT_REFUSED(group(elementwise({2, 3}, {{0, {3, 1}}}, neg, {1, 1})), "outputs");
  EXPECT_REFUSED(group(elementwise({2, 3}, {{0, {3, 1}}}, neg, {2})), "register as result");
  EXPECT_REFUSED(group(elementwise({2, 3}, {{0, {3, 1}}}, neg, {-1})), "expected results in");
  EXPECT_REFUSED(group(elementwise({3, 3}, {{0, {0, 1}}}, neg, {1})), "output 0 to be float32 of 9");
  EXPECT_REFUSED(group(elementwise({0x7fffffff, 0x7fffffff, 0x7fffffff}, {{0, {0, 0, 0}}}, neg, {1})), "output 0");
}

// The rows of the schema leave float64 to the reference.
TEST(decode_refuses_doubles_without_kernels) {
  struct Row {
    Opcode opcode;
    size_t inputs, outputs, words;
  };
  const Row rows[] = {{Opcode::k_attention, 3, 2, 9},
                      {Opcode::k_attentionGradient, 6, 3, 9},
                      {Opcode::k_moments, 1, 2, 3},
                      {Opcode::k_deviationSums, 3, 2, 3},
                      {Opcode::k_conv2d, 2, 1, 19},
                      {Opcode::k_maxPooledConv2d, 2, 1, 21},
                      {Opcode::k_conv2dInputGradient, 2, 1, 16},
                      {Opcode::k_conv2dWeightGradient, 2, 1, 16},
                      {Opcode::k_maxPool2d, 2, 1, 13},
                      {Opcode::k_maxPool2dGradient, 2, 1, 14}};
  for (const Row& row : rows) {
    const auto of = [&](DType dtype) {
      return single(row.opcode, std::vector<Type>(row.inputs, {dtype, {1}}),
                    std::vector<Type>(row.outputs, {dtype, {1}}), Words(row.words, 0));
    };
    EXPECT_REFUSED(of(DType::k_float64), "input 0 to be float32, got float64");
    EXPECT(!contains(error_of(of(kFloat)), "input 0 to be float32, got"));
  }
}

TEST(decode_checks_registers) {
  const auto code = [](const std::vector<MicroWords>& micros, DType out = kFloat) {
    const auto result = static_cast<int32_t>(micros.size()) + 1;
    return single(Opcode::k_elementwise, {{kFloat, {4}}, {kBool, {4}}}, {{out, {4}}},
                  elementwise({4}, {{0, {1}}, {0, {1}}}, micros, {result}));
  };
  EXPECT_ACCEPTED(code({{MicroOp::k_where, kFloat, {1, 0, 0}}}));
  EXPECT_ACCEPTED(code({{MicroOp::k_less, kFloat, {0, 0}}}, kBool));
  EXPECT_ACCEPTED(code({{MicroOp::k_cast, kBool, {1}, kInt}, {MicroOp::k_add, kInt, {2, 2}}}, kInt));
  EXPECT_REFUSED(code({{MicroOp::k_add, kFloat, {0, 2}}}), "registers written before");
  EXPECT_REFUSED(code({{MicroOp::k_add, kFloat, {0, 99}}}), "registers written before");
  EXPECT_REFUSED(code({{MicroOp::k_add, kFloat, {0, -1}}}), "registers written before");
  EXPECT_REFUSED(code({{MicroOp::k_neg, kFloat, {0, 0}}}), "registers written before");
  EXPECT_REFUSED(code({{MicroOp::k_add, kFloat, {0, 1}}}), "registers written before");
  EXPECT_REFUSED(code({{MicroOp::k_add, kBool, {1, 1}}}, kBool), "registers written before");
  EXPECT_ACCEPTED(code({{MicroOp::k_bitwiseAnd, kBool, {1, 1}}}, kBool));
  EXPECT_REFUSED(code({{MicroOp::k_bitwiseAnd, kFloat, {0, 0}}}), "registers written before");
  EXPECT_ACCEPTED(code({{MicroOp::k_cast, kFloat, {0}, kDouble}, {MicroOp::k_exp, kDouble, {2}}}, kDouble));
  EXPECT_REFUSED(code({{MicroOp::k_cast, kFloat, {0}, kDouble}, {MicroOp::k_add, kDouble, {0, 2}}}, kDouble),
                 "registers written before");
  EXPECT_REFUSED(code({{MicroOp::k_cast, kFloat, {0}, kDouble}, {MicroOp::k_bitwiseOr, kDouble, {2, 2}}}, kDouble),
                 "registers written before");
  EXPECT_REFUSED(code({{MicroOp::k_leftShift, kBool, {1, 1}}}, kBool), "registers written before");
  EXPECT_REFUSED(code({{MicroOp::k_mod, kBool, {1, 1}}}, kBool), "registers written before");
  EXPECT_REFUSED(code({{MicroOp::k_exp, kInt, {0}}}, kInt), "registers written before");
  EXPECT_REFUSED(code({{MicroOp::k_where, kFloat, {0, 0, 0}}}), "registers written before");
  EXPECT_REFUSED(code({{MicroOp::k_less, kFloat, {0, 0}}}), "output 0 to be bool");
  EXPECT_REFUSED(code({{MicroOp::count, kFloat, {0, 0}}}), "a micro-op");
  EXPECT_REFUSED(code({{MicroOp::k_cast, kFloat, {0}, static_cast<DType>(77)}}), "a dtype");
}

TEST(decode_checks_matmul) {
  const auto with = [](const Words& params, int32_t a = 8, int32_t b = 12) {
    return single(Opcode::k_matmul, {{kFloat, {a}}, {kFloat, {b}}}, {{kFloat, {2, 3}}}, params);
  };
  EXPECT_ACCEPTED(with(matmul(1, 2, 3, 4, {0, 0, 4, 0}, {0, 0, 3, 0})));
  EXPECT_ACCEPTED(with(matmul(1, 2, 3, 4, {0, 0, 2, 1}, {0, 0, 4, 1})));
  EXPECT_ACCEPTED(with(matmul(1, 2, 3, 0, {9, 9, 9, 0}, {9, 9, 9, 0})));
  EXPECT_REFUSED(with(matmul(1, 2, 3, 4, {0, 0, 5, 0}, {0, 0, 3, 0})), "a inside");
  EXPECT_REFUSED(with(matmul(1, 2, 3, 4, {1, 0, 4, 0}, {0, 0, 3, 0})), "a inside");
  EXPECT_REFUSED(with(matmul(1, 2, 3, 4, {0, 0, 4, 0}, {0, 0, 4, 0})), "b inside");
  EXPECT_REFUSED(with(matmul(1, 2, 3, 4, {0, 0, 4, 0}, {0, 0, 5, 1})), "b inside");
  EXPECT_REFUSED(with(matmul(1, 2, 3, 4, {0, 0, -4, 0}, {0, 0, 3, 0})), "leading dimension");
  EXPECT_REFUSED(with(matmul(1, 2, 3, 4, {0, 0, 4, 2}, {0, 0, 3, 0})), "a flag");
  EXPECT_REFUSED(with(matmul(2, 2, 3, 4, {0, 0, 4, 0}, {0, 0, 3, 0})), "output 0");
  EXPECT_REFUSED(with(matmul(-1, 2, 3, 4, {0, 0, 4, 0}, {0, 0, 3, 0})), "batch");
  EXPECT_REFUSED(with(matmul(1, 2, 3, 4, {0, 0, 4, 0}, {0, 0, 3, 0}, Activation::count)), "an activation");
  EXPECT_REFUSED(with(matmul(1, 2, 3, 4, {0, 0, 4, 0}, {0, 0, 3, 0}, Activation::k_none, 0, Precision::count)),
                 "a precision");
  const int32_t huge = 0x7fffffff;
  EXPECT_REFUSED(with(matmul(huge, huge, huge, huge, {huge, huge, huge, 0}, {huge, huge, huge, 1})), "a inside");
  EXPECT_REFUSED(single(Opcode::k_matmul, {{kInt, {8}}, {kFloat, {12}}}, {{kFloat, {2, 3}}},
                        matmul(1, 2, 3, 4, {0, 0, 4, 0}, {0, 0, 3, 0})),
                 "input 1 to be int32");
  const auto integers = [](Activation activation) {
    return single(Opcode::k_matmul, {{kInt, {8}}, {kInt, {12}}}, {{kInt, {2, 3}}},
                  matmul(1, 2, 3, 4, {0, 0, 4, 0}, {0, 0, 3, 0}, activation));
  };
  EXPECT_ACCEPTED(integers(Activation::k_none));
  EXPECT_REFUSED(integers(Activation::k_relu), "integers without bias and activation");
  EXPECT_REFUSED(single(Opcode::k_matmul, {{kFloat, {8}}, {kFloat, {12}}, {kFloat, {4}}}, {{kFloat, {2, 3}}},
                        matmul(1, 2, 3, 4, {0, 0, 4, 0}, {0, 0, 3, 0})),
                 "input 2 to be float32 of 3");
}

TEST(decode_checks_quantized_matmul) {
  const auto with = [](const Words& extents, const Words& weight) {
    return single(Opcode::k_quantizedMatmul, {{kFloat, {2, 5}}, {kByte, weight}, {kFloat, {18}}}, {{kFloat, {2, 18}}},
                  extents + Words{number(Activation::k_relu), 0, 0});
  };
  EXPECT_ACCEPTED(with({2, 18, 5}, {2, 2, 16, 4}));
  EXPECT_REFUSED(with({2, 18, 5}, {2, 1, 16, 4}), "input 1 to be uint8 of 256 elements");
  EXPECT_REFUSED(with({2, 18, 131073}, {2, 2, 16, 4}), "k of at most 2^17");
  EXPECT_REFUSED(with({2, -1, 5}, {2, 2, 16, 4}), "n in [0");
  EXPECT_REFUSED(with({3, 18, 5}, {2, 2, 16, 4}), "input 0 to be float32 of 15 elements");
}

TEST(decode_checks_copy_and_pad) {
  EXPECT_ACCEPTED(single(Opcode::k_copy, {{kByte, {6}}}, {{kByte, {3, 2}}}, view({3, 2}, 0, {1, 3})));
  EXPECT_REFUSED(single(Opcode::k_copy, {{kByte, {6}}}, {{kByte, {3, 2}}}, view({3, 2}, 0, {2, 3})), "view inside");
  EXPECT_REFUSED(single(Opcode::k_copy, {{kByte, {6}}}, {{kInt, {3, 2}}}, view({3, 2}, 0, {1, 3})),
                 "output 0 to be uint8");
  EXPECT_REFUSED(single(Opcode::k_copy, {{kByte, {6}}}, {{kByte, {3, 3}}}, view({3, 2}, 0, {1, 3})), "of 6 elements");
  const auto pad = [](const Words& params) {
    return single(Opcode::k_pad, {{kFloat, {2, 2}}}, {{kFloat, {4, 4}}}, params);
  };
  EXPECT_ACCEPTED(pad(view({2, 2}, 5, {4, 1})));
  EXPECT_ACCEPTED(pad(view({2, 2}, 0, {1, 4})));
  EXPECT_REFUSED(pad(view({2, 2}, 11, {4, 1})), "targets inside");
  EXPECT_REFUSED(pad(view({2, 2}, 5, {-8, 1})), "targets inside");
  EXPECT_REFUSED(pad(view({2, 2}, 0, {0, 1})), "distinct targets");
  EXPECT_REFUSED(pad(view({2, 2}, 0, {1, 1})), "distinct targets");
  EXPECT_REFUSED(pad(view({2, 3}, 0, {1, 1})), "input 0");
}

TEST(decode_checks_concat) {
  const auto concat = [](const Words& params) {
    return single(Opcode::k_concat, {{kFloat, {2, 1}}, {kFloat, {2, 3}}}, {{kFloat, {2, 4}}}, params);
  };
  EXPECT_ACCEPTED(concat({2, 2, 1, 3}));
  EXPECT_REFUSED(concat({2, 2, 3, 1}), "input 0");
  EXPECT_REFUSED(concat({2, 1, 1}), "expected 1 inputs, got 2");
  EXPECT_REFUSED(concat({2, 3, 1, 3, 1}), "expected 3 inputs, got 2");
  EXPECT_REFUSED(concat({1, 3, 2, 6, -1}), "inner");
  EXPECT_REFUSED(single(Opcode::k_concat, {}, {}, {0, 0}), "expected at least 1 inputs, got 0");
}

TEST(decode_checks_reductions) {
  const auto reduce = [](DType dtype, const Words& params) {
    return single(Opcode::k_reduce, {{dtype, {2, 3, 4}}}, {{dtype, {2, 4}}}, params);
  };
  EXPECT_ACCEPTED(reduce(kFloat, {number(Reduction::k_sum), 2, 3, 4}));
  EXPECT_ACCEPTED(reduce(kInt, {number(Reduction::k_max), 2, 3, 4}));
  EXPECT_REFUSED(reduce(kByte, {number(Reduction::k_max), 2, 3, 4}), "float32 or float64 or int32");
  EXPECT_REFUSED(reduce(kFloat, {number(Reduction::count), 2, 3, 4}), "a reduction");
  EXPECT_REFUSED(reduce(kFloat, {0, 4, 3, 2, 1}), "end of the parameter");
  EXPECT_REFUSED(reduce(kFloat, {0, 3, 2, 4}), "output 0");
  EXPECT_REFUSED(reduce(kFloat, {0, 2, 4, 4}), "input 0");
  EXPECT_REFUSED(reduce(kFloat, {0, 0x7fffffff, 0x7fffffff, 0x7fffffff}), "input 0");
  EXPECT_ACCEPTED(single(Opcode::k_argmax, {{kFloat, {2, 3}}}, {{kInt, {2}}}, {2, 3, 1}));
  EXPECT_REFUSED(single(Opcode::k_argmax, {{kFloat, {2, 3}}}, {{kFloat, {2}}}, {2, 3, 1}), "output 0 to be int32");
  EXPECT_REFUSED(single(Opcode::k_argmax, {{kFloat, {2, 0}}}, {{kInt, {2}}}, {2, 0, 1}), "empty axis");
  EXPECT_ACCEPTED(single(Opcode::k_scan, {{kInt, {2, 3}}}, {{kInt, {2, 3}}}, {3, 1, 2, 3, 1}));
  EXPECT_REFUSED(single(Opcode::k_scan, {{kInt, {2, 3}}}, {{kInt, {2, 3}}}, {4, 1, 2, 3, 1}), "a reduction in [0, 4)");
  EXPECT_REFUSED(single(Opcode::k_scan, {{kInt, {2, 3}}}, {{kInt, {2, 3}}}, {3, 1, 2, 3, 2}), "a flag in [0, 2)");
  EXPECT_REFUSED(single(Opcode::k_scan, {{kInt, {2, 3}}}, {{kInt, {2, 3}}}, {3, 2, 2, 3, 0}),
                 "input 0 to be int32 of 12");
  EXPECT_REFUSED(single(Opcode::k_scan, {{kInt, {2, 3}}}, {{kInt, {2}}}, {3, 1, 2, 3, 0}), "output 0 to be int32 of 6");
  EXPECT_ACCEPTED(single(Opcode::k_recurrence, {{kFloat, {2, 3}}, {kFloat, {2, 3}}}, {{kFloat, {2, 3}}}, {1, 2, 3, 0}));
  EXPECT_REFUSED(single(Opcode::k_recurrence, {{kInt, {2}}, {kInt, {2}}}, {{kInt, {2}}}, {1, 2, 1, 0}),
                 "input 0 to be float32");
  EXPECT_ACCEPTED(single(Opcode::k_argsort, {{kFloat, {2, 3}}}, {{kInt, {2, 2}}}, {2, 3, 2, 0}));
  EXPECT_REFUSED(single(Opcode::k_argsort, {{kFloat, {2, 3}}}, {{kInt, {2, 4}}}, {2, 3, 4, 0}), "in a row, got more");
  EXPECT_REFUSED(single(Opcode::k_argsort, {{kFloat, {2, 3}}}, {{kFloat, {2, 2}}}, {2, 3, 2, 0}),
                 "output 0 to be int32");
}

TEST(decode_checks_rows) {
  const auto entropy = [](Type labels, const std::vector<Type>& out) {
    return single(Opcode::k_softmaxCrossEntropy, {{kFloat, {2, 3}}, labels}, out, {2, 3});
  };
  EXPECT_ACCEPTED(single(Opcode::k_softmax, {{kFloat, {2, 3}}}, {{kFloat, {2, 3}}}, {2, 3}));
  EXPECT_REFUSED(single(Opcode::k_logSoftmax, {{kFloat, {2, 3}}}, {{kFloat, {2, 3}}}, {2, 4}), "input 0");
  EXPECT_ACCEPTED(entropy({kInt, {2}}, {{kFloat, {2}}, {kFloat, {2, 3}}}));
  EXPECT_ACCEPTED(entropy({kFloat, {2, 3}}, {{kFloat, {2}}}));
  EXPECT_REFUSED(entropy({kInt, {3}}, {{kFloat, {2}}}), "input 1 to be int32 of 2");
  EXPECT_REFUSED(entropy({kFloat, {2}}, {{kFloat, {2}}}), "input 1 to be float32 of 6");
  EXPECT_REFUSED(entropy({kInt, {2}}, {{kFloat, {3}}}), "output 0");
  EXPECT_REFUSED(entropy({kInt, {2}}, {{kFloat, {2}}, {kFloat, {2}}}), "output 1");
}

TEST(decode_checks_gather_and_scatter) {
  EXPECT_ACCEPTED(single(Opcode::k_gather, {{kBool, {5, 2}}, {kInt, {3}}}, {{kBool, {3, 2}}}, {5, 2, 3}));
  EXPECT_REFUSED(single(Opcode::k_gather, {{kBool, {5, 2}}, {kFloat, {3}}}, {{kBool, {3, 2}}}, {5, 2, 3}),
                 "input 1 to be int32");
  EXPECT_REFUSED(single(Opcode::k_gather, {{kBool, {5, 2}}, {kInt, {3}}}, {{kBool, {3, 2}}}, {6, 2, 3}), "input 0");
  EXPECT_REFUSED(single(Opcode::k_gather, {{kBool, {5, 2}}, {kInt, {3}}}, {{kBool, {4, 2}}}, {5, 2, 3}), "output 0");
  const auto scatter = [](DType dtype, const Words& params) {
    return single(Opcode::k_scatterAdd, {{dtype, {5, 2}}, {kInt, {3}}, {dtype, {3, 2}}}, {{dtype, {5, 2}}}, params);
  };
  EXPECT_ACCEPTED(scatter(kInt, {5, 2, 3}));
  EXPECT_REFUSED(scatter(kByte, {5, 2, 3}), "float32 or float64 or int32");
  EXPECT_REFUSED(scatter(kFloat, {5, 2, 4}), "input 1");
}

TEST(decode_checks_elements_along_an_axis) {
  const auto take = [](const Type& x, const Words& params) {
    return single(Opcode::k_takeAlongAxis, {x, {kInt, {2, 4, 3}}}, {{x.dtype, {2, 4, 3}}}, params);
  };
  EXPECT_ACCEPTED(take({kBool, {2, 5, 3}}, {2, 5, 4, 3}));
  EXPECT_REFUSED(take({kBool, {2, 6, 3}}, {2, 5, 4, 3}), "input 0");
  EXPECT_REFUSED(take({kBool, {2, 5, 3}}, {2, 5, 3, 3}), "input 1");
  EXPECT_REFUSED(take({kBool, {2, 5, 3}}, {INT32_MAX, INT32_MAX, 4, INT32_MAX}), "input 0");
  const auto scatter = [](DType dtype, const Words& params) {
    return single(Opcode::k_scatterAlongAxis, {{dtype, {5, 2}}, {kInt, {3, 2}}, {dtype, {3, 2}}}, {{dtype, {5, 2}}},
                  params);
  };
  EXPECT_ACCEPTED(scatter(kInt, {1, 5, 3, 2, 1}));
  EXPECT_ACCEPTED(scatter(kByte, {1, 5, 3, 2, 0}));
  EXPECT_REFUSED(scatter(kByte, {1, 5, 3, 2, 1}), "float32 or float64 or int32");
  EXPECT_REFUSED(scatter(kFloat, {1, 5, 3, 2, 2}), "a flag");
  EXPECT_REFUSED(scatter(kFloat, {1, 5, 4, 2, 1}), "input 1");
}

TEST(decode_checks_random_and_updates) {
  EXPECT_ACCEPTED(single(Opcode::k_random, {{kInt, {2}}}, {{kFloat, {7}}}, {1}));
  EXPECT_REFUSED(single(Opcode::k_random, {{kInt, {1}}}, {{kFloat, {7}}}, {1}), "input 0");
  EXPECT_REFUSED(single(Opcode::k_random, {{kInt, {2}}}, {{kInt, {7}}}, {1}), "output 0");
  EXPECT_REFUSED(single(Opcode::k_random, {{kInt, {2}}}, {{kFloat, {7}}}, {9}), "a distribution");
  const auto drawn = [](Distribution distribution, const std::vector<Type>& inputs, const Type& out) {
    return single(Opcode::k_random, inputs, {out}, {number(distribution)});
  };
  EXPECT_ACCEPTED(drawn(Distribution::k_gamma, {{kInt, {2}}, {kFloat, {7}}}, {kFloat, {7}}));
  EXPECT_ACCEPTED(drawn(Distribution::k_integer, {{kInt, {2}}, {kInt, {}}, {kInt, {7}}}, {kInt, {7}}));
  EXPECT_REFUSED(drawn(Distribution::k_gamma, {{kInt, {2}}}, {kFloat, {7}}), "expected 2 inputs");
  EXPECT_REFUSED(drawn(Distribution::k_exponential, {{kInt, {2}}, {kFloat, {7}}}, {kFloat, {7}}), "expected 1 inputs");
  EXPECT_REFUSED(drawn(Distribution::k_gamma, {{kInt, {2}}, {kFloat, {6}}}, {kFloat, {7}}),
                 "input 1 to be float32 of 7");
  EXPECT_REFUSED(drawn(Distribution::k_gamma, {{kInt, {2}}, {kFloat, {0}}}, {kFloat, {7}}),
                 "input 1 to be float32 of 7");
  EXPECT_REFUSED(drawn(Distribution::k_beta, {{kInt, {2}}, {kFloat, {}}, {kInt, {}}}, {kFloat, {7}}),
                 "input 2 to be float32");
  EXPECT_REFUSED(drawn(Distribution::k_integer, {{kInt, {2}}, {kInt, {}}, {kInt, {}}}, {kFloat, {7}}),
                 "output 0 to be int32");
  const Type x = {kFloat, {4}}, scalar = {kFloat, {}};
  EXPECT_ACCEPTED(single(Opcode::k_sgd, {x, x, scalar}, {x}, {4}));
  EXPECT_REFUSED(single(Opcode::k_sgd, {x, x, x}, {x}, {4}), "input 2 to be float32 of 1");
  EXPECT_REFUSED(single(Opcode::k_sgd, {x, x, scalar}, {x}, {5}), "input 0");
  EXPECT_ACCEPTED(single(Opcode::k_momentum, {x, x, x, scalar}, {x, x}, Words{4} + real(0.9) + Words{1}));
  EXPECT_REFUSED(single(Opcode::k_momentum, {x, x, x, scalar}, {x, x}, Words{4} + real(0.9) + Words{2}), "a flag");
  const Words adam = Words{4} + real(0.9) + real(0.999) + real(1e-8) + real(0);
  EXPECT_ACCEPTED(single(Opcode::k_adam, {x, x, x, x, scalar, scalar}, {x, x, x}, adam));
  EXPECT_REFUSED(single(Opcode::k_adam, {x, x, x, x, scalar, scalar}, {x, x}, adam), "outputs");
  EXPECT_REFUSED(single(Opcode::k_adam, {x, x, x, x, scalar}, {x, x, x}, adam), "inputs");
}

TEST(decode_refuses_reading_what_is_not_written) {
  ProgramBuilder builder;
  const int32_t a = builder.scratch(kFloat, {4}), b = builder.scratch(kFloat, {4}), r = builder.result(kFloat, {4});
  builder.instruction(Opcode::k_elementwise, {a}, {b}, negate(4));
  builder.instruction(Opcode::k_elementwise, {b}, {a}, negate(4));
  builder.instruction(Opcode::k_elementwise, {b}, {r}, negate(4));
  EXPECT_REFUSED(builder, "instruction 0: expected value 0 to be written before");
}

TEST(decode_refuses_a_cycle_of_one) {
  ProgramBuilder builder;
  const int32_t a = builder.scratch(kFloat, {4}), r = builder.result(kFloat, {4});
  builder.instruction(Opcode::k_elementwise, {a}, {a}, negate(4));
  builder.instruction(Opcode::k_elementwise, {a}, {r}, negate(4));
  EXPECT_REFUSED(builder, "written before");
}

TEST(decode_refuses_writing_twice_or_where_one_may_not) {
  ProgramBuilder twice = negation();
  twice.instruction(Opcode::k_elementwise, {0}, {1},
                    elementwise({6}, {{0, {1}}}, {{MicroOp::k_neg, kFloat, {0}}}, {1}));
  EXPECT_REFUSED(twice, "one writer");
  ProgramBuilder input = negation();
  input.instruction(Opcode::k_elementwise, {1}, {0},
                    elementwise({6}, {{0, {1}}}, {{MicroOp::k_neg, kFloat, {0}}}, {1}));
  EXPECT_REFUSED(input, "may be written");
  ProgramBuilder literal;
  const int32_t x = literal.literal<float>(kFloat, {2}, {1, 2});
  literal.instruction(Opcode::k_elementwise, {x}, {x}, negate(2));
  EXPECT_REFUSED(literal, "may be written");
}

// x → a → b → r, with a and b where the test says (in blocks of 64 bytes, each value 2 blocks long).
ProgramBuilder chain(int32_t a_block, int32_t b_block, bool a_is_read_again) {
  ProgramBuilder builder;
  builder.arena_blocks = 8;
  const int32_t x = builder.input(kFloat, {32}), r = builder.result(kFloat, {32});
  const int32_t a = builder.value(kFloat, Place::k_arena, a_block, {32});
  const int32_t b = builder.value(kFloat, Place::k_arena, b_block, {32});
  builder.instruction(Opcode::k_elementwise, {x}, {a}, negate(32));
  builder.instruction(Opcode::k_elementwise, {a}, {b}, negate(32));
  const std::vector<MicroWords> add = {{MicroOp::k_add, kFloat, {0, 1}}};
  builder.instruction(Opcode::k_elementwise, {b, a_is_read_again ? a : b}, {r},
                      elementwise({32}, {{0, {1}}, {0, {1}}}, add, {2}));
  return builder;
}

TEST(decode_checks_slots) {
  EXPECT_ACCEPTED(chain(0, 2, true));
  EXPECT_ACCEPTED(chain(6, 0, true));
  EXPECT_ACCEPTED(chain(3, 3, false));
  EXPECT_REFUSED(chain(3, 3, true), "not to overlap");
  EXPECT_REFUSED(chain(3, 4, false), "not to overlap");
  EXPECT_REFUSED(chain(4, 3, false), "not to overlap");
  EXPECT_REFUSED(chain(7, 0, false), "arena bytes");
}

TEST(decode_lets_dead_slots_be_used_again) {
  ProgramBuilder builder = chain(0, 2, false);
  const int32_t c = builder.value(kFloat, Place::k_arena, 1, {32}), r = builder.result(kFloat, {32});
  builder.instruction(Opcode::k_elementwise, {0}, {c}, negate(32));
  builder.instruction(Opcode::k_elementwise, {c}, {r}, negate(32));
  EXPECT_ACCEPTED(builder);
}

TEST(decode_refuses_outputs_that_overlap) {
  ProgramBuilder builder;
  builder.arena_blocks = 2;
  const int32_t x = builder.input(kFloat, {16});
  const int32_t a = builder.value(kFloat, Place::k_arena, 0, {16}), b = builder.value(kFloat, Place::k_arena, 0, {16});
  builder.instruction(Opcode::k_elementwise, {x}, {a, b},
                      elementwise({16}, {{0, {1}}}, {{MicroOp::k_neg, kFloat, {0}}}, {0, 1}));
  EXPECT_REFUSED(builder, "not to overlap");
}

TEST(decode_checks_what_may_be_in_place) {
  const auto in_place = [](Opcode opcode, const Words& shape, DType in, DType out, const Words& params) {
    ProgramBuilder builder;
    builder.arena_blocks = 1;
    const int32_t x = builder.input(in, shape);
    const int32_t a = builder.value(in, Place::k_arena, 0, shape), b = builder.value(out, Place::k_arena, 0, shape);
    builder.instruction(Opcode::k_copy, {x}, {a}, view({16}, 0, {1}));
    builder.instruction(opcode, {a}, {b}, params);
    return builder;
  };
  EXPECT_ACCEPTED(in_place(Opcode::k_softmax, {4, 4}, kFloat, kFloat, {4, 4}));
  EXPECT_REFUSED(in_place(Opcode::k_copy, {4, 4}, kFloat, kFloat, view({16}, 0, {1})), "not to overlap");
  EXPECT_REFUSED(in_place(Opcode::k_reduce, {16}, kFloat, kFloat, {0, 16, 1, 1}), "not to overlap");
  EXPECT_ACCEPTED(in_place(Opcode::k_elementwise, {4, 4}, kFloat, kFloat, negate(16)));
  EXPECT_ACCEPTED(in_place(Opcode::k_elementwise, {4, 4}, kFloat, kInt,
                           elementwise({16}, {{0, {1}}}, {{MicroOp::k_cast, kFloat, {0}, kInt}}, {1})));
  EXPECT_REFUSED(in_place(Opcode::k_elementwise, {4, 4}, kFloat, kByte,
                          elementwise({16}, {{0, {1}}}, {{MicroOp::k_cast, kFloat, {0}, kByte}}, {1})),
                 "not to overlap");
  EXPECT_REFUSED(in_place(Opcode::k_elementwise, {4, 4}, kFloat, kFloat,
                          elementwise({4, 4}, {{0, {1, 4}}}, {{MicroOp::k_neg, kFloat, {0}}}, {1})),
                 "not to overlap");
  EXPECT_REFUSED(in_place(Opcode::k_elementwise, {4, 4}, kFloat, kFloat,
                          elementwise({16}, {{15, {-1}}}, {{MicroOp::k_neg, kFloat, {0}}}, {1})),
                 "not to overlap");
}

TEST(decode_refuses_in_place_over_another_use) {
  ProgramBuilder builder;
  builder.arena_blocks = 1;
  const int32_t x = builder.input(kInt, {4}), a = builder.value(kInt, Place::k_arena, 0, {4});
  const int32_t b = builder.value(kInt, Place::k_arena, 0, {4});
  builder.instruction(Opcode::k_copy, {x}, {a}, view({4}, 0, {1}));
  builder.instruction(Opcode::k_scatterAdd, {a, a, x}, {b}, {4, 1, 4});
  EXPECT_REFUSED(builder, "not to overlap");
}

// p -= rate · p, in place or not.
ProgramBuilder update() {
  ProgramBuilder builder;
  const int32_t p = builder.state(kFloat, {4}), rate = builder.input(kFloat, {});
  const int32_t updated = builder.value(kFloat, Place::k_state, 0, {4});
  builder.instruction(Opcode::k_sgd, {p, p, rate}, {updated}, {4});
  return builder;
}

TEST(decode_checks_states) {
  EXPECT_ACCEPTED(update());

  ProgramBuilder reads_new = update();
  reads_new.instruction(Opcode::k_elementwise, {2}, {reads_new.result(kFloat, {4})}, negate(4));
  EXPECT_ACCEPTED(reads_new);

  ProgramBuilder reads_old = update();
  reads_old.instruction(Opcode::k_elementwise, {0}, {reads_old.result(kFloat, {4})}, negate(4));
  EXPECT_REFUSED(reads_old, "to be there still");

  ProgramBuilder writes_again = update();
  writes_again.instruction(Opcode::k_elementwise, {2}, {writes_again.value(kFloat, Place::k_state, 0, {4})}, negate(4));
  EXPECT_REFUSED(writes_again, "one new value of its state");

  ProgramBuilder transposes;
  const int32_t p = transposes.state(kFloat, {2, 2}), q = transposes.value(kFloat, Place::k_state, 0, {2, 2});
  transposes.instruction(Opcode::k_copy, {p}, {q}, view({2, 2}, 0, {1, 2}));
  EXPECT_REFUSED(transposes, "not to overlap");
}

TEST(decode_takes_several_names_of_an_old_state) {
  ProgramBuilder builder;
  const int32_t p = builder.state(kFloat, {4}), same = builder.value(kFloat, Place::k_state, 0, {2, 2});
  const int32_t updated = builder.value(kFloat, Place::k_state, 0, {4});
  const std::vector<MicroWords> add = {{MicroOp::k_add, kFloat, {0, 1}}};
  builder.instruction(Opcode::k_elementwise, {p, same}, {updated}, elementwise({4}, {{0, {1}}, {0, {1}}}, add, {2}));
  EXPECT_ACCEPTED(builder);
  ProgramBuilder reversed = builder;
  reversed.instruction_words.clear();
  reversed.instructions = 0;
  reversed.instruction(Opcode::k_elementwise, {p, same}, {updated}, elementwise({4}, {{0, {1}}, {3, {-1}}}, add, {2}));
  EXPECT_REFUSED(reversed, "not to overlap");
}

TEST(decode_refuses_failing_after_a_state_was_written) {
  ProgramBuilder builder = update();
  const int32_t x = builder.input(kFloat, {4}), i = builder.input(kInt, {1}), r = builder.result(kFloat, {1});
  builder.instruction(Opcode::k_gather, {x, i}, {r}, {4, 1, 1});
  EXPECT_REFUSED(builder, "before the first write to a state");
}

TEST(decode_takes_many_slots_quickly) {
  ProgramBuilder builder;
  constexpr int kLength = 20000;
  builder.arena_blocks = 2;
  int32_t last = builder.input(kFloat, {16});
  for (int i = 0; i < kLength; ++i) {
    const int32_t next = builder.value(kFloat, Place::k_arena, i % 2, {16});
    builder.instruction(Opcode::k_elementwise, {last}, {next}, negate(16));
    last = next;
  }
  EXPECT_ACCEPTED(builder);
}

}  // namespace
}  // namespace galvani::test
