// The errors of the elementwise functions over all 2^32 floats, and of those of two over random pairs, on each
// instruction set of this machine, as a table of docs/accuracy.md:
//   accuracy [--stride N] [--pairs N] [--only NAME]
// The exact value is libm's in double, whose own error is a 2^-29th of a float's ulp or so. So a share of correctly
// rounded results is right up to a part in a hundred million.
#include <atomic>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "runtime/cpu.h"
#include "test/ulps.h"

namespace galvani {
namespace {

using test::error_in_ulps;

constexpr int64_t kBlock = 1 << 14;

struct Tally {
  double worst = 0;
  uint32_t at = 0, at_y = 0;
  int64_t correct = 0, count = 0;

  void see(float actual, double exact, uint32_t x, uint32_t y) {
    const double error = error_in_ulps(actual, exact);
    if (!(error <= worst)) {
      worst = error;
      at = x;
      at_y = y;
    }
    const float rounded = static_cast<float>(exact);
    correct += actual == rounded || (std::isnan(actual) && std::isnan(rounded));
    ++count;
  }
  // The least input of those with the greatest error, so that the table does not depend on how work was split.
  void add(const Tally& other) {
    if (!(other.worst <= worst) || (other.worst == worst && other.at < at)) {
      worst = other.worst;
      at = other.at;
      at_y = other.at_y;
    }
    correct += other.correct;
    count += other.count;
  }
};

float float_of(uint32_t bits) {
  float x;
  std::memcpy(&x, &bits, 4);
  return x;
}

uint32_t bits_of(float x) {
  uint32_t bits;
  std::memcpy(&bits, &x, 4);
  return bits;
}

// Splits `blocks` of work over all processors; body(block, tallies) with tallies of its own for each thread.
template <typename Body>
std::vector<Tally> tally_blocks(int64_t blocks, size_t tables, Body body) {
  std::vector<Tally> total(tables);
  std::mutex mutex;
  std::atomic<int64_t> next{0};
  const auto work = [&] {
    std::vector<Tally> mine(tables);
    for (int64_t block; (block = next.fetch_add(1)) < blocks;) body(block, mine);
    const std::lock_guard<std::mutex> lock(mutex);
    for (size_t i = 0; i < tables; ++i) total[i].add(mine[i]);
  };
  std::vector<std::thread> threads;
  for (unsigned i = 1; i < std::thread::hardware_concurrency(); ++i) threads.emplace_back(work);
  work();
  for (std::thread& thread : threads) thread.join();
  return total;
}

struct Tables {
  const KernelTable* const* list;
  int count;
};

std::vector<Tally> tally_unary(const test::Function& function, Tables tables, uint64_t stride) {
  const int64_t points = static_cast<int64_t>(((uint64_t{1} << 32) + stride - 1) / stride);
  const int64_t blocks = (points + kBlock - 1) / kBlock;
  return tally_blocks(blocks, tables.count, [&](int64_t block, std::vector<Tally>& tallies) {
    std::vector<float> x(kBlock), y(kBlock, test::kParameter), out(kBlock);
    std::vector<double> exact(kBlock);
    const int64_t first = block * kBlock, count = std::min(kBlock, points - first);
    for (int64_t i = 0; i < count; ++i) {
      x[i] = float_of(static_cast<uint32_t>((first + i) * stride));
      exact[i] = function.exact(static_cast<double>(x[i]), test::kParameter);
    }
    for (int t = 0; t < tables.count; ++t) {
      test::float_kernel(*tables.list[t], function.op)(x.data(), y.data(), nullptr, out.data(), count);
      for (int64_t i = 0; i < count; ++i) tallies[t].see(out[i], exact[i], bits_of(x[i]), 0);
    }
  });
}

std::vector<Tally> tally_pairs(const test::Function& function, Tables tables, int64_t pairs) {
  return tally_blocks((pairs + kBlock - 1) / kBlock, tables.count, [&](int64_t block, std::vector<Tally>& tallies) {
    std::vector<float> x(kBlock), y(kBlock), out(kBlock);
    std::vector<double> exact(kBlock);
    test::Random random(static_cast<uint64_t>(block) + 1);
    for (int64_t i = 0; i < kBlock; ++i) {
      test::draw_pair(function, random, x[i], y[i]);
      exact[i] = function.exact(static_cast<double>(x[i]), static_cast<double>(y[i]));
    }
    for (int t = 0; t < tables.count; ++t) {
      test::float_kernel(*tables.list[t], function.op)(x.data(), y.data(), nullptr, out.data(), kBlock);
      for (int64_t i = 0; i < kBlock; ++i) tallies[t].see(out[i], exact[i], bits_of(x[i]), bits_of(y[i]));
    }
  });
}

void print_rows(const char* name, double bound, Tables tables, const std::vector<Tally>& tallies, bool is_pair) {
  for (int t = 0; t < tables.count; ++t) {
    const Tally& tally = tallies[t];
    char where[100];
    const double x = static_cast<double>(float_of(tally.at)), y = static_cast<double>(float_of(tally.at_y));
    if (is_pair) {
      std::snprintf(where, sizeof where, "%.9g, %.9g (0x%08x, 0x%08x)", x, y, tally.at, tally.at_y);
    } else {
      std::snprintf(where, sizeof where, "%.9g (0x%08x)", x, tally.at);
    }
    std::printf("| %s | %s | %.3f | %g | %s | %.3f%% |\n", name, tables.list[t]->isa, tally.worst, bound, where,
                100.0 * static_cast<double>(tally.correct) / static_cast<double>(tally.count));
  }
  std::fflush(stdout);
}

}  // namespace
}  // namespace galvani

int main(int count, char** arguments) {
  using namespace galvani;
  uint64_t stride = 1;
  int64_t pairs = 1000000000;
  std::string only;
  for (int i = 1; i + 1 < count; i += 2) {
    const std::string option = arguments[i];
    if (option == "--stride") stride = std::strtoull(arguments[i + 1], nullptr, 10);
    if (option == "--pairs") pairs = std::strtoll(arguments[i + 1], nullptr, 10);
    if (option == "--only") only = arguments[i + 1];
  }
  if (stride == 0) stride = 1;
  Tables tables;
  tables.list = supported_kernel_tables(&tables.count);
  std::printf("| function | instruction set | greatest error, ulp | promised | at | correctly rounded |\n");
  std::printf("| --- | --- | --- | --- | --- | --- |\n");
  bool holds = true;
  test::for_each_function([&](const test::Function& function) {
    if (!only.empty() && only != function.name()) return;
    const bool is_pair = function.has_pairs();
    const auto tallies = is_pair ? tally_pairs(function, tables, pairs) : tally_unary(function, tables, stride);
    print_rows(function.name(), function.bound, tables, tallies, is_pair);
    for (const Tally& tally : tallies) holds = holds && tally.worst <= function.bound;
  });
  return holds ? 0 : 1;
}
