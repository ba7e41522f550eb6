// The same bits on one thread and on several, for every kind of instruction, in sizes that are divided and sizes that
// are not.
#include "test/executor_testing.h"
#include "test/instruction_cases.h"

namespace galvani::test {
namespace {

Bytes random_contents(const BufferType& type, int32_t index_limit, Random& random) {
  const int64_t size = type.bytes / element_bytes(type.dtype);
  if (type.dtype == kFloat) {
    Floats values(size);
    for (float& value : values) value = random.uniform(-3, 3);
    return bytes_of(values);
  }
  if (type.dtype == kInt) {
    Ints values(size);
    for (int32_t& value : values) value = static_cast<int32_t>(random.below(index_limit));
    return bytes_of(values);
  }
  Bytes bytes(size);
  for (uint8_t& byte : bytes) byte = static_cast<uint8_t>(random.next());
  return bytes;
}

void check_threads(const InstructionCase& c, const KernelTable& table) {
  SharedBlock memory;
  std::string error;
  const auto executable = prepare(c.builder.words(), c.builder.literals, table, memory, 1, &error);
  EXPECT_EQ(error, std::string());
  if (executable == nullptr) return;
  Random random(7);
  std::vector<Bytes> contents;
  const int32_t read = executable->input_count() + executable->state_count();
  for (int32_t i = 0; i < read; ++i) {
    contents.push_back(random_contents(executable->buffers()[i], c.index_limit, random));
  }
  const Outcome alone = run(c.builder.words(), c.builder.literals, contents, table, 1, false);
  EXPECT(alone.has_run);
  for (const int threads : {2, 3, 4}) {
    const Outcome together = run(c.builder.words(), c.builder.literals, contents, table, threads, false);
    if (together.buffers != alone.buffers) {
      fail(__FILE__, __LINE__, c.name + " on " + std::to_string(threads) + " threads, " + table.isa);
    }
  }
}

TEST(steps_give_the_same_bits_on_any_number_of_threads) {
  for_each_table([](const KernelTable& table) {
    for (const int64_t bytes : {3'000, 200'000, 2'500'000}) {
      if (is_quick() && bytes > 200'000) continue;
      for (const InstructionCase& c : instruction_cases(bytes)) check_threads(c, table);
    }
    for (const int32_t rows : {1, 15, 17, 1000, 30'000}) {
      check_threads(rows_of("softmax of narrow rows", Opcode::k_softmax, rows, 10), table);
      check_threads(rows_of("logSoftmax of narrow rows", Opcode::k_logSoftmax, rows, 17), table);
      check_threads(cross_entropy("cross entropy of narrow rows", true, rows, 10), table);
    }
  });
}

// Sums alone, as their order is what threads could change.
TEST(sums_of_any_shape_give_the_same_bits_on_any_number_of_threads) {
  for_each_table([](const KernelTable& table) {
    for (const int64_t n : {65'535, 65'537, 131'072, 1'000'003}) {
      check_threads(reduce("sum", Reduction::k_sum, 1, n, 1), table);
      check_threads(reduce("sum of columns", Reduction::k_sum, 1, n / 3, 3), table);
      check_threads(reduce("sum of rows", Reduction::k_sum, 7, n / 7, 1), table);
    }
  });
}

}  // namespace
}  // namespace galvani::test
