// What is expected of the operands of one instruction.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <string>

#include "program/checks.h"

namespace galvani {

// The first fault sticks.
class Operands {
 public:
  Operands(const Program& program, const Instruction& instruction) : program_(program), instruction_(instruction) {}

  bool ok() const { return error_.empty(); }
  const std::string& error() const { return error_; }
  const Value& input(size_t i) const { return program_.values[instruction_.inputs[i]]; }
  const Value& output(size_t i) const { return program_.values[instruction_.outputs[i]]; }
  size_t input_count() const { return instruction_.inputs.size(); }
  size_t output_count() const { return instruction_.outputs.size(); }

  // Whether there are so many, and no fault was found before.
  bool counts(size_t least_inputs, size_t most_inputs, size_t least_outputs, size_t most_outputs) {
    expect_count("inputs", input_count(), least_inputs, most_inputs);
    expect_count("outputs", output_count(), least_outputs, most_outputs);
    return ok();
  }
  bool counts(size_t inputs, size_t outputs) { return counts(inputs, inputs, outputs, outputs); }

  using DTypes = std::initializer_list<DType>;
  void expect_input_dtype(size_t i, DTypes dtypes) { expect_dtype("input", i, input(i).dtype, dtypes); }
  void expect_output_dtype(size_t i, DTypes dtypes) { expect_dtype("output", i, output(i).dtype, dtypes); }
  void expect_input_size(size_t i, int64_t size) { expect_size("input", i, input(i), size); }
  void expect_output_size(size_t i, int64_t size) { expect_size("output", i, output(i), size); }

  void expect(bool condition, const char* message) {
    if (!condition && ok()) error_ = message;
  }

 private:
  void expect_count(const char* what, size_t count, size_t least, size_t most);
  void expect_dtype(const char* what, size_t i, DType dtype, DTypes dtypes);
  void expect_size(const char* what, size_t i, const Value& value, int64_t size);

  const Program& program_;
  const Instruction& instruction_;
  std::string error_;
};

bool is_one_of(DType dtype, std::initializer_list<DType> dtypes);

}  // namespace galvani
