// Words to structure; mirrors lib/program/encode.ts, and parameters.ts for what an instruction's parameters are made
// of.
#include <algorithm>
#include <cstdio>
#include <cstring>

#include "program/checks.h"

namespace galvani {

#define GALVANI_NAME(name) #name,
const char* name_of(Opcode opcode) {
  static const char* const names[] = {GALVANI_OPCODES(GALVANI_NAME)};
  return names[static_cast<int>(opcode)];
}

const char* name_of(DType dtype) {
  static const char* const names[] = {GALVANI_DTYPES(GALVANI_NAME)};
  return names[static_cast<int>(dtype)];
}

const char* name_of(MicroOp op) { return facts_of(op).name; }
#undef GALVANI_NAME

bool fail(std::string* error, const char* format, ...) {
  char text[1024];  // of programs in each other, too
  va_list arguments;
  va_start(arguments, format);
  std::vsnprintf(text, sizeof text, format, arguments);
  va_end(arguments);
  *error = text;
  return false;
}

int64_t checked_product(const int64_t* extents, int count) {
  if (std::find(extents, extents + count, 0) != extents + count) return 0;
  int64_t product = 1;
  for (int i = 0; i < count; ++i) {
    if (product > kMaxElements / extents[i]) return std::numeric_limits<int64_t>::max();
    product *= extents[i];
  }
  return product;
}

int64_t size_of(const PerAxis& shape) { return checked_product(shape.values, shape.rank); }

namespace {

// A bound on the memory that decoding takes, far above the largest program.
constexpr int64_t kMaxWords = int64_t{1} << 24;
// `maxElements` of lib/base/shape.ts: the bytes of as many steps as a run may have do not overflow.
constexpr int64_t kMaxValueElements = std::numeric_limits<int32_t>::max();

// Reads words in order. The first fault sticks: from then on every word reads as 0.
class Reader {
 public:
  Reader(const int32_t* words, int64_t count, int depth = 0) : words_(words), left_(count), depth_(depth) {}

  bool ok() const { return error_.empty(); }
  const std::string& error() const { return error_; }
  int64_t left() const { return left_; }
  // How many programs the words are inside of.
  int depth() const { return depth_; }

  int32_t word() {
    if (left_ == 0) reject("expected more words, got the end");
    if (!ok()) return 0;
    --left_;
    return *words_++;
  }

  // A word in [0, limit).
  int32_t number(const char* what, int64_t limit = int64_t{1} << 31) {
    const int32_t value = word();
    if (ok() && (value < 0 || value >= limit)) {
      fail(&error_, "expected %s in [0, %lld), got %d", what, static_cast<long long>(limit), value);
    }
    return ok() ? value : 0;
  }

  // How many items follow, each of at least `words_per_item` words.
  int32_t count(const char* what, int64_t words_per_item) {
    const int32_t value = number(what);
    if (ok() && value > left_ / words_per_item) fail(&error_, "expected words for %d %s, got the end", value, what);
    return ok() ? value : 0;
  }

  template <typename Enumeration>
  Enumeration enumeration(const char* what) {
    return static_cast<Enumeration>(number(what, static_cast<int64_t>(Enumeration::count)));
  }

  // A word whose negative is one too.
  int32_t stride() {
    const int32_t value = word();
    if (value == std::numeric_limits<int32_t>::min()) reject("expected a stride within 31 bits, got -2147483648");
    return ok() ? value : 0;
  }

  bool flag() { return number("a flag", 2) == 1; }

  double real() {
    uint32_t halves[2];
    halves[0] = static_cast<uint32_t>(word());
    halves[1] = static_cast<uint32_t>(word());
    const uint64_t bits = halves[0] | static_cast<uint64_t>(halves[1]) << 32;
    double value;
    std::memcpy(&value, &bits, sizeof value);
    return value;
  }

  // The next `count` words, as a reader of their own.
  Reader split(int64_t count) {
    Reader part(words_, count, depth_);
    words_ += count;
    left_ -= count;
    return part;
  }

  // The same, of a program inside this one.
  Reader split_program(int64_t count) {
    Reader part = split(count);
    ++part.depth_;
    return part;
  }

  void reject(const std::string& message) {
    if (ok()) error_ = message;
  }

 private:
  const int32_t* words_;
  int64_t left_;
  int depth_;
  std::string error_;
};

PerAxis read_shape(Reader& in) {
  PerAxis shape{};
  shape.rank = in.number("a rank", kMaxRank + 1);
  for (int axis = 0; axis < shape.rank; ++axis) shape.values[axis] = in.number("an extent");
  return shape;
}

PerAxis read_strides(Reader& in) {
  PerAxis strides{};
  strides.rank = in.number("a rank", kMaxRank + 1);
  for (int axis = 0; axis < strides.rank; ++axis) strides.values[axis] = in.stride();
  return strides;
}

std::vector<LoadPattern> read_patterns(Reader& in) {
  std::vector<LoadPattern> patterns(in.count("operands", 2));
  for (LoadPattern& pattern : patterns) {
    pattern.offset = in.number("an offset");
    pattern.strides = read_strides(in);
  }
  return patterns;
}

std::vector<int64_t> read_counts(Reader& in, const char* what) {
  std::vector<int64_t> counts(in.count(what, 1));
  for (int64_t& count : counts) count = in.number(what);
  return counts;
}

MatrixLayout read_layout(Reader& in) {
  MatrixLayout layout;
  layout.offset = in.number("an offset");
  layout.batch_stride = in.number("a batch stride");
  layout.leading_dimension = in.number("a leading dimension");
  layout.transpose = in.flag();
  return layout;
}

MicroInstruction read_micro_instruction(Reader& in) {
  MicroInstruction micro;
  micro.op = in.enumeration<MicroOp>("a micro-op");
  micro.dtype = in.enumeration<DType>("a dtype");
  micro.to = in.enumeration<DType>("a dtype");
  for (int32_t& arg : micro.args) arg = in.word();
  return micro;
}

std::vector<MicroInstruction> read_code(Reader& in) {
  std::vector<MicroInstruction> code(in.count("micro-instructions", 6));
  for (MicroInstruction& micro : code) micro = read_micro_instruction(in);
  return code;
}

bool decode_rest(Reader& in, int64_t literal_bytes, Program* program, std::string* error);

// A program that an instruction runs: without literals.
std::shared_ptr<const Program> read_program(Reader& in) {
  Reader words = in.split_program(in.count("words of a program", 1));
  if (words.depth() > kMostNesting) in.reject("expected programs in each other at most 16 deep, got deeper ones");
  auto program = std::make_shared<Program>();
  std::string error;
  if (in.ok() && !decode_rest(words, 0, program.get(), &error)) in.reject(error);
  return program;
}

// decode_params(opcode, in), by way of a decoder for each kind of parameters.
#define GALVANI_INSTRUCTION_DECODERS
#include "program/instructions.inc"
#undef GALVANI_INSTRUCTION_DECODERS

std::vector<int32_t> read_value_ids(Reader& in, const char* what, size_t value_count) {
  std::vector<int32_t> ids(in.count(what, 1));
  for (int32_t& id : ids) id = in.number("a value", value_count);
  return ids;
}

bool decode_instruction(Reader& in, const Program& program, Instruction* instruction, std::string* error) {
  instruction->opcode = in.enumeration<Opcode>("an opcode");
  instruction->inputs = read_value_ids(in, "inputs", program.values.size());
  instruction->outputs = read_value_ids(in, "outputs", program.values.size());
  Reader params = in.split(in.count("parameter words", 1));
  if (!in.ok()) return fail(error, "%s", in.error().c_str());
  instruction->params = decode_params(instruction->opcode, params);
  if (params.left() > 0) params.reject("expected the end of the parameter words, got more");
  if (!params.ok()) return fail(error, "%s: %s", name_of(instruction->opcode), params.error().c_str());
  return check_operands(program, *instruction, error);
}

Value read_value(Reader& in) {
  Value value;
  value.dtype = in.enumeration<DType>("a dtype");
  value.place = in.enumeration<Place>("a place");
  value.index = in.number("a place's index");
  if (value.place == Place::k_literal || value.place == Place::k_arena) value.index *= kArenaAlignment;
  const PerAxis shape = read_shape(in);
  value.size = in.ok() ? size_of(shape) : 0;
  if (value.size > kMaxValueElements) in.reject("expected at most 2147483647 elements, got more");
  value.bytes = in.ok() ? value.size * element_bytes(value.dtype) : 0;
  return value;
}

// The position of a value's buffer among those that a run binds, or -1 for a value that has none.
int64_t buffer_position(const Program& program, const Value& value) {
  if (value.place == Place::k_input) return value.index;
  if (value.place == Place::k_state) return program.input_count + value.index;
  if (value.place == Place::k_result) return program.input_count + int64_t{2} * program.state_count + value.index;
  return -1;
}

bool check_place(const Program& program, const Value& value, int64_t literal_bytes, std::string* error) {
  const auto check = [error](const char* what, int64_t index, int64_t end) {
    if (index <= end) return true;
    return fail(error, "expected a place inside the %s (%lld), got %lld", what, static_cast<long long>(end),
                static_cast<long long>(index));
  };
  switch (value.place) {
    case Place::k_input: return check("inputs", value.index + 1, program.input_count);
    case Place::k_state: return check("states", value.index + 1, program.state_count);
    case Place::k_result: return check("results", value.index + 1, program.result_count);
    case Place::k_literal: return check("literal bytes", value.index + value.bytes, literal_bytes);
    case Place::k_arena: return check("arena bytes", value.index + value.bytes, program.arena_bytes);
    case Place::count: break;
  }
  return false;
}

// Every buffer takes the type of its values, which must agree.
bool assign_buffer(const Value& value, BufferType* buffer, std::string* error) {
  const bool is_first = buffer->bytes < 0;
  if (is_first) *buffer = {value.dtype, value.bytes};
  if (buffer->dtype == value.dtype && buffer->bytes == value.bytes) return true;
  return fail(error, "expected the type of the other value in its buffer, got another");
}

bool decode_values(Reader& in, int64_t literal_bytes, Program* program, std::string* error) {
  const int64_t buffer_count = int64_t{program->input_count} + program->state_count + program->result_count;
  if (buffer_count > static_cast<int64_t>(program->values.size())) {
    return fail(error, "expected a value for every input, state and result, got fewer values");
  }
  program->buffers.assign(buffer_count + program->state_count, {DType::k_float32, -1});
  for (size_t id = 0; id < program->values.size(); ++id) {
    Value& value = program->values[id];
    value = read_value(in);
    std::string fault = in.error();
    bool ok = in.ok() && check_place(*program, value, literal_bytes, &fault);
    const int64_t position = ok ? buffer_position(*program, value) : -1;
    if (position >= 0) ok = assign_buffer(value, &program->buffers[position], &fault);
    if (!ok) return fail(error, "value %zu: %s", id, fault.c_str());
  }
  const auto states = program->buffers.begin() + program->input_count;
  std::copy(states, states + program->state_count, states + program->state_count);
  for (const BufferType& buffer : program->buffers) {
    if (buffer.bytes < 0) return fail(error, "expected a value for every input, state and result, got none for one");
  }
  return true;
}

bool decode_instructions(Reader& in, Program* program, std::string* error) {
  for (size_t i = 0; i < program->instructions.size(); ++i) {
    std::string fault;
    if (!decode_instruction(in, *program, &program->instructions[i], &fault)) {
      return fail(error, "instruction %zu: %s", i, fault.c_str());
    }
  }
  return true;
}

bool decode_header(Reader& in, Program* program, std::string* error) {
  program->values.resize(in.count("values", 4));
  program->instructions.resize(in.count("instructions", 4));
  program->input_count = in.number("inputs");
  program->state_count = in.number("states");
  program->result_count = in.number("results");
  program->arena_bytes = in.number("arena blocks") * kArenaAlignment;
  return in.ok() || fail(error, "%s", in.error().c_str());
}

// What follows magic and version.
bool decode_rest(Reader& in, int64_t literal_bytes, Program* program, std::string* error) {
  if (!decode_header(in, program, error) || !decode_values(in, literal_bytes, program, error) ||
      !decode_instructions(in, program, error)) {
    return false;
  }
  if (in.left() > 0) {
    return fail(error, "expected the end of the words, got %lld more", static_cast<long long>(in.left()));
  }
  return check_order(*program, error);
}

}  // namespace

bool decode_program(const int32_t* words, int64_t word_count, int64_t literal_bytes, Program* program,
                    std::string* error) {
  if (word_count > kMaxWords) {
    return fail(error, "expected at most %lld words, got more", static_cast<long long>(kMaxWords));
  }
  Reader in(words, word_count);
  const int32_t magic = in.word();
  const int32_t version = in.word();
  if (!in.ok() || magic != kProgramMagic || version != kProgramVersion) {
    return fail(error, "expected the words of a program of version %d, got others", kProgramVersion);
  }
  return decode_rest(in, literal_bytes, program, error);
}

}  // namespace galvani
