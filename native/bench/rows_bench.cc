// Instructions of the executor, prepared and run as the addon does it, on one thread and two: time, bytes read and
// written over that time, and the share that is of a plain copy's bandwidth: of as many bytes, on as many threads, by
// the vectors of the same instruction set.
//
//   rows_bench [--json] [NAME...]     rows whose name contains one of the names; GALVANI_ISA chooses the kernels
#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <memory>
#include <string>

#include "bench/machine.h"
#include "executor/executor.h"
#include "runtime/cpu.h"
#include "test/instruction_cases.h"

namespace galvani {
namespace {

using namespace test;

constexpr double kSeconds = 0.12;  // of measuring one row on one number of threads

struct Free {
  void operator()(void* p) const { std::free(p); }
};
using Memory = std::unique_ptr<uint8_t, Free>;

Memory allocate(int64_t bytes) {
  return Memory(static_cast<uint8_t*>(std::aligned_alloc(64, (static_cast<size_t>(bytes) + 127) / 64 * 64)));
}

// Floats in [-2, 2), bytes, or indices.
Memory make_buffer(const BufferType& type, int32_t index_limit) {
  Memory memory = allocate(type.bytes);
  uint64_t state = 1;
  const auto next = [&state] { return static_cast<uint32_t>((state = state * 6364136223846793005u + 1) >> 33); };
  for (int64_t i = 0; i < type.bytes / element_bytes(type.dtype); ++i) {
    if (type.dtype == kFloat) reinterpret_cast<float*>(memory.get())[i] = static_cast<float>(next()) * 0x1p-29f - 2;
    if (type.dtype == kInt) reinterpret_cast<int32_t*>(memory.get())[i] = static_cast<int32_t>(next() % index_limit);
    if (element_bytes(type.dtype) == 1) memory.get()[i] = static_cast<uint8_t>(next());
  }
  return memory;
}

// The median time of a run.
double run_seconds(const InstructionCase& c, const KernelTable& table, int threads) {
  ThreadPool& pool = ThreadPool::instance();
  pool.set_threads(threads);
  const Words words = c.builder.words();
  SharedBlock memory;
  PrepareStatus status;
  std::string error;
  const auto executable =
      Executable::prepare(words.data(), static_cast<int64_t>(words.size()), c.builder.literals.data(),
                          static_cast<int64_t>(c.builder.literals.size()), table, memory, threads, &status, &error);
  if (executable == nullptr) {
    std::fprintf(stderr, "%s: %s\n", c.name.c_str(), error.c_str());
    std::exit(1);
  }
  std::vector<Memory> buffers;
  std::vector<void*> pointers;
  const int32_t states = executable->state_count(), inputs = executable->input_count();
  for (const BufferType& type : executable->buffers()) {
    const int32_t i = static_cast<int32_t>(buffers.size());
    buffers.push_back(make_buffer(type, c.index_limit));
    const bool is_written_state = i >= inputs + states && i < inputs + 2 * states;
    pointers.push_back(is_written_state ? pointers[i - states] : buffers.back().get());
  }
  Failure failure;
  return median_seconds(kSeconds, [&] {
    if (!executable->run(pointers.data(), pool, &failure)) std::abort();
  });
}

// Bytes per nanosecond read and written by copies of `bytes` in all; each thread copies a part of its own.
double copy_bandwidth(int64_t bytes, const KernelTable& table, int threads) {
  static std::map<std::pair<int64_t, int>, double> measured;
  const int64_t part = std::max<int64_t>(bytes / 2 / threads / 256, 1) * 256;
  double& rate = measured[{part, threads}];
  if (rate > 0) return rate;
  ThreadPool::instance().set_threads(threads);
  ThreadPool::Lease lease(ThreadPool::instance(), threads);
  Memory from[2], to[2];
  for (int i = 0; i < threads; ++i) {
    from[i] = make_buffer({kFloat, part}, 1);
    to[i] = make_buffer({kFloat, part}, 1);
  }
  const CopyLoop copy = copy_loop(table);
  const int64_t repetitions = std::max<int64_t>((4 << 20) / part, 1);  // so that starting the threads costs nothing
  const double time = median_seconds(kSeconds, [&] {
    lease.for_each(threads, [&](int64_t task, int) {
      for (int64_t i = 0; i < repetitions; ++i) copy(from[task].get(), to[task].get(), static_cast<size_t>(part));
    });
  });
  return rate = 2.0 * part * threads * repetitions / time * 1e-9;
}

// The rows that bench/peers/kernel_rows.py measures under the same names.
std::vector<InstructionCase> cases_of_peers() {
  std::vector<InstructionCase> cases;
  for (const int64_t n : {10'000, 1'000'000}) {
    const size_t first = cases.size();
    cases.push_back(unary("relu", MicroOp::k_relu, 8 * n));
    cases.push_back(with_scalar("leakyRelu", MicroOp::k_leakyRelu, 8 * n));
    cases.push_back(unary("exp", MicroOp::k_exp, 8 * n));
    cases.push_back(unary("sigmoid", MicroOp::k_sigmoid, 8 * n));
    cases.push_back(unary("tanh", MicroOp::k_tanh, 8 * n));
    cases.push_back(unary("gelu", MicroOp::k_gelu, 8 * n));
    cases.push_back(unary("gelu, tanh", MicroOp::k_geluTanh, 8 * n));
    cases.push_back(add(12 * n));
    cases.push_back(reduce("sum", Reduction::k_sum, 1, n, 1));
    for (size_t i = first; i < cases.size(); ++i) cases[i].name += " " + std::to_string(n);
  }
  cases.push_back(add_row(1024, 1000));
  cases.push_back(add_column(1024, 1000));
  cases.push_back(rows_of("softmax", Opcode::k_softmax, 1024, 1000));
  cases.push_back(rows_of("logSoftmax", Opcode::k_logSoftmax, 1024, 1000));
  cases.push_back(mean("mean of columns", 1, 1024, 1000));
  cases.push_back(mean("mean of rows", 1024, 1000, 1));
  cases.push_back(cross_entropy("cross entropy", false, 1024, 1000));
  cases.push_back(cross_entropy("cross entropy and gradient", true, 1024, 1000));
  for (size_t i = cases.size() - 8; i < cases.size(); ++i) cases[i].name += " 1024x1000";
  cases.push_back(cross_entropy("cross entropy 128x10", false, 128, 10));
  cases.push_back(cross_entropy("cross entropy and gradient 128x10", true, 128, 10));
  cases.push_back(rows_of("softmax 128x10", Opcode::k_softmax, 128, 10));
  return cases;
}

// What it takes to hand the second of two empty tasks over and to wait for it.
double handover_seconds() {
  ThreadPool::instance().set_threads(2);
  ThreadPool::Lease lease(ThreadPool::instance(), 2);
  std::atomic<int> arrived{0};
  return median_seconds(kSeconds, [&] {
    arrived = 0;
    lease.for_each(2, [&](int64_t, int) {
      ++arrived;
      while (arrived.load(std::memory_order_relaxed) < 2) {
      }
    });
  });
}

// About as many bytes as half of a level of the cache holds.
std::vector<InstructionCase> cases_of_level(const std::string& level, int64_t bytes) {
  std::vector<InstructionCase> cases = instruction_cases(bytes);
  for (InstructionCase& c : cases) c.name = level + " " + c.name;
  return cases;
}

struct Options {
  bool json = false;
  std::vector<std::string> names;
  bool wants(const std::string& name) const {
    for (const std::string& part : names) {
      if (name.find(part) != std::string::npos) return true;
    }
    return names.empty();
  }
};

void measure(const InstructionCase& c, const KernelTable& table, bool json) {
  if (!json) std::printf("%-40s", c.name.c_str());
  for (int threads = 1; threads <= 2; ++threads) {
    const double nanoseconds = 1e9 * run_seconds(c, table, threads);
    const double each = nanoseconds / static_cast<double>(c.elements);
    const double rate = static_cast<double>(c.bytes) / nanoseconds;
    if (json) {
      std::printf("{\"row\": \"%s\", \"threads\": %d, \"nanoseconds\": %.4f}\n", c.name.c_str(), threads, each);
    } else {
      std::printf("  %9.2f us %7.4f ns/element %6.1f GB/s %4.0f%%", nanoseconds * 1e-3, each, rate,
                  100 * rate / copy_bandwidth(c.bytes, table, threads));
    }
    std::fflush(stdout);
  }
  if (!json) std::printf("\n");
}

int run(const Options& options) {
  std::string error;
  const KernelTable* const table = choose_kernel_table(std::getenv("GALVANI_ISA"), &error);
  if (table == nullptr) {
    std::fprintf(stderr, "%s\n", error.c_str());
    return 1;
  }
  ThreadPool::instance().retain();
  if (!options.json) {
    std::printf("%s; one thread, then two; a task on each takes %.2f us\n", table->isa, 1e6 * handover_seconds());
  }
  std::vector<std::vector<InstructionCase>> groups = {cases_of_peers(), cases_of_level("L1", 24 << 10),
                                                      cases_of_level("L2", 512 << 10), cases_of_level("L3", 8 << 20),
                                                      cases_of_level("DRAM", 128 << 20)};
  for (const auto& group : groups) {
    for (const InstructionCase& c : group) {
      if (options.wants(c.name)) measure(c, *table, options.json);
    }
  }
  ThreadPool::instance().release();
  return 0;
}

}  // namespace
}  // namespace galvani

int main(int count, char** arguments) {
  galvani::Options options;
  for (int i = 1; i < count; ++i) {
    if (std::string(arguments[i]) == "--json") {
      options.json = true;
    } else {
      options.names.push_back(arguments[i]);
    }
  }
  return galvani::run(options);
}
