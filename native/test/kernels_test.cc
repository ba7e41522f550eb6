// Micro-ops and casts: which exist, their values against scalar code, and every size, alignment and aliasing.
#include "test/kernel_testing.h"
#include "test/ulps.h"

namespace galvani::test {
namespace {

enum class Kind { same, floating, any, comparison, cast, bits, shift };

Kind kind_of(MicroOp op) {
  switch (op) {
    case MicroOp::k_identity:
    case MicroOp::k_where: return Kind::any;
    case MicroOp::k_add:
    case MicroOp::k_sub:
    case MicroOp::k_mul:
    case MicroOp::k_maximum:
    case MicroOp::k_minimum:
    case MicroOp::k_neg:
    case MicroOp::k_abs:
    case MicroOp::k_sign:
    case MicroOp::k_square:
    case MicroOp::k_mod:
    case MicroOp::k_fmod:
    case MicroOp::k_floorDiv:
    case MicroOp::k_relu: return Kind::same;
    case MicroOp::k_bitwiseAnd:
    case MicroOp::k_bitwiseOr:
    case MicroOp::k_bitwiseXor: return Kind::bits;
    case MicroOp::k_leftShift:
    case MicroOp::k_rightShift: return Kind::shift;
    case MicroOp::k_equal:
    case MicroOp::k_notEqual:
    case MicroOp::k_less:
    case MicroOp::k_lessEqual:
    case MicroOp::k_greater:
    case MicroOp::k_greaterEqual: return Kind::comparison;
    case MicroOp::k_cast: return Kind::cast;
    default: return Kind::floating;
  }
}

const char* name_of(MicroOp op) {
#define GALVANI_NAME(name) #name,
  static const char* const names[] = {GALVANI_MICRO_OPS(GALVANI_NAME)};
#undef GALVANI_NAME
  return names[static_cast<int>(op)];
}

bool exists(MicroOp op, DType dtype) {
  const Kind kind = kind_of(op);
  if (kind == Kind::any || kind == Kind::comparison) return true;
  if (kind == Kind::same) return dtype == DType::k_float32 || dtype == DType::k_int32;
  if (kind == Kind::bits) return dtype != DType::k_float32;
  if (kind == Kind::shift) return dtype == DType::k_int32 || dtype == DType::k_uint8;
  return kind == Kind::floating && dtype == DType::k_float32;
}

template <typename T>
struct Tag {
  using Type = T;
};

// Calls body(tag of the element type) for a dtype.
template <typename Body>
void with_type(DType dtype, Body body) {
  if (dtype == DType::k_float32) body(Tag<float>());
  if (dtype == DType::k_int32) body(Tag<int32_t>());
  if (dtype == DType::k_uint8 || dtype == DType::k_bool) body(Tag<uint8_t>());
}

template <typename T>
void fill(Buffer<T>& buffer, DType dtype, Random& random) {
  buffer.fill(random);
  if (dtype != DType::k_bool) return;
  for (int64_t i = 0; i < buffer.size(); ++i) buffer[i] = static_cast<T>(random.below(2));
}

// float of a double result, rounded once: what the exact operations give, and the others nearly.
double float_reference(MicroOp op, double a, double b) {
  switch (op) {
    case MicroOp::k_div: return a / b;
    case MicroOp::k_pow: return std::pow(a, b);
    case MicroOp::k_step: return std::isnan(a) ? a : a > 0 ? 1 : 0;
    case MicroOp::k_leakyRelu: return a > 0 ? a : static_cast<float>(b * a);
    case MicroOp::k_elu: return a > 0 ? a : b * std::expm1(a);
    case MicroOp::k_atan2: return std::atan2(a, b);
    case MicroOp::k_hypot: return std::hypot(a, b);
    default: break;
  }
  for (const Function& function : kFunctions) {
    if (function.op == op) return function.exact(a);
  }
  fail(__FILE__, __LINE__, std::string("no reference for ") + name_of(op));
  return 0;
}

template <typename T>
T modulo(T rest, T b) {
  return rest != 0 && (rest < 0) != (b < 0) ? rest + b : rest;
}

float floor_of_quotient(float a, float b) {
  if (b == 0) return a / b;
  const double whole = (static_cast<double>(a) - static_cast<double>(std::fmod(a, b))) / static_cast<double>(b);
  const double down = std::fmod(a, b) != 0 && (a < 0) != (b < 0) ? whole - 1 : whole;
  return down == 0 ? std::copysign(0.0f, a / b) : static_cast<float>(down);
}

int32_t shift_left(int32_t a, int32_t b) {
  return b < 0 || b > 31 ? 0 : static_cast<int32_t>(static_cast<uint32_t>(a) << b);
}
int32_t shift_right(int32_t a, int32_t b) { return a >> (b < 0 || b > 31 ? 31 : b); }

float same_reference(MicroOp op, float a, float b) {
  switch (op) {
    case MicroOp::k_add: return a + b;
    case MicroOp::k_sub: return a - b;
    case MicroOp::k_mul: return a * b;
    case MicroOp::k_maximum: return a != a || b != b ? NAN : a == b ? (std::signbit(a) ? b : a) : a > b ? a : b;
    case MicroOp::k_minimum: return a != a || b != b ? NAN : a == b ? (std::signbit(a) ? a : b) : a < b ? a : b;
    case MicroOp::k_neg: return -a;
    case MicroOp::k_abs: return std::fabs(a);
    case MicroOp::k_sign: return a > 0 ? 1 : a < 0 ? -1 : a;
    case MicroOp::k_square: return a * a;
    case MicroOp::k_fmod: return std::fmod(a, b);
    case MicroOp::k_mod: return modulo(std::fmod(a, b), b);
    case MicroOp::k_floorDiv: return floor_of_quotient(a, b);
    default: return a > 0 || a != a ? a : 0;  // relu
  }
}

int32_t same_reference(MicroOp op, int32_t a, int32_t b) {
  const uint32_t ua = static_cast<uint32_t>(a), ub = static_cast<uint32_t>(b);
  switch (op) {
    case MicroOp::k_add: return static_cast<int32_t>(ua + ub);
    case MicroOp::k_sub: return static_cast<int32_t>(ua - ub);
    case MicroOp::k_mul: return static_cast<int32_t>(ua * ub);
    case MicroOp::k_maximum: return a > b ? a : b;
    case MicroOp::k_minimum: return a < b ? a : b;
    case MicroOp::k_neg: return static_cast<int32_t>(0 - ua);
    case MicroOp::k_abs: return a < 0 ? static_cast<int32_t>(0 - ua) : a;
    case MicroOp::k_sign: return (a > 0) - (a < 0);
    case MicroOp::k_square: return static_cast<int32_t>(ua * ua);
    case MicroOp::k_fmod: return b == 0 ? 0 : static_cast<int32_t>(int64_t{a} % b);
    case MicroOp::k_mod: return b == 0 ? 0 : static_cast<int32_t>(modulo(int64_t{a} % b, int64_t{b}));
    case MicroOp::k_floorDiv:
      return b == 0 ? 0 : static_cast<int32_t>(static_cast<int64_t>(std::floor(static_cast<double>(a) / b)));
    case MicroOp::k_bitwiseAnd: return a & b;
    case MicroOp::k_bitwiseOr: return a | b;
    case MicroOp::k_bitwiseXor: return a ^ b;
    case MicroOp::k_leftShift: return shift_left(a, b);
    case MicroOp::k_rightShift: return shift_right(a, b);
    default: return a > 0 ? a : 0;  // relu
  }
}

uint8_t same_reference(MicroOp op, uint8_t a, uint8_t b) {
  return static_cast<uint8_t>(same_reference(op, int32_t{a}, int32_t{b}));
}

template <typename T>
uint8_t comparison_reference(MicroOp op, T a, T b) {
  switch (op) {
    case MicroOp::k_equal: return a == b;
    case MicroOp::k_notEqual: return a != b;
    case MicroOp::k_less: return a < b;
    case MicroOp::k_lessEqual: return a <= b;
    case MicroOp::k_greater: return a > b;
    default: return a >= b;
  }
}

template <typename T>
void check_values(const KernelTable& table, MicroOp op, DType dtype) {
  constexpr int64_t n = 1000;
  Random random(static_cast<uint64_t>(op) * 4 + static_cast<uint64_t>(dtype));
  Buffer<T> a(n, 1), b(n, 2), out(n, 3);
  Buffer<uint8_t> truth(n, 1);
  fill(a, dtype, random);
  fill(b, dtype, random);
  fill(truth, DType::k_bool, random);
  const MicroKernel kernel = table.micro[static_cast<int>(op)][static_cast<int>(dtype)];
  const Kind kind = kind_of(op);
  if (op == MicroOp::k_where) {
    kernel(truth.data(), a.data(), b.data(), out.data(), n);
    for (int64_t i = 0; i < n; ++i) EXPECT_SAME(out[i], truth[i] ? a[i] : b[i], describe(table, "where", i));
  } else if (kind == Kind::comparison) {
    kernel(a.data(), b.data(), nullptr, truth.data(), n);
    for (int64_t i = 0; i < n; ++i) {
      EXPECT_SAME(truth[i], comparison_reference(op, a[i], b[i]), describe(table, name_of(op), i));
    }
  } else {
    kernel(a.data(), b.data(), nullptr, out.data(), n);
    for (int64_t i = 0; i < n; ++i) {
      if (op == MicroOp::k_identity) {
        EXPECT_SAME(out[i], a[i], describe(table, name_of(op), i));
      } else if (kind != Kind::floating) {
        EXPECT_SAME(out[i], same_reference(op, a[i], b[i]), describe(table, name_of(op), i));
      } else {
        const double wanted = float_reference(op, static_cast<double>(a[i]), static_cast<double>(b[i]));
        EXPECT_NEAR(static_cast<double>(out[i]), static_cast<double>(static_cast<float>(wanted)),
                    3e-7 * std::fabs(wanted) + 3e-45);
      }
    }
  }
}

// Operands a (of type A), b and c (of type T) against the same kernel run on one element after the other.
template <typename A, typename T, typename Out>
void check_every_size(const KernelTable& table, const char* name, MicroKernel kernel, DType a_dtype, DType dtype) {
  constexpr int64_t kMost = 130;
  Random random(7);
  Buffer<A> a(kMost, 0);
  Buffer<T> b(kMost, 0), c(kMost, 0);
  Buffer<Out> wanted(kMost, 0);
  fill(a, a_dtype, random);
  fill(b, dtype, random);
  fill(c, dtype, random);
  for (int64_t i = 0; i < kMost; ++i) kernel(&a[i], &b[i], &c[i], &wanted[i], 1);
  for (int64_t n = 0; n <= kMost; ++n) {
    for (int alias = 0; alias < 4; ++alias) {
      Buffer<A> x(n, static_cast<int>(n % 5));
      Buffer<T> y(n, static_cast<int>(n % 3)), z(n, 1);
      Buffer<Out> out(n, static_cast<int>(n % 7));
      std::memcpy(x.data(), a.data(), static_cast<size_t>(n) * sizeof(A));
      std::memcpy(y.data(), b.data(), static_cast<size_t>(n) * sizeof(T));
      std::memcpy(z.data(), c.data(), static_cast<size_t>(n) * sizeof(T));
      if (alias == 1 && sizeof(A) != sizeof(Out)) continue;
      if (alias > 1 && sizeof(T) != sizeof(Out)) continue;
      void* const targets[] = {out.data(), x.data(), y.data(), z.data()};
      kernel(x.data(), y.data(), z.data(), targets[alias], n);
      const Out* result = static_cast<const Out*>(targets[alias]);
      for (int64_t i = 0; i < n; ++i) EXPECT_SAME(result[i], wanted[i], describe(table, name, i));
      EXPECT(out.guards_are_whole() && x.guards_are_whole() && y.guards_are_whole() && z.guards_are_whole());
    }
  }
}

template <typename Body>
void for_each_micro_kernel(const KernelTable& table, Body body) {
  for (int op = 0; op < kMicroOpCount; ++op) {
    for (int dtype = 0; dtype < kDTypeCount; ++dtype) {
      if (table.micro[op][dtype]) body(static_cast<MicroOp>(op), static_cast<DType>(dtype), table.micro[op][dtype]);
    }
  }
}

// One element beside an array against an array filled with it.
template <typename T, typename Out>
void check_scalar_operands(const KernelTable& table, MicroOp op, DType dtype) {
  constexpr int64_t kMost = 70;
  const int row = static_cast<int>(op), column = static_cast<int>(dtype);
  Random random(static_cast<uint64_t>(row));
  for (int arg = 0; arg < 2; ++arg) {
    const MicroKernel kernel = table.micro_scalar[arg][row][column];
    for (int64_t n = 0; n <= kMost; ++n) {
      Buffer<T> x(n, 1), filled(n, 2), scalar(1, 3);
      Buffer<Out> wanted(n, 1), out(n, 2);
      fill(x, dtype, random);
      fill(scalar, dtype, random);
      for (int64_t i = 0; i < n; ++i) filled[i] = scalar[0];
      table.micro[row][column](arg == 0 ? filled.data() : x.data(), arg == 0 ? x.data() : filled.data(), nullptr,
                               wanted.data(), n);
      kernel(arg == 0 ? scalar.data() : x.data(), arg == 0 ? x.data() : scalar.data(), nullptr, out.data(), n);
      for (int64_t i = 0; i < n; ++i) EXPECT_SAME(out[i], wanted[i], describe(table, name_of(op), i));
      EXPECT(out.guards_are_whole());
    }
  }
}

TEST(binary_kernels_take_scalars) {
  for_each_table([](const KernelTable& table) {
    for_each_micro_kernel(table, [&](MicroOp op, DType dtype, MicroKernel) {
      const int row = static_cast<int>(op), column = static_cast<int>(dtype);
      const bool is_comparison = kind_of(op) == Kind::comparison;
      const bool is_binary = is_comparison || op == MicroOp::k_pow || op == MicroOp::k_leakyRelu ||
                             op == MicroOp::k_elu || (op >= MicroOp::k_atan2 && op <= MicroOp::k_rightShift) ||
                             (op >= MicroOp::k_add && op <= MicroOp::k_minimum);
      EXPECT_EQ(table.micro_scalar[0][row][column] != nullptr, is_binary);
      EXPECT_EQ(table.micro_scalar[1][row][column] != nullptr, is_binary);
      if (!is_binary) return;
      if (dtype == DType::k_float32 && is_comparison) return check_scalar_operands<float, uint8_t>(table, op, dtype);
      if (dtype == DType::k_float32) return check_scalar_operands<float, float>(table, op, dtype);
      if (dtype == DType::k_int32 && is_comparison) return check_scalar_operands<int32_t, uint8_t>(table, op, dtype);
      if (dtype == DType::k_int32) return check_scalar_operands<int32_t, int32_t>(table, op, dtype);
      check_scalar_operands<uint8_t, uint8_t>(table, op, dtype);
    });
  });
}

// float → integer truncates and saturates, NaN gives 0; int32 → uint8 keeps the low byte; any → bool is x ≠ 0.
double cast_reference(double x, DType from, DType to) {
  if (to == DType::k_bool) return x != 0;
  if (to == DType::k_float32) return static_cast<double>(static_cast<float>(x));
  if (from == DType::k_int32 && to == DType::k_uint8) return static_cast<uint8_t>(static_cast<int32_t>(x));
  if (std::isnan(x)) return 0;
  const double low = to == DType::k_uint8 ? 0 : INT32_MIN, high = to == DType::k_uint8 ? 255 : INT32_MAX;
  return std::trunc(x < low ? low : x > high ? high : x);
}

TEST(kernel_table_is_complete) {
  for_each_table([](const KernelTable& table) {
    for (int op = 0; op < kMicroOpCount; ++op) {
      for (int dtype = 0; dtype < kDTypeCount; ++dtype) {
        const bool wanted = exists(static_cast<MicroOp>(op), static_cast<DType>(dtype));
        if ((table.micro[op][dtype] != nullptr) != wanted) {
          fail(__FILE__, __LINE__, describe(table, name_of(static_cast<MicroOp>(op)), dtype));
        }
      }
    }
    for (int from = 0; from < kDTypeCount; ++from) {
      for (int to = 0; to < kDTypeCount; ++to) EXPECT(table.cast[from][to] != nullptr);
    }
    for (int kind = 0; kind < kReductionCount; ++kind) EXPECT(table.reduce_float32[kind] && table.reduce_int32[kind]);
    EXPECT(table.copy && table.argmax_float32 && table.argmax_int32 && table.softmax && table.log_softmax);
    EXPECT(table.cross_entropy_classes && table.cross_entropy_probabilities);
    EXPECT(table.accumulate_float32 && table.accumulate_int32 && table.sgd && table.momentum && table.adam);
    EXPECT(table.random[0] && table.random[1]);
    EXPECT(table.gemm.multiply && table.gemm.dot && table.gemm.pack_b);
  });
}

TEST(micro_op_values) {
  for_each_table([](const KernelTable& table) {
    for_each_micro_kernel(table, [&](MicroOp op, DType dtype, MicroKernel) {
      with_type(dtype, [&](auto tag) { check_values<typename decltype(tag)::Type>(table, op, dtype); });
    });
  });
}

TEST(micro_ops_at_every_size_alignment_and_aliasing) {
  for_each_table([](const KernelTable& table) {
    for_each_micro_kernel(table, [&](MicroOp op, DType dtype, MicroKernel kernel) {
      with_type(dtype, [&](auto tag) {
        using T = typename decltype(tag)::Type;
        if (op == MicroOp::k_where) {
          check_every_size<uint8_t, T, T>(table, name_of(op), kernel, DType::k_bool, dtype);
        } else if (kind_of(op) == Kind::comparison) {
          check_every_size<T, T, uint8_t>(table, name_of(op), kernel, dtype, dtype);
        } else {
          check_every_size<T, T, T>(table, name_of(op), kernel, dtype, dtype);
        }
      });
    });
  });
}

template <typename Body>
void for_each_cast(const KernelTable& table, Body body) {
  for (int from = 0; from < kDTypeCount; ++from) {
    for (int to = 0; to < kDTypeCount; ++to) {
      with_type(static_cast<DType>(from), [&](auto source) {
        with_type(static_cast<DType>(to), [&](auto target) {
          body(source, target, static_cast<DType>(from), static_cast<DType>(to), table.cast[from][to]);
        });
      });
    }
  }
}

TEST(cast_values) {
  for_each_table([](const KernelTable& table) {
    for_each_cast(table, [&](auto source, auto target, DType from, DType to, MicroKernel kernel) {
      constexpr int64_t n = 1000;
      Random random(11);
      Buffer<typename decltype(source)::Type> x(n, 1);
      Buffer<typename decltype(target)::Type> out(n, 2);
      fill(x, from, random);
      kernel(x.data(), nullptr, nullptr, out.data(), n);
      for (int64_t i = 0; i < n; ++i) {
        const double value = static_cast<double>(x[i]);
        const double wanted = from == to ? value : cast_reference(value, from, to);
        EXPECT_NEAR(static_cast<double>(out[i]), wanted, 0);
      }
    });
  });
}

TEST(casts_at_every_size_and_aliasing) {
  for_each_table([](const KernelTable& table) {
    for_each_cast(table, [&](auto source, auto target, DType from, DType, MicroKernel kernel) {
      using From = typename decltype(source)::Type;
      using To = typename decltype(target)::Type;
      check_every_size<From, From, To>(table, "cast", kernel, from, from);
    });
  });
}

}  // namespace
}  // namespace galvani::test
