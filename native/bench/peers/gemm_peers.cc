// gemm() beside OpenBLAS, BLIS and oneDNN, in one process:
//   gemm_peers table|sweep [isa] [--markdown] [--only TEXT]
//
// The libraries take turns of some milliseconds, several of each, so that whatever disturbs the machine disturbs all;
// between the turns their idle threads fall asleep: those of OpenMP, of the turn before ours, spin longest. Compared
// are the medians. Neither side has an epilogue.
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>

#include "bench/machine.h"
#include "bench/peers/peers.h"
#include "executor/memory.h"
#include "runtime/cpu.h"
#include "runtime/thread.h"
#include "runtime/thread_pool.h"

namespace galvani {
namespace {

struct Options {
  bool is_sweep = false;
  bool is_markdown = false;
  const char* isa = nullptr;
  const char* only = nullptr;
};

Multiplication product(int64_t m, int64_t k, int64_t n, bool transpose_a = false, bool transpose_b = false) {
  return {{1, m, n, k}, transpose_a, transpose_b, transpose_a ? m : k, transpose_b ? k : n};
}

// Cubes; the products of a training step and of inference of a 784-256-128-10 perceptron; a wide layer; vectors.
std::vector<Multiplication> table_cases() {
  std::vector<Multiplication> cases;
  for (const int64_t n : {64, 128, 256, 512, 1024, 2048}) cases.push_back(product(n, n, n));
  for (const int64_t n : {256, 1024}) {
    cases.push_back(product(n, n, n, true, false));
    cases.push_back(product(n, n, n, false, true));
    cases.push_back(product(n, n, n, true, true));
  }
  cases.push_back(product(128, 784, 256));
  cases.push_back(product(128, 256, 128));
  cases.push_back(product(128, 128, 10));
  cases.push_back(product(32, 784, 256));
  cases.push_back(product(784, 128, 256, true, false));
  cases.push_back(product(256, 128, 128, true, false));
  cases.push_back(product(128, 128, 10, true, false));
  cases.push_back(product(128, 256, 784, false, true));
  cases.push_back(product(128, 128, 256, false, true));
  cases.push_back(product(128, 10, 128, false, true));
  cases.push_back(product(256, 1024, 1024));
  cases.push_back(product(1, 784, 256));
  cases.push_back(product(1, 784, 256, false, true));
  cases.push_back(product(1, 1024, 1024));
  cases.push_back(product(1, 1024, 1024, false, true));
  cases.push_back(product(1, 2048, 2048));
  cases.push_back(product(8, 784, 256));
  return cases;
}

std::string describe(const Multiplication& x) {
  const GemmShape& s = x.shape;
  std::string text = s.batch > 1 ? std::to_string(s.batch) + " × " : "";
  text += std::to_string(s.m) + ", " + std::to_string(s.k) + ", " + std::to_string(s.n);
  if (x.transpose_a) text += " aT";
  if (x.transpose_b) text += " bT";
  const int64_t a_padding = x.a_stride - (x.transpose_a ? s.m : s.k);
  const int64_t b_padding = x.b_stride - (x.transpose_b ? s.k : s.n);
  if (a_padding != 0 || b_padding != 0) text += " +" + std::to_string(a_padding) + "+" + std::to_string(b_padding);
  return text;
}

// Memory as programs have it: that of large buffers lies in huge pages, for the peers as for us.
class Buffer {
 public:
  Buffer() = default;
  explicit Buffer(int64_t floats) : block_(std::make_unique<Block>(floats * static_cast<int64_t>(sizeof(float)))) {
    for (int64_t i = 0; i < floats; ++i) get()[i] = static_cast<float>(i * 37 % 101) / 101 - 0.5f;
  }
  float* get() const { return reinterpret_cast<float*>(block_->data()); }

 private:
  std::unique_ptr<Block> block_;
};

class Galvani final : public Peer {
 public:
  explicit Galvani(const GemmKernels& kernels) : kernels_(kernels) {}
  const char* name() const override { return "Galvani"; }
  void set_threads(int threads) override { threads_ = threads; }
  void prepare(const Multiplication& x, const Operands& operands) override {
    shape_ = x.shape;
    a_ = view_a(x, operands.a);
    b_ = view_b(x, operands.b);
    c_ = operands.c;
    workspace_ = Buffer(static_cast<int64_t>(gemm_workspace_bytes(shape_, a_, kernels_, 2) / sizeof(float)));
  }
  // Its threads are awake for the whole of a turn, as for the whole of a program.
  void begin_turn() { lease_ = std::make_unique<ThreadPool::Lease>(ThreadPool::instance(), threads_); }
  void end_turn() { lease_.reset(); }
  void run() override { gemm(shape_, a_, b_, c_, {}, kernels_, *lease_, workspace_.get()); }

 private:
  const GemmKernels& kernels_;
  int threads_ = 1;
  GemmShape shape_{};
  MatrixView a_{}, b_{};
  float* c_ = nullptr;
  Buffer workspace_;
  std::unique_ptr<ThreadPool::Lease> lease_;
};

double median(std::vector<double>& values) {
  std::nth_element(values.begin(), values.begin() + values.size() / 2, values.end());
  return values[values.size() / 2];
}

struct Effort {
  int turns;
  double seconds_of_turn;
};

class Bench {
 public:
  explicit Bench(const Options& options) : options_(options) {
    std::string error;
    table_ = choose_kernel_table(options.isa, &error);
    if (table_ == nullptr) {
      std::fprintf(stderr, "%s\n", error.c_str());
      std::exit(1);
    }
    ThreadPool::instance().retain();
    ThreadPool::instance().set_threads(2);
    ours_ = new Galvani(table_->gemm);
    libraries_.emplace_back(ours_);
    for (auto& peer : open_peers(table_->gemm.lanes == 16)) libraries_.push_back(std::move(peer));
    peak_ = peak_gflops(*table_);
  }
  ~Bench() { ThreadPool::instance().release(); }

  void run_table() {
    begin_table("m, k, n");
    for (int threads = 1; threads <= 2; ++threads) {
      double log_sum = 0;
      int count = 0;
      for (const Multiplication& x : table_cases()) {
        if (options_.only != nullptr && describe(x).find(options_.only) == std::string::npos) continue;
        const std::vector<double> times = measure(x, threads, {5, 0.008});
        print_row(x, threads, times);
        log_sum += std::log(ratio(times));
        ++count;
      }
      std::printf("\n%d thread%s: geometric mean of the ratios %.3f\n\n", threads, threads == 1 ? "" : "s",
                  std::exp(log_sum / count));
    }
  }

  void run_sweep(int count) {
    struct Result {
      Multiplication x;
      int threads;
      std::vector<double> times;
    };
    std::vector<Result> results;
    SweepShapes shapes;
    for (int i = 0; i < count; ++i) {
      const Multiplication x = shapes.next();
      if (options_.only != nullptr && describe(x).find(options_.only) == std::string::npos) continue;
      for (int threads = 1; threads <= 2; ++threads) results.push_back({x, threads, measure(x, threads, {2, 0.002})});
    }
    const auto is_worse = [&](const Result& x, const Result& y) { return ratio(x.times) < ratio(y.times); };
    // The worst are measured again, with care: of so many, some were disturbed.
    std::sort(results.begin(), results.end(), is_worse);
    const size_t again = std::min<size_t>(results.size(), 40);
    for (size_t i = 0; i < again; ++i) results[i].times = measure(results[i].x, results[i].threads, {5, 0.008});
    std::sort(results.begin(), results.end(), is_worse);
    double log_sum = 0;
    int lost = 0;
    for (const Result& r : results) {
      log_sum += std::log(ratio(r.times));
      lost += ratio(r.times) < 0.9;
    }
    begin_table("[batch ×] m, k, n +padding of a, b");
    const size_t shown = options_.is_markdown ? 10 : 60;
    for (size_t i = 0; i < std::min(shown, results.size()); ++i) {
      print_row(results[i].x, results[i].threads, results[i].times);
    }
    std::printf("\n%d shapes on 1 and 2 threads: geometric mean of the ratios %.3f, %d of %d below 0.90\n", count,
                std::exp(log_sum / static_cast<double>(results.size())), lost, static_cast<int>(results.size()));
  }

 private:
  // Seconds of each library.
  std::vector<double> measure(const Multiplication& x, int threads, Effort effort) {
    const GemmShape& s = x.shape;
    const Buffer a(floats_of_a(x));
    const Buffer b(floats_of_b(x));
    const Buffer c(s.batch * s.m * s.n);
    std::vector<std::vector<double>> samples(libraries_.size());
    for (size_t i = 0; i < libraries_.size(); ++i) {
      libraries_[i]->set_threads(threads);
      libraries_[i]->prepare(x, {a.get(), b.get(), c.get()});
    }
    for (int turn = 0; turn < effort.turns; ++turn) {
      for (size_t i = 0; i < libraries_.size(); ++i) {
        if (threads > 1) sleep_microseconds(i == 0 ? 10000 : 1500);
        libraries_[i]->set_threads(threads);
        if (i == 0) ours_->begin_turn();
        take_samples(*libraries_[i], effort.seconds_of_turn, &samples[i]);
        if (i == 0) ours_->end_turn();
      }
    }
    std::vector<double> medians;
    for (std::vector<double>& each : samples) medians.push_back(median(each));
    return medians;
  }

  static void sleep_microseconds(long microseconds) {
    const timespec time = {0, microseconds * 1000};
    nanosleep(&time, nullptr);
  }

  static void take_samples(Peer& library, double budget, std::vector<double>* samples) {
    int repetitions = 1;
    const double start = seconds();
    library.run();
    for (;;) {
      const double before = seconds();
      for (int i = 0; i < repetitions; ++i) library.run();
      const double now = seconds();
      const double each = (now - before) / repetitions;
      if (each * repetitions < 1e-5) {
        repetitions *= 2;
      } else if (now - start > budget / 4 || samples->empty()) {  // the first quarter warms up
        samples->push_back(each);
      }
      if (now - start > budget) return;
    }
  }

  static double best_peer(const std::vector<double>& times) {
    return *std::min_element(times.begin() + 1, times.end());
  }
  static double ratio(const std::vector<double>& times) { return best_peer(times) / times[0]; }

  void begin_table(const char* first) {
    std::printf("%s, peak of multiply-adds %.1f GFLOP/s per core. GFLOP/s; the ratio is to the best peer.\n\n",
                table_->isa, peak_);
    std::printf(options_.is_markdown ? "| %s | threads" : "%-34s threads", first);
    for (const auto& each : libraries_) std::printf(options_.is_markdown ? " | %s" : " %13s", each->name());
    std::printf(options_.is_markdown ? " | of the peak | ratio |\n|" : " of peak   ratio      us\n");
    if (!options_.is_markdown) return;
    for (size_t i = 0; i < libraries_.size() + 4; ++i) std::printf(" --- |");
    std::printf("\n");
  }

  void print_row(const Multiplication& x, int threads, const std::vector<double>& times) {
    const GemmShape& s = x.shape;
    const double operations = 2e-9 * static_cast<double>(s.batch * s.m * s.n * s.k);
    std::printf(options_.is_markdown ? "| %s | %d" : "%-34s %7d", describe(x).c_str(), threads);
    for (const double time : times) std::printf(options_.is_markdown ? " | %.1f" : " %13.1f", operations / time);
    const double share = 100 * operations / times[0] / (peak_ * threads);
    std::printf(options_.is_markdown ? " | %.0f%% | %.2f |\n" : " %6.1f%% %7.3f %7.2f\n", share, ratio(times),
                times[0] * 1e6);
    std::fflush(stdout);
  }

  Options options_;
  const KernelTable* table_;
  Galvani* ours_;
  std::vector<std::unique_ptr<Peer>> libraries_;
  double peak_;
};

Options parse(int count, char** arguments) {
  Options options;
  for (int i = 1; i < count; ++i) {
    const std::string argument = arguments[i];
    if (argument == "sweep") options.is_sweep = true;
    else if (argument == "--markdown") options.is_markdown = true;
    else if (argument == "--only" && i + 1 < count) options.only = arguments[++i];
    else if (argument != "table") options.isa = arguments[i];
  }
  return options;
}

}  // namespace
}  // namespace galvani

int main(int count, char** arguments) {
  const galvani::Options options = galvani::parse(count, arguments);
  galvani::Bench bench(options);
  options.is_sweep ? bench.run_sweep(galvani::kSweepShapes) : bench.run_table();
  return 0;
}
