// gemm() of floats against double, and of doubles against long double, on every instruction set: shapes around the
// tiles and blocks, all layouts, epilogues, and the same bits on any number of threads.
#include <algorithm>
#include <cstdlib>
#include <memory>
#include <sstream>
#include <thread>

#include "bench/multiplication.h"
#include "gemm/gemm.h"
#include "test/kernel_testing.h"

namespace galvani::test {
namespace {

struct Layout {
  bool transpose = false;
  int64_t padding = 0;     // elements between the rows (columns, if transposed) that are not part of the matrix
  bool is_shared = false;  // one matrix for the whole batch
};

struct Case {
  GemmShape shape;
  Layout a, b;
  bool has_bias = false;
  Activation activation = Activation::k_none;
  float slope = 0;
};

std::string describe(const Case& c) {
  std::ostringstream text;
  const auto layout = [&](const Layout& l) {
    text << (l.transpose ? " transposed" : "") << (l.is_shared ? " shared" : "") << " padding " << l.padding;
  };
  text << c.shape.batch << " x " << c.shape.m << " x " << c.shape.k << " x " << c.shape.n << ", a";
  layout(c.a);
  text << ", b";
  layout(c.b);
  text << ", bias " << c.has_bias << ", activation " << static_cast<int>(c.activation);
  return text.str();
}

// Tasks on real threads, the last ones first.
class Threads final : public Parallel {
 public:
  explicit Threads(int threads) : threads_(threads) {}
  int threads() const override { return threads_; }
  void run(int64_t tasks, void (*body)(void*, int64_t, int), void* context) override {
    std::vector<std::thread> others;
    const auto part = [=](int thread) {
      for (int64_t task = tasks - 1 - thread; task >= 0; task -= threads_) body(context, task, thread);
    };
    for (int thread = 1; thread < threads_; ++thread) others.emplace_back(part, thread);
    part(0);
    for (std::thread& other : others) other.join();
  }

 private:
  int threads_;
};

struct FreeMemory {
  void operator()(void* p) const { std::free(p); }
};

// Memory that ends where gemm_workspace_bytes() says, full of NaN.
std::unique_ptr<void, FreeMemory> make_workspace(size_t bytes) {
  std::unique_ptr<void, FreeMemory> memory(std::aligned_alloc(64, (bytes + 64) / 64 * 64));
  std::memset(memory.get(), 0xff, (bytes + 64) / 64 * 64);
  return memory;
}

// A batch of rows × columns matrices in exactly the memory that they span, with NaN between the rows.
template <typename T>
class Operand {
 public:
  Operand(int64_t batch, int64_t rows, int64_t columns, const Layout& layout, int64_t shift)
      : rows_(rows), columns_(columns) {
    const int64_t lines = layout.transpose ? columns : rows, length = layout.transpose ? rows : columns;
    const int64_t stride = length + layout.padding;
    const int64_t matrix = lines * stride;
    const int64_t span = lines * length == 0 ? 0 : matrix - layout.padding;
    const int64_t count = layout.is_shared ? 1 : batch;
    memory_.assign(static_cast<size_t>(shift + (count - 1) * matrix + span), NAN);
    view_ = {memory_.data() + shift, layout.is_shared ? 0 : matrix, layout.transpose ? 1 : stride,
             layout.transpose ? stride : 1};
    shift_ = shift;
    count_ = count;
  }
  template <typename Value>
  void fill(Value&& value) {
    for (int64_t b = 0; b < count_; ++b) {
      for (int64_t i = 0; i < rows_; ++i) {
        for (int64_t j = 0; j < columns_; ++j) memory_[static_cast<size_t>(shift_ + offset(b, i, j))] = value();
      }
    }
  }
  T at(int64_t b, int64_t i, int64_t j) const { return view_.data[offset(b, i, j)]; }
  const MatrixViewOf<T>& view() const { return view_; }

 private:
  int64_t offset(int64_t b, int64_t i, int64_t j) const {
    return b * view_.batch_stride + i * view_.row_stride + j * view_.column_stride;
  }
  int64_t rows_, columns_, shift_ = 0, count_ = 1;
  std::vector<T> memory_;
  MatrixViewOf<T> view_{};
};

// The nearest bf16, of two as near the even one: by arithmetic, and not by bits as the kernels have it.
double to_bf16(double x) {
  int exponent;
  if (x == 0 || !std::isfinite(x)) return x;
  const double fraction = std::frexp(x, &exponent);
  return static_cast<float>(std::ldexp(std::nearbyint(std::ldexp(fraction, 8)), exponent - 8));
}

template <typename Wide>
Wide activate(Activation activation, Wide x, Wide slope) {
  switch (activation) {
    case Activation::k_relu: return x <= 0 ? 0 : x;
    case Activation::k_leakyRelu: return x > 0 ? x : slope * x;
    case Activation::k_sigmoid: return 1 / (1 + std::exp(-x));
    case Activation::k_tanh: return std::tanh(x);
    default: return x;
  }
}

template <typename T>
class Product {
 public:
  template <typename Value>
  Product(const Case& c, Value&& value, int64_t shift = 0, Precision precision = Precision::k_float32)
      : case_(c),
        precision_(precision),
        a_(c.shape.batch, c.shape.m, c.shape.k, c.a, shift),
        b_(c.shape.batch, c.shape.k, c.shape.n, c.b, shift),
        bias_(static_cast<size_t>(c.shape.n)) {
    a_.fill(value);
    b_.fill(value);
    for (T& x : bias_) x = value();
  }

  int64_t size() const { return case_.shape.batch * case_.shape.m * case_.shape.n; }

  const GemmKernelsOf<T>& kernels_of(const KernelTable& table) const {
    if constexpr (std::is_same_v<T, double>) return table.gemm_float64;
    else return precision_ == Precision::k_bf16 ? table.gemm_bf16 : table.gemm;
  }

  // The result on `threads` threads; nothing around it is written.
  std::vector<T> compute(const KernelTable& table, int threads) const {
    Buffer<T> c(size(), 1);
    for (int64_t i = 0; i < size(); ++i) c[i] = NAN;
    Threads parallel(threads);
    const auto& kernels = kernels_of(table);
    const auto workspace = make_workspace(gemm_workspace_bytes(case_.shape, a_.view(), kernels, threads));
    const GemmEpilogueOf<T> epilogue = {case_.has_bias ? bias_.data() : nullptr, case_.activation,
                                        static_cast<T>(case_.slope)};
    gemm(case_.shape, a_.view(), b_.view(), c.data(), epilogue, kernels, parallel, workspace.get());
    if (!c.guards_are_whole()) fail(__FILE__, __LINE__, table.isa + (": wrote outside of C: " + describe(case_)));
    return std::vector<T>(c.data(), c.data() + size());
  }

  // What the result is in wider numbers, and how far off it may be: the errors of k roundings of partial sums add up
  // like √k of them; a vector function may be 2 ulp off.
  void compute_reference() {
    const GemmShape& s = case_.shape;
    for (int64_t i = 0; i < size(); ++i) {
      const int64_t batch = i / s.n / s.m, row = i / s.n % s.m, column = i % s.n;
      Wide sum = case_.has_bias ? bias_[static_cast<size_t>(column)] : 0, magnitude = std::fabs(sum);
      for (int64_t p = 0; p < s.k; ++p) {
        const Wide product = rounded(a_.at(batch, row, p)) * rounded(b_.at(batch, p, column));
        sum += product;
        magnitude += std::fabs(product);
      }
      wanted_.push_back(static_cast<double>(activate<Wide>(case_.activation, sum, static_cast<Wide>(case_.slope))));
      const double roundings =
          std::sqrt(static_cast<double>(s.k)) * static_cast<double>(magnitude) + 2 * std::fabs(wanted_.back());
      tolerances_.push_back(kEpsilon * roundings);
    }
  }

  void check(const KernelTable& table) const {
    const std::vector<T> c = compute(table, 1);
    for (size_t i = 0; i < c.size(); ++i) {
      if (is_near(c[i], wanted_[i], tolerances_[i])) continue;
      std::ostringstream text;
      text << table.isa << (precision_ == Precision::k_bf16 ? " bf16: " : ": ") << describe(case_) << " at " << i
           << ": expected " << wanted_[i] << ", got " << c[i];
      return fail(__FILE__, __LINE__, text.str());
    }
    check_threads(table, c);
  }

  void check_threads(const KernelTable& table, const std::vector<T>& on_one) const {
    for (const int threads : {2, 3, 4}) {
      if (is_quick() && threads != 3) continue;
      const std::vector<T> c = compute(table, threads);
      if (std::equal(c.begin(), c.end(), on_one.begin(), same<T>)) continue;
      return fail(__FILE__, __LINE__, table.isa + (": other bits on more threads: " + describe(case_)));
    }
  }

 private:
  using Wide = std::conditional_t<std::is_same_v<T, float>, double, long double>;

  Wide rounded(T x) const { return precision_ == Precision::k_bf16 ? to_bf16(static_cast<double>(x)) : x; }

  static constexpr double kEpsilon = static_cast<double>(std::numeric_limits<T>::epsilon());
  Case case_;
  Precision precision_;
  Operand<T> a_, b_;
  std::vector<T> bias_;
  std::vector<double> wanted_, tolerances_;
};

// On every table, and that of AVX-512 as it is on processors without its BF16.
template <typename Body>
void for_each_gemm(Body body) {
  for_each_table(body);
#if defined(__x86_64__) && !defined(GALVANI_ONLY_BASELINE)
  int count = 0;
  const KernelTable* const best = *supported_kernel_tables(&count);
  if (best->isa == std::string("avx512") && best != &kAvx512Kernels) body(kAvx512Kernels);
#endif
}

template <typename T, typename Value>
void check_of(const Case& c, Value&& value, int64_t shift, Precision precision = Precision::k_float32) {
  Product<T> product(c, value, shift, precision);
  product.compute_reference();
  for_each_gemm([&](const KernelTable& table) { product.check(table); });
}

template <typename Value>
void check(const Case& c, Value&& value, int64_t shift = 0) {
  check_of<float>(c, value, shift);
  check_of<float>(c, value, shift, Precision::k_bf16);
  check_of<double>(c, value, shift);
}

void check_uniform(const Case& c, int64_t shift = 0) {
  Random random(7);
  check(
      c, [&] { return random.uniform(-1, 1); }, shift);
}

bool is_large(const Case& c) { return c.shape.m * c.shape.n * c.shape.k > (int64_t{1} << 22); }

template <typename Body>
void for_each_layout(Case c, Body body) {
  for (const bool transpose_a : {false, true}) {
    for (const bool transpose_b : {false, true}) {
      if (is_quick() && is_large(c) && (transpose_a || !transpose_b)) continue;
      c.a.transpose = transpose_a;
      c.b.transpose = transpose_b;
      body(c);
    }
  }
}

}  // namespace

TEST(gemm_small_shapes) {
  for (const int64_t m : {1, 2, 3, 4, 5, 7, 8, 9}) {
    for (const int64_t n : {1, 2, 3, 4, 5, 8, 11, 16, 17}) {
      for (const int64_t k : {1, 2, 3, 4, 7, 16, 19}) {
        for_each_layout({{1, m, n, k}, {}, {}}, [](const Case& c) { check_uniform(c); });
      }
    }
  }
}

TEST(gemm_tile_edges) {
  for (const int64_t m : {9, 13, 17, 31}) {
    for (const int64_t n : {7, 8, 12, 23, 25, 31, 33, 47, 48, 49, 67, 97}) {
      for_each_layout({{1, m, n, 37}, {}, {}}, [](const Case& c) { check_uniform(c); });
    }
  }
}

TEST(gemm_block_edges) {
  const GemmShape shapes[] = {{1, 11, 53, 257},   {1, 11, 53, 401},  {1, 13, 29, 809}, {1, 9, 383, 41},
                              {1, 10, 389, 263},  {1, 3, 773, 43},   {1, 65, 47, 31},  {1, 260, 521, 269},
                              {1, 67, 1031, 131}, {1, 263, 347, 401}};
  for (const GemmShape& shape : shapes) {
    for_each_layout({shape, {}, {}, true, Activation::k_relu}, [](const Case& c) { check_uniform(c); });
  }
}

// Few rows of A and a B that does not fit in L2; vectors.
TEST(gemm_streams_b) {
  for (const int64_t m : {1, 2, 5, 8}) {
    for_each_layout({{1, m, 521, 263}, {}, {}, true, Activation::k_tanh}, [](const Case& c) { check_uniform(c); });
  }
  for (const GemmShape& shape : {GemmShape{1, 1, 1009, 509}, GemmShape{1, 1009, 1, 509}, GemmShape{3, 61, 1, 67}}) {
    for_each_layout({shape, {}, {}, true, Activation::k_sigmoid}, [](const Case& c) { check_uniform(c); });
  }
}

TEST(gemm_random_cases) {
  Random random(11);
  const int64_t sizes[] = {1, 2, 3, 5, 8, 10, 13, 16, 17, 29, 32, 37, 64, 71};
  const auto size = [&] { return sizes[random.below(static_cast<int64_t>(std::size(sizes)))]; };
  const auto layout = [&] { return Layout{random.below(2) == 0, random.below(3) * 5, random.below(3) == 0}; };
  for (int i = 0; i < 400; ++i) {
    Case c = {{random.below(4) == 0 ? 1 + random.below(9) : 1, size(), size(), size()}, layout(), layout()};
    c.has_bias = random.below(2) == 0;
    c.activation = static_cast<Activation>(random.below(static_cast<int64_t>(Activation::count)));
    c.slope = 0.25f;
    check_uniform(c, random.below(4));
  }
}

TEST(gemm_batches) {
  for (const int64_t batch : {2, 3, 5, 16, 31}) {
    for (const bool shares_a : {false, true}) {
      for (const bool shares_b : {false, true}) {
        const Case c = {{batch, 19, 33, 23}, {false, 0, shares_a}, {false, 0, shares_b}, true, Activation::k_none};
        for_each_layout(c, [](const Case& each) { check_uniform(each); });
        for_each_layout({{batch, 1, 18, 67}, c.a, c.b}, [](const Case& each) { check_uniform(each); });
      }
    }
  }
}

// Small integers: every product and sum is exact.
TEST(gemm_exact_on_integers) {
  for_each_layout({{1, 35, 83, 517}, {}, {}, true}, [](const Case& c) {
    Random random(5);
    Product<float> product(c, [&] { return static_cast<float>(random.below(17)) - 8; });
    product.compute_reference();
    std::vector<float> first;
    for_each_table([&](const KernelTable& table) {
      product.check(table);
      const std::vector<float> result = product.compute(table, 1);
      if (first.empty()) first = result;
      EXPECT(result == first);
    });
  });
}

// 0·∞ and NaN reach C whatever the path, and no activation loses them.
TEST(gemm_infinities_and_nan) {
  const float values[] = {0, 0, 0, 1, -1, 2, -0.0f, std::numeric_limits<float>::infinity(), NAN, -INFINITY};
  for (const Activation activation :
       {Activation::k_none, Activation::k_relu, Activation::k_leakyRelu, Activation::k_sigmoid, Activation::k_tanh}) {
    for (const int64_t m : {1, 3, 12, 37}) {
      for (const int64_t n : {1, 10, 57}) {
        for_each_layout({{1, m, n, 5}, {}, {}, true, activation, 0.5f}, [&](const Case& c) {
          Random random(3);
          check(c, [&] { return values[random.below(random.below(8) == 0 ? 10 : 7)]; });
        });
      }
    }
  }
}

TEST(gemm_without_k_is_the_epilogue) {
  for (const bool has_bias : {false, true}) {
    for (const GemmShape& shape : {GemmShape{1, 5, 19, 0}, GemmShape{2, 1, 3, 0}, GemmShape{1, 9, 1, 0}}) {
      for_each_layout({shape, {}, {}, has_bias, Activation::k_sigmoid}, [](const Case& c) { check_uniform(c); });
    }
  }
}

TEST(gemm_without_outputs_does_nothing) {
  for (const GemmShape& shape : {GemmShape{0, 2, 3, 4}, GemmShape{1, 0, 3, 4}, GemmShape{1, 2, 0, 4}}) {
    for_each_layout({shape, {}, {}, true, Activation::k_relu}, [](const Case& c) { check_uniform(c); });
  }
}

template <typename T>
void check_threads_of(const Case& c, Precision precision = Precision::k_float32) {
  Random random(9);
  const Product<T> product(
      c, [&] { return random.uniform(-1, 1); }, 0, precision);
  for_each_gemm([&](const KernelTable& table) { product.check_threads(table, product.compute(table, 1)); });
}

// Enough work for several tasks per thread.
TEST(gemm_same_bits_on_any_threads_when_large) {
  for_each_layout({{1, 401, 523, 397}, {}, {}, true, Activation::k_relu}, [](const Case& c) {
    check_threads_of<float>(c);
    check_threads_of<float>(c, Precision::k_bf16);
    check_threads_of<double>(c);
  });
}

TEST(gemm_same_bits_on_any_threads_for_the_sweep) {
  SweepShapes shapes;
  for (int i = 0; i < (is_quick() ? kSweepShapes / 10 : kSweepShapes); ++i) {
    const Multiplication x = shapes.next();
    const GemmShape& s = x.shape;
    const Layout a = {x.transpose_a, x.a_stride - (x.transpose_a ? s.m : s.k)};
    const Layout b = {x.transpose_b, x.b_stride - (x.transpose_b ? s.k : s.n)};
    Random random(i);
    for (const Precision precision : {Precision::k_float32, Precision::k_bf16}) {
      const Product<float> product(
          {s, a, b, true}, [&] { return random.uniform(-1, 1); }, 0, precision);
      for_each_gemm([&](const KernelTable& table) { product.check_threads(table, product.compute(table, 1)); });
    }
  }
}

}  // namespace galvani::test
