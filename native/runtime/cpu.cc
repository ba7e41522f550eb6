#include "runtime/cpu.h"

#include <cstring>

#if defined(__x86_64__)
#include <cpuid.h>
#endif

namespace galvani {
namespace {

constexpr int kMostTables = 3;

#if defined(__x86_64__)

// What the processor has and the operating system saves, by CPUID and XGETBV as Intel's manual describes them (volume
// 1, 14.3 and 15.2). The compilers' own builtin is a part of libgcc that not every toolchain has.
class X86Features {
 public:
  X86Features() {
    unsigned a, b, c, d;
    if (!__get_cpuid_count(1, 0, &a, &b, &c, &d)) return;
    const bool saves_registers = has_all(c, 1u << 27);
    has_fma_ = has_all(c, 1u << 12);
    if (saves_registers) saved_ = saved_registers();
    if (!__get_cpuid_count(7, 0, &a, &b, &c, &d)) return;
    extended_ = b;
    has_avx512_vnni_ = has_all(c, 1u << 11);
    if (a == 0 || !__get_cpuid_count(7, 1, &a, &b, &c, &d)) return;
    has_avx_vnni_ = has_all(a, 1u << 4);
    has_bf16_ = has_all(a, 1u << 5);
  }

  bool has_avx2() const { return has_fma_ && has_all(extended_, 1u << 5) && has_all(saved_, kXmm | kYmm); }

  bool has_avx512() const {
#if defined(GALVANI_EMULATED_AVX512)
    return true;
#else
    constexpr unsigned kF = 1u << 16, kDq = 1u << 17, kBw = 1u << 30, kVl = 1u << 31;
    return has_all(extended_, kF | kDq | kBw | kVl) && has_all(saved_, kXmm | kYmm | kMasks | kZmm);
#endif
  }

  // Beside AVX2, and beside AVX-512.
  bool has_avx_vnni() const { return has_avx_vnni_; }
  bool has_avx512_vnni() const { return has_avx512_vnni_; }
  // Of AVX-512.
  bool has_bf16() const { return has_bf16_; }

 private:
  static constexpr unsigned kXmm = 2, kYmm = 4, kMasks = 1u << 5, kZmm = 3u << 6;

  static bool has_all(unsigned bits, unsigned wanted) { return (bits & wanted) == wanted; }

  static unsigned saved_registers() {
    unsigned low, high;
    asm volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
    return low;
  }

  bool has_fma_ = false, has_bf16_ = false;
  bool has_avx_vnni_ = false, has_avx512_vnni_ = false;
  unsigned saved_ = 0;
  unsigned extended_ = 0;
};

#endif

#if defined(__x86_64__) && !defined(GALVANI_ONLY_BASELINE)

// The table of AVX-512, with the products of bf16 that this processor has.
KernelTable avx512_kernels([[maybe_unused]] const X86Features& features) {
  KernelTable table = kAvx512Kernels;
#if !defined(GALVANI_EMULATED_AVX512)
  if (features.has_bf16()) table.gemm_bf16 = kAvx512Bf16Gemm;
#endif
  return table;
}

// The table as it is, but for products of int8 where the machine and the compiler have better ones.
KernelTable with_vnni(const KernelTable& table, bool has_vnni, const QuantizedKernels& kernels) {
  KernelTable result = table;
  if (has_vnni && kernels.multiply != nullptr) result.quantized = kernels;
  return result;
}
#endif

struct SupportedTables {
  SupportedTables() {
#if defined(GALVANI_ONLY_BASELINE)
    // Nothing wider.
#elif defined(__x86_64__)
    const X86Features features;
    static const KernelTable avx512 =
        with_vnni(avx512_kernels(features), features.has_avx512_vnni(), kAvx512VnniKernels);
    static const KernelTable avx2 = with_vnni(kAvx2Kernels, features.has_avx_vnni(), kAvx2VnniKernels);
    if (features.has_avx512() && features.has_avx2()) tables[count++] = &avx512;
    if (features.has_avx2()) tables[count++] = &avx2;
#elif defined(__aarch64__)
    tables[count++] = &kNeonKernels;
#endif
    tables[count++] = &kBaselineKernels;
  }

  const KernelTable* tables[kMostTables];
  int count = 0;
};

const SupportedTables& supported() {
  static const SupportedTables instance;
  return instance;
}

std::string list_of_names() {
  std::string names;
  for (int i = 0; i < supported().count; ++i) {
    if (i > 0) names += ", ";
    names += supported().tables[i]->isa;
  }
  return names;
}

}  // namespace

const KernelTable* const* supported_kernel_tables(int* count) {
  *count = supported().count;
  return supported().tables;
}

const KernelTable* choose_kernel_table(const char* forced_isa, std::string* error) {
  if (forced_isa == nullptr || forced_isa[0] == '\0') return supported().tables[0];
  for (int i = 0; i < supported().count; ++i) {
    if (std::strcmp(supported().tables[i]->isa, forced_isa) == 0) return supported().tables[i];
  }
  *error = "expected an instruction set of this machine (" + list_of_names() + "), got " + forced_isa;
  return nullptr;
}

}  // namespace galvani
