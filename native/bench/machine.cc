// Prints what this machine can do as JSON, for the instruction set in use.
#include <cstdio>
#include <cstdlib>
#include <string>

#include "bench/machine.h"
#include "runtime/cpu.h"
#include "runtime/thread_costs.h"

int main() {
  std::string error;
  const galvani::KernelTable* const table = galvani::choose_kernel_table(std::getenv("GALVANI_ISA"), &error);
  if (table == nullptr) {
    std::fprintf(stderr, "%s\n", error.c_str());
    return 1;
  }
  galvani::ThreadPool pool;
  pool.set_threads(2);
  galvani::ThreadCosts costs{};
  galvani::measure_thread_costs(pool, &costs);
  std::printf(
      "{\"isa\": \"%s\", \"gigahertz\": %.2f, \"gflops\": %.1f, \"copyGBs\": %.1f, \"forkJoinNanoseconds\": %.0f, "
      "\"lineNanoseconds\": %.1f}\n",
      table->isa, galvani::gigahertz(), galvani::peak_gflops(*table), galvani::copy_gbs(), costs.fork_join, costs.line);
  return 0;
}
