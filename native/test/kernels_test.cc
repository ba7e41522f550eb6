// Micro-ops and casts: which exist, their values against scalar code, and every size, alignment and aliasing.
#include "test/kernel_testing.h"
#include "test/ulps.h"

namespace galvani::test {
namespace {

const char* name_of(MicroOp op) { return facts_of(op).name; }

bool exists(MicroOp op, DType dtype) { return op != MicroOp::k_cast && takes(facts_of(op).kind, dtype); }

template <typename T>
struct Tag {
  using Type = T;
};

// Calls body(tag of the element type) for a dtype.
template <typename Body>
void with_type(DType dtype, Body body) {
  if (dtype == DType::k_float32) body(Tag<float>());
  if (dtype == DType::k_float64) body(Tag<double>());
  if (dtype == DType::k_int32) body(Tag<int32_t>());
  if (dtype == DType::k_uint8 || dtype == DType::k_bool) body(Tag<uint8_t>());
}

template <typename T>
void fill(Buffer<T>& buffer, DType dtype, Random& random) {
  buffer.fill(random);
  if (dtype != DType::k_bool) return;
  for (int64_t i = 0; i < buffer.size(); ++i) buffer[i] = static_cast<T>(random.below(2));
}

template <typename T>
void check_values(const KernelTable& table, MicroOp op, DType dtype) {
  constexpr int64_t n = 1000;
  Random random(static_cast<uint64_t>(op) * kDTypeCount + static_cast<uint64_t>(dtype));
  Buffer<T> a(n, 1), b(n, 2), out(n, 3);
  Buffer<uint8_t> truth(n, 1);
  fill(a, dtype, random);
  fill(b, dtype, random);
  fill(truth, DType::k_bool, random);
  const MicroKernel kernel = table.micro[static_cast<int>(op)][static_cast<int>(dtype)];
  const MicroKind kind = facts_of(op).kind;
  const auto exact = [&](int64_t i) {
    using Number = std::conditional_t<std::is_floating_point_v<T>, double, int64_t>;
    return exact_of<Number>(op)(static_cast<Number>(a[i]), static_cast<Number>(b[i]));
  };
  if (op == MicroOp::k_where) {
    kernel(truth.data(), a.data(), b.data(), out.data(), n);
    for (int64_t i = 0; i < n; ++i) EXPECT_SAME(out[i], truth[i] ? a[i] : b[i], describe(table, "where", i));
    return;
  }
  if (kind == MicroKind::k_comparison) {
    kernel(a.data(), b.data(), nullptr, truth.data(), n);
    for (int64_t i = 0; i < n; ++i) {
      EXPECT_SAME(truth[i], static_cast<uint8_t>(exact(i)), describe(table, name_of(op), i));
    }
    return;
  }
  kernel(a.data(), b.data(), nullptr, out.data(), n);
  for (int64_t i = 0; i < n; ++i) {
    if (kind == MicroKind::k_float) {
      const double wanted = static_cast<double>(exact(i));
      // Doubles beside a root are off by ulps of what cancels there.
      const double tolerance =
          dtype == DType::k_float64 ? 1e-14 * std::fabs(wanted) + 2e-15 : 3e-7 * std::fabs(wanted) + 3e-45;
      EXPECT_NEAR(static_cast<double>(out[i]), static_cast<double>(static_cast<T>(wanted)), tolerance);
    } else {
      const T wanted = op == MicroOp::k_identity ? a[i] : static_cast<T>(exact(i));
      EXPECT_SAME(out[i], wanted, describe(table, name_of(op), i));
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
      const bool is_comparison = facts_of(op).kind == MicroKind::k_comparison;
      const bool is_binary = facts_of(op).arity == 2;
      EXPECT_EQ(table.micro_scalar[0][row][column] != nullptr, is_binary);
      EXPECT_EQ(table.micro_scalar[1][row][column] != nullptr, is_binary);
      if (!is_binary) return;
      if (dtype == DType::k_float32 && is_comparison) return check_scalar_operands<float, uint8_t>(table, op, dtype);
      if (dtype == DType::k_float32) return check_scalar_operands<float, float>(table, op, dtype);
      if (dtype == DType::k_float64 && is_comparison) return check_scalar_operands<double, uint8_t>(table, op, dtype);
      if (dtype == DType::k_float64) return check_scalar_operands<double, double>(table, op, dtype);
      if (dtype == DType::k_int32 && is_comparison) return check_scalar_operands<int32_t, uint8_t>(table, op, dtype);
      if (dtype == DType::k_int32) return check_scalar_operands<int32_t, int32_t>(table, op, dtype);
      check_scalar_operands<uint8_t, uint8_t>(table, op, dtype);
    });
  });
}

// float → integer truncates and saturates, NaN gives 0; int32 → uint8 keeps the low byte; any → bool is x ≠ 0.
double cast_reference(double x, DType from, DType to) {
  if (to == DType::k_bool) return x != 0;
  if (to == DType::k_float64) return x;
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
    for (int kind = 0; kind < kReductionCount; ++kind) {
      EXPECT(table.reduce_float32[kind] && table.reduce_float64[kind] && table.reduce_int32[kind]);
      EXPECT(table.scan_float32[kind] && table.scan_float64[kind] && table.scan_int32[kind]);
    }
    EXPECT(table.copy && table.argmax_float32 && table.argmax_float64 && table.argmax_int32);
    EXPECT(table.accumulate_float32 && table.accumulate_float64 && table.accumulate_int32);
    EXPECT(table.rows_float32.softmax && table.rows_float64.cross_entropy_probabilities);
    EXPECT(table.update_float32.sgd && table.update_float64.adam);
    EXPECT(table.random[0] && table.random[1]);
    EXPECT(table.gemm.multiply && table.gemm.dot && table.gemm.pack_b && table.gemm_float64.row);
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
        } else if (facts_of(op).kind == MicroKind::k_comparison) {
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
