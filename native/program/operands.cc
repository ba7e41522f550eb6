// The messages of what is expected of operands.
#include "program/operands.h"

#include <algorithm>

namespace galvani {

void Operands::expect_count(const char* what, size_t count, size_t least, size_t most) {
  if (!ok() || (count >= least && count <= most)) return;
  if (least == most) {
    fail(&error_, "expected %zu %s, got %zu", least, what, count);
  } else if (most == SIZE_MAX) {
    fail(&error_, "expected at least %zu %s, got %zu", least, what, count);
  } else {
    fail(&error_, "expected %zu to %zu %s, got %zu", least, most, what, count);
  }
}

void Operands::expect_dtype(const char* what, size_t i, DType dtype, DTypes dtypes) {
  if (!ok() || is_one_of(dtype, dtypes)) return;
  std::string wanted;
  for (const DType each : dtypes) wanted += std::string(wanted.empty() ? "" : " or ") + name_of(each);
  fail(&error_, "expected %s %zu to be %s, got %s", what, i, wanted.c_str(), name_of(dtype));
}

void Operands::expect_size(const char* what, size_t i, const Value& value, int64_t size) {
  if (!ok() || value.size == size) return;
  const char* const dtype = name_of(value.dtype);
  fail(&error_, "expected %s %zu to be %s of %lld elements, got %s of %lld", what, i, dtype,
       static_cast<long long>(size), dtype, static_cast<long long>(value.size));
}

bool is_one_of(DType dtype, std::initializer_list<DType> dtypes) {
  return std::find(dtypes.begin(), dtypes.end(), dtype) != dtypes.end();
}

}  // namespace galvani
