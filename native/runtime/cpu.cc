#include "runtime/cpu.h"

#include <cstring>

namespace galvani {
namespace {

constexpr int kMostTables = 3;

struct SupportedTables {
  SupportedTables() {
#if defined(GALVANI_ONLY_BASELINE)
    // Nothing wider.
#elif defined(__x86_64__)
    // These builtins also ask the operating system (XGETBV) whether it saves the wide registers.
    __builtin_cpu_init();
    if (has_avx512() && has_avx2()) tables[count++] = &kAvx512Kernels;
    if (has_avx2()) tables[count++] = &kAvx2Kernels;
#elif defined(__aarch64__)
    tables[count++] = &kNeonKernels;
#endif
    tables[count++] = &kBaselineKernels;
  }

#if defined(__x86_64__)
  static bool has_avx512() {
#if defined(GALVANI_EMULATED_AVX512)
    return true;
#else
    return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
           __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl");
#endif
  }
  static bool has_avx2() { return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"); }
#endif

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
