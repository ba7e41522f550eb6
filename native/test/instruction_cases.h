// Programs of one instruction, of every kind but matmul: for tests over all of them, and for the benches. Each reads
// and writes about as many bytes as asked for.
#pragma once

#include <string>

#include "test/program_builder.h"

namespace galvani::test {

constexpr DType kFloat = DType::k_float32, kInt = DType::k_int32, kByte = DType::k_uint8;

struct InstructionCase {
  std::string name;
  int64_t elements;
  int64_t bytes;  // read and written
  ProgramBuilder builder;
  int32_t index_limit = 10;  // of the int32 inputs
};

inline Words elements(int64_t n) { return {static_cast<int32_t>(n)}; }
inline Words matrix(int64_t rows, int64_t columns) {
  return {static_cast<int32_t>(rows), static_cast<int32_t>(columns)};
}

inline InstructionCase unary(const char* name, MicroOp op, int64_t bytes) {
  const Words shape = elements(bytes / 8);
  InstructionCase c{name, bytes / 8, bytes, {}};
  const int32_t x = c.builder.input(kFloat, shape);
  c.builder.instruction(Opcode::k_elementwise, {x}, {c.builder.result(kFloat, shape)},
                        elementwise(shape, {{0, {1}}}, {{op, kFloat, {0}}}, {1}));
  return c;
}

// x op scalar.
inline InstructionCase with_scalar(const char* name, MicroOp op, int64_t bytes) {
  const Words shape = elements(bytes / 8);
  InstructionCase c{name, bytes / 8, bytes, {}};
  const Words in = {c.builder.input(kFloat, shape), c.builder.literal(kFloat, {}, std::vector<float>{0.01f})};
  c.builder.instruction(Opcode::k_elementwise, in, {c.builder.result(kFloat, shape)},
                        elementwise(shape, {{0, {1}}, {0, {0}}}, {{op, kFloat, {0, 1}}}, {2}));
  return c;
}

inline InstructionCase add(int64_t bytes) {
  const Words shape = elements(bytes / 12);
  InstructionCase c{"add", bytes / 12, bytes, {}};
  const Words in = {c.builder.input(kFloat, shape), c.builder.input(kFloat, shape)};
  c.builder.instruction(Opcode::k_elementwise, in, {c.builder.result(kFloat, shape)},
                        elementwise(shape, {{0, {1}}, {0, {1}}}, {{MicroOp::k_add, kFloat, {0, 1}}}, {2}));
  return c;
}

// relu((x · y + x) · 0.01 - y): five cheap micro-ops.
inline InstructionCase chain(int64_t bytes) {
  const Words shape = elements(bytes / 12);
  InstructionCase c{"five micro-ops", bytes / 12, bytes, {}};
  const Words in = {c.builder.input(kFloat, shape), c.builder.input(kFloat, shape),
                    c.builder.literal(kFloat, {}, std::vector<float>{0.01f})};
  c.builder.instruction(Opcode::k_elementwise, in, {c.builder.result(kFloat, shape)},
                        elementwise(shape, {{0, {1}}, {0, {1}}, {0, {0}}},
                                    {{MicroOp::k_mul, kFloat, {0, 1}},
                                     {MicroOp::k_add, kFloat, {3, 0}},
                                     {MicroOp::k_mul, kFloat, {4, 2}},
                                     {MicroOp::k_sub, kFloat, {5, 1}},
                                     {MicroOp::k_relu, kFloat, {6}}},
                                    {7}));
  return c;
}

inline InstructionCase add_row(int64_t rows, int64_t columns) {
  const Words shape = matrix(rows, columns);
  InstructionCase c{"+ row", rows * columns, 8 * rows * columns, {}};
  const Words in = {c.builder.input(kFloat, shape), c.builder.input(kFloat, elements(columns))};
  c.builder.instruction(Opcode::k_elementwise, in, {c.builder.result(kFloat, shape)},
                        elementwise(shape, {{0, {shape[1], 1}}, {0, {0, 1}}}, {{MicroOp::k_add, kFloat, {0, 1}}}, {2}));
  return c;
}

inline InstructionCase add_column(int64_t rows, int64_t columns) {
  const Words shape = matrix(rows, columns);
  InstructionCase c{"+ column", rows * columns, 8 * rows * columns, {}};
  const Words in = {c.builder.input(kFloat, shape), c.builder.input(kFloat, elements(rows))};
  c.builder.instruction(Opcode::k_elementwise, in, {c.builder.result(kFloat, shape)},
                        elementwise(shape, {{0, {shape[1], 1}}, {0, {1, 0}}}, {{MicroOp::k_add, kFloat, {0, 1}}}, {2}));
  return c;
}

// uint8 → float32, and as images are scaled.
inline InstructionCase cast(const char* name, bool is_scaled, int64_t bytes) {
  const Words shape = elements(bytes / 5);
  InstructionCase c{name, bytes / 5, bytes, {}};
  Words in = {c.builder.input(kByte, shape)};
  std::vector<Pattern> patterns = {{0, {1}}};
  std::vector<MicroWords> code = {{MicroOp::k_cast, kByte, {0}, kFloat}};
  if (is_scaled) {
    in.push_back(c.builder.literal(kFloat, {}, std::vector<float>{1 / 255.0f}));
    patterns.push_back({0, {0}});
    code = {{MicroOp::k_cast, kByte, {0}, kFloat}, {MicroOp::k_mul, kFloat, {2, 1}}};
  }
  const Words results = {static_cast<int32_t>(in.size() + code.size()) - 1};
  c.builder.instruction(Opcode::k_elementwise, in, {c.builder.result(kFloat, shape)},
                        elementwise(shape, patterns, code, results));
  return c;
}

inline InstructionCase reduce(const char* name, Reduction kind, int64_t outer, int64_t reduced, int64_t inner) {
  const int64_t size = outer * reduced * inner;
  InstructionCase c{name, size, 4 * size, {}};
  c.builder.instruction(Opcode::k_reduce, {c.builder.input(kFloat, elements(size))},
                        {c.builder.result(kFloat, elements(outer * inner))},
                        Words{number(kind)} + elements(outer) + elements(reduced) + elements(inner));
  return c;
}

// A sum, divided.
inline InstructionCase mean(const char* name, int64_t outer, int64_t reduced, int64_t inner) {
  const int64_t size = outer * reduced * inner;
  InstructionCase c{name, size, 4 * size, {}};
  const Words shape = elements(outer * inner);
  const int32_t sum = c.builder.scratch(kFloat, shape);
  c.builder.instruction(Opcode::k_reduce, {c.builder.input(kFloat, elements(size))}, {sum},
                        Words{0} + elements(outer) + elements(reduced) + elements(inner));
  const int32_t count = c.builder.literal(kFloat, {}, std::vector<float>{static_cast<float>(reduced)});
  c.builder.instruction(Opcode::k_elementwise, {sum, count}, {c.builder.result(kFloat, shape)},
                        elementwise(shape, {{0, {1}}, {0, {0}}}, {{MicroOp::k_div, kFloat, {0, 1}}}, {2}));
  return c;
}

inline InstructionCase argmax(int64_t rows, int64_t columns) {
  InstructionCase c{"argmax of rows", rows * columns, 4 * rows * columns, {}};
  c.builder.instruction(Opcode::k_argmax, {c.builder.input(kFloat, matrix(rows, columns))},
                        {c.builder.result(kInt, elements(rows))}, matrix(rows, columns) + Words{1});
  return c;
}

inline InstructionCase scan(const char* name, Reduction kind, int64_t outer, int64_t length, int64_t inner) {
  const int64_t size = outer * length * inner;
  InstructionCase c{name, size, 8 * size, {}};
  c.builder.instruction(Opcode::k_scan, {c.builder.input(kFloat, elements(size))},
                        {c.builder.result(kFloat, elements(size))},
                        Words{number(kind)} + elements(outer) + elements(length) + elements(inner) + Words{0});
  return c;
}

inline InstructionCase recurrence(int64_t rows, int64_t columns) {
  InstructionCase c{"recurrence of rows", rows * columns, 12 * rows * columns, {}};
  const Words shape = matrix(rows, columns);
  const Words in = {c.builder.input(kFloat, shape), c.builder.input(kFloat, shape)};
  c.builder.instruction(Opcode::k_recurrence, in, {c.builder.result(kFloat, shape)}, shape + Words{1, 1});
  return c;
}

inline InstructionCase argsort(const char* name, int64_t rows, int64_t columns, int64_t count) {
  InstructionCase c{name, rows * columns, 8 * rows * columns, {}};
  c.builder.instruction(Opcode::k_argsort, {c.builder.input(kFloat, matrix(rows, columns))},
                        {c.builder.result(kInt, matrix(rows, count))},
                        matrix(rows, columns) + elements(count) + Words{0});
  return c;
}

inline InstructionCase random(const char* name, Distribution distribution, int parameters, int64_t bytes) {
  const Words shape = elements(bytes / 4);
  InstructionCase c{name, bytes / 4, bytes, {}};
  Words in = {c.builder.input(kInt, {2})};
  for (int i = 0; i < parameters; ++i) in.push_back(c.builder.literal(kFloat, {}, std::vector<float>{0.7f}));
  c.builder.instruction(Opcode::k_random, in, {c.builder.result(kFloat, shape)}, {number(distribution)});
  return c;
}

inline InstructionCase rows_of(const char* name, Opcode opcode, int64_t rows, int64_t columns) {
  InstructionCase c{name, rows * columns, 8 * rows * columns, {}};
  const Words shape = matrix(rows, columns);
  c.builder.instruction(opcode, {c.builder.input(kFloat, shape)}, {c.builder.result(kFloat, shape)}, shape);
  return c;
}

// What compile() makes of losses.crossEntropy: the mean of the losses; and, for the gradient, its share of each row.
inline InstructionCase cross_entropy(const char* name, bool has_gradient, int64_t rows, int64_t columns) {
  InstructionCase c{name, rows * columns, (has_gradient ? 8 : 4) * rows * columns, {}};
  c.index_limit = static_cast<int32_t>(columns);
  ProgramBuilder& b = c.builder;
  const Words shape = matrix(rows, columns);
  const Words in = {b.input(kFloat, shape), b.input(kInt, elements(rows))};
  const int32_t losses = b.scratch(kFloat, elements(rows)), sum = b.scratch(kFloat, {});
  const int32_t gradient = has_gradient ? b.scratch(kFloat, shape) : -1;
  b.instruction(Opcode::k_softmaxCrossEntropy, in, has_gradient ? Words{losses, gradient} : Words{losses}, shape);
  b.instruction(Opcode::k_reduce, {losses}, {sum}, Words{0, 1} + elements(rows) + Words{1});
  const int32_t count = b.literal(kFloat, {}, std::vector<float>{static_cast<float>(rows)});
  const Words one_division = elementwise({}, {{0, {}}, {0, {}}}, {{MicroOp::k_div, kFloat, {0, 1}}}, {2});
  b.instruction(Opcode::k_elementwise, {sum, count}, {b.result(kFloat, {})}, one_division);
  if (!has_gradient) return c;
  const int32_t one = b.literal(kFloat, {}, std::vector<float>{1}), share = b.scratch(kFloat, {});
  b.instruction(Opcode::k_elementwise, {one, count}, {share}, one_division);
  b.instruction(Opcode::k_elementwise, {share, gradient}, {b.result(kFloat, shape)},
                elementwise(shape, {{0, {0, 0}}, {0, {shape[1], 1}}}, {{MicroOp::k_mul, kFloat, {0, 1}}}, {2}));
  return c;
}

// Rows of 64 floats, as many as there are in the table.
inline InstructionCase gather(const char* name, int32_t row_size, int64_t bytes) {
  const int64_t rows = bytes / 8 / row_size;
  InstructionCase c{name, rows * row_size, bytes, {}};
  c.index_limit = static_cast<int32_t>(rows);
  const Words shape = matrix(rows, row_size);
  const Words in = {c.builder.input(kFloat, shape), c.builder.input(kInt, elements(rows))};
  c.builder.instruction(Opcode::k_gather, in, {c.builder.result(kFloat, shape)}, shape + elements(rows));
  return c;
}

// Onto a state, in place, as the gradient of an embedding is: updates are read, rows read and written.
inline InstructionCase scatter_add(const char* name, int32_t row_size, int64_t bytes) {
  const int64_t rows = bytes / 12 / row_size;
  InstructionCase c{name, rows * row_size, bytes, {}};
  c.index_limit = static_cast<int32_t>(rows);
  const Words shape = matrix(rows, row_size);
  const int32_t old = c.builder.state(kFloat, shape);
  const Words in = {old, c.builder.input(kInt, elements(rows)), c.builder.input(kFloat, shape)};
  const int32_t updated = c.builder.value(kFloat, Place::k_state, 0, shape);
  c.builder.instruction(Opcode::k_scatterAdd, in, {updated}, shape + elements(rows));
  return c;
}

// A copy with the axes of a dense array in another order.
inline InstructionCase permute(const char* name, DType dtype, const Words& shape, const Words& order) {
  int64_t size = 1;
  for (const int32_t extent : shape) size *= extent;
  InstructionCase c{name, size, 2 * size * element_bytes(dtype), {}};
  Words strides(shape.size(), 1), new_shape, new_strides;
  for (size_t axis = shape.size() - 1; axis > 0; --axis) strides[axis - 1] = strides[axis] * shape[axis];
  for (const int32_t axis : order) {
    new_shape.push_back(shape[axis]);
    new_strides.push_back(strides[axis]);
  }
  c.builder.instruction(Opcode::k_copy, {c.builder.input(dtype, shape)}, {c.builder.result(dtype, new_shape)},
                        view(new_shape, 0, new_strides));
  return c;
}

inline InstructionCase square(const char* name, DType dtype, int64_t bytes) {
  int32_t n = 1;
  while (2 * int64_t{n + 1} * (n + 1) * element_bytes(dtype) <= bytes) ++n;
  return permute(name, dtype, {n, n}, {1, 0});
}

enum class Rule { k_sgd, k_momentum, k_adam };

inline InstructionCase update(const char* name, Rule rule, int64_t bytes) {
  const int states = rule == Rule::k_sgd ? 1 : rule == Rule::k_momentum ? 2 : 3;
  const int64_t size = bytes / (4 * (2 * states + 1));
  InstructionCase c{name, size, bytes, {}};
  ProgramBuilder& b = c.builder;
  const Words shape = elements(size);
  Words old, updated;
  for (int i = 0; i < states; ++i) {
    old.push_back(b.state(kFloat, shape));
    updated.push_back(b.value(kFloat, Place::k_state, i, shape));
  }
  Words in = {old[0], b.input(kFloat, shape)};
  in.insert(in.end(), old.begin() + 1, old.end());
  in.push_back(b.literal(kFloat, {}, std::vector<float>{1e-6f}));
  if (rule == Rule::k_adam) in.push_back(b.literal(kFloat, {}, std::vector<float>{3}));
  if (rule == Rule::k_sgd) b.instruction(Opcode::k_sgd, in, updated, shape);
  if (rule == Rule::k_momentum) b.instruction(Opcode::k_momentum, in, updated, shape + real(0.9) + Words{0});
  if (rule == Rule::k_adam) {
    b.instruction(Opcode::k_adam, in, updated, shape + real(0.9) + real(0.999) + real(1e-8) + real(0));
  }
  return c;
}

// Windows of size × size that move by `stride` over planes of 28×28; 'same' with a stride of 1.
inline Words windows_of_28(int32_t size, int32_t stride) {
  const int32_t out = 28 / stride, pad = stride == 1 ? size / 2 : 0;
  return {28, 28, size, size, out, out, stride, stride, pad, pad, 1, 1};
}

// 3×3, from so many channels to as many.
inline InstructionCase convolution(const char* name, Opcode opcode, int64_t bytes, int32_t channels = 8) {
  const int32_t images = static_cast<int32_t>(std::max<int64_t>(bytes / (channels * 8 * 28 * 28), 1));
  const Words image = {images, channels, 28, 28}, weight = {channels, channels, 3, 3};
  const int64_t size = int64_t{images} * channels * 28 * 28;
  InstructionCase c{name, size, 8 * size, {}};
  const Words params = Words{images, 1, channels, channels} + windows_of_28(3, 1);
  const bool is_forward = opcode == Opcode::k_conv2d, has_weight = opcode != Opcode::k_conv2dWeightGradient;
  const Words in = {c.builder.input(kFloat, image), c.builder.input(kFloat, has_weight ? weight : image)};
  c.builder.instruction(opcode, in, {c.builder.result(kFloat, has_weight ? image : weight)},
                        is_forward ? params + Words{0} + real(0) : params);
  return c;
}

// The same, pooled.
inline InstructionCase pooled_convolution(const char* name, int64_t bytes, int32_t channels) {
  const int32_t images = static_cast<int32_t>(std::max<int64_t>(bytes / (channels * 8 * 28 * 28), 1));
  const Words image = {images, channels, 28, 28}, weight = {channels, channels, 3, 3};
  const int64_t size = int64_t{images} * channels * 28 * 28;
  InstructionCase c{name, size, 8 * size, {}};
  const Words in = {c.builder.input(kFloat, image), c.builder.input(kFloat, weight)};
  c.builder.instruction(Opcode::k_maxPooledConv2d, in, {c.builder.result(kFloat, {images, channels, 14, 14})},
                        Words{images, 1, channels, channels} + windows_of_28(3, 1) + Words{14, 14, 0} + real(0));
  return c;
}

// Of images of 32 channels, or of 1000 columns.
inline InstructionCase channel_sums(const char* name, Opcode opcode, int32_t plane, int64_t bytes) {
  const int32_t channels = plane == 1 ? 1000 : 32;
  const int32_t outer = static_cast<int32_t>(std::max<int64_t>(bytes / (8 * channels * plane), 1));
  const Words shape = {outer, channels, plane};
  const int64_t size = int64_t{outer} * channels * plane;
  const bool has_two = opcode == Opcode::k_deviationSums;
  InstructionCase c{name, size, (has_two ? 8 : 4) * size, {}};
  Words in = {c.builder.input(kFloat, shape)};
  if (has_two) in = in + Words{c.builder.input(kFloat, {channels}), c.builder.input(kFloat, shape)};
  const Words out = {c.builder.result(kFloat, {channels}), c.builder.result(kFloat, {channels})};
  c.builder.instruction(opcode, in, out, shape);
  return c;
}

inline InstructionCase max_pool(const char* name, Opcode opcode, int64_t bytes) {
  const int32_t planes = static_cast<int32_t>(std::max<int64_t>(bytes / (5 * 28 * 28), 1));
  const Words in_shape = {planes, 28, 28}, out_shape = {planes, 14, 14};
  InstructionCase c{name, int64_t{planes} * 28 * 28, int64_t{planes} * 5 * 28 * 28, {}};
  const bool is_forward = opcode == Opcode::k_maxPool2d;
  const int32_t x = c.builder.input(kFloat, in_shape);
  const Words in = {x, is_forward ? x : c.builder.input(kFloat, out_shape)};
  c.builder.instruction(opcode, in, {c.builder.result(kFloat, is_forward ? out_shape : in_shape)},
                        Words{planes} + windows_of_28(2, 2) + (is_forward ? Words{} : Words{1}));
  return c;
}

// Rows of 1000 by a weight of int8 to 1000 outputs.
inline InstructionCase quantized_matmul(int64_t rows) {
  const int32_t m = static_cast<int32_t>(rows);
  InstructionCase c{"quantizedMatmul", rows * 1000, 8 * rows * 1000 + 1008 * 1000, {}};
  const Words in = {c.builder.input(kFloat, {m, 1000}), c.builder.input(kByte, {63, 250, 16, 4}),
                    c.builder.input(kFloat, {1000})};
  c.builder.instruction(Opcode::k_quantizedMatmul, in, {c.builder.result(kFloat, {m, 1000})},
                        {m, 1000, 1000, number(Activation::k_relu), 0, 0});
  return c;
}

// One case of each kind.
inline std::vector<InstructionCase> instruction_cases(int64_t bytes) {
  const int64_t rows = std::max<int64_t>(bytes / 8000, 1);
  const int32_t images = static_cast<int32_t>(std::max<int64_t>(bytes / (8 * 56 * 56 * 3), 1));
  std::vector<InstructionCase> cases;
  cases.push_back(unary("relu", MicroOp::k_relu, bytes));
  cases.push_back(with_scalar("leakyRelu", MicroOp::k_leakyRelu, bytes));
  cases.push_back(with_scalar("x * scalar", MicroOp::k_mul, bytes));
  cases.push_back(unary("exp", MicroOp::k_exp, bytes));
  cases.push_back(unary("sigmoid", MicroOp::k_sigmoid, bytes));
  cases.push_back(unary("tanh", MicroOp::k_tanh, bytes));
  cases.push_back(unary("gelu", MicroOp::k_gelu, bytes));
  cases.push_back(unary("gelu, tanh", MicroOp::k_geluTanh, bytes));
  cases.push_back(unary("derivative of gelu", MicroOp::k_geluDerivative, bytes));
  cases.push_back(add(bytes));
  cases.push_back(chain(bytes));
  cases.push_back(add_row(rows, 1000));
  cases.push_back(add_column(rows, 1000));
  cases.push_back(cast("cast", false, bytes));
  cases.push_back(cast("cast, scaled", true, bytes));
  cases.push_back(reduce("sum", Reduction::k_sum, 1, bytes / 4, 1));
  cases.push_back(reduce("max", Reduction::k_max, 1, bytes / 4, 1));
  cases.push_back(reduce("sum of rows", Reduction::k_sum, 2 * rows, 1000, 1));
  cases.push_back(reduce("sum of columns", Reduction::k_sum, 1, 2 * rows, 1000));
  cases.push_back(argmax(2 * rows, 1000));
  cases.push_back(reduce("prod of rows", Reduction::k_prod, 2 * rows, 1000, 1));
  cases.push_back(scan("cumsum of rows", Reduction::k_sum, rows, 1000, 1));
  cases.push_back(scan("cumsum of columns", Reduction::k_sum, 1, rows, 1000));
  cases.push_back(recurrence(rows, 1000));
  cases.push_back(argsort("argsort of rows", rows, 1000, 1000));
  cases.push_back(argsort("argsort, the first 10", rows, 1000, 10));
  cases.push_back(random("normal", Distribution::k_normal, 0, bytes));
  cases.push_back(random("exponential", Distribution::k_exponential, 0, bytes));
  cases.push_back(random("truncated normal", Distribution::k_truncatedNormal, 2, bytes));
  cases.push_back(random("gamma", Distribution::k_gamma, 1, bytes));
  cases.push_back(random("poisson", Distribution::k_poisson, 1, bytes));
  cases.push_back(rows_of("softmax", Opcode::k_softmax, rows, 1000));
  cases.push_back(rows_of("logSoftmax", Opcode::k_logSoftmax, rows, 1000));
  cases.push_back(quantized_matmul(rows));
  cases.push_back(gather("gather, rows of 64", 64, bytes));
  cases.push_back(gather("gather, rows of 1", 1, bytes));
  cases.push_back(scatter_add("scatterAdd, rows of 64", 64, bytes));
  cases.push_back(square("transpose", kFloat, bytes));
  cases.push_back(square("transpose, uint8", kByte, bytes));
  cases.push_back(permute("NHWC to NCHW", kFloat, {images, 56, 56, 3}, {0, 3, 1, 2}));
  cases.push_back(permute("NCHW to NHWC", kFloat, {images, 3, 56, 56}, {0, 2, 3, 1}));
  cases.push_back(convolution("conv2d", Opcode::k_conv2d, bytes));
  cases.push_back(convolution("conv2d by tiles", Opcode::k_conv2d, bytes, 20));
  cases.push_back(pooled_convolution("maxPooledConv2d", bytes, 8));
  cases.push_back(pooled_convolution("maxPooledConv2d by tiles", bytes, 20));
  cases.push_back(convolution("conv2dInputGradient", Opcode::k_conv2dInputGradient, bytes));
  cases.push_back(convolution("conv2dWeightGradient", Opcode::k_conv2dWeightGradient, bytes));
  cases.push_back(convolution("conv2dWeightGradient by tiles", Opcode::k_conv2dWeightGradient, bytes, 20));
  cases.push_back(channel_sums("moments of images", Opcode::k_moments, 28 * 28, bytes));
  cases.push_back(channel_sums("moments of columns", Opcode::k_moments, 1, bytes));
  cases.push_back(channel_sums("deviationSums of images", Opcode::k_deviationSums, 49, bytes));
  cases.push_back(channel_sums("deviationSums of columns", Opcode::k_deviationSums, 1, bytes));
  cases.push_back(max_pool("maxPool2d", Opcode::k_maxPool2d, bytes));
  cases.push_back(max_pool("maxPool2dGradient", Opcode::k_maxPool2dGradient, bytes));
  cases.push_back(update("sgd", Rule::k_sgd, bytes));
  cases.push_back(update("momentum", Rule::k_momentum, bytes));
  cases.push_back(update("adam", Rule::k_adam, bytes));
  return cases;
}

}  // namespace galvani::test
