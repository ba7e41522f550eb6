// Typed arrays to pointers. Nothing that JavaScript passes may make a run touch memory that is not its own.
#include <algorithm>
#include <string>

#include "binding/environment.h"

namespace galvani {
namespace {

napi_typedarray_type array_type(DType dtype) {
  switch (dtype) {
    case DType::k_float32: return napi_float32_array;
    case DType::k_float64: return napi_float64_array;
    case DType::k_int32: return napi_int32_array;
    default: return napi_uint8_array;
  }
}

bool throw_type_error(napi_env env, const std::string& message) {
  napi_throw_type_error(env, nullptr, message.c_str());
  return false;
}

bool refuse(napi_env env, size_t i, const std::string& expected, const std::string& got) {
  return throw_type_error(env, "run: expected buffer " + std::to_string(i) + " to be " + expected + ", got " + got);
}

// All that may call back into JavaScript, as the getter of an element does: from there on pointers stay what they are.
bool collect_items(napi_env env, size_t count, napi_value list, std::vector<napi_value>* items) {
  bool is_array = false;
  uint32_t length = 0;
  if (napi_is_array(env, list, &is_array) != napi_ok || !is_array) {
    return throw_type_error(env, "run: expected an array of buffers");
  }
  napi_get_array_length(env, list, &length);
  if (length != count) {
    return throw_type_error(env, "run: expected " + std::to_string(count) + " buffers, got " + std::to_string(length));
  }
  items->resize(count);
  for (size_t i = 0; i < count; ++i) {
    if (napi_get_element(env, list, static_cast<uint32_t>(i), &(*items)[i]) != napi_ok) return false;
  }
  return true;
}

// What one step and what all of them need of a buffer.
struct Extent {
  int64_t bytes_of_step;
  bool may_be_shared, may_be_parted;  // by the steps
};

bool bind_item(napi_env env, BoundBuffers* bound, size_t i, DType dtype, const Extent& extent, int64_t steps) {
  napi_typedarray_type actual;
  size_t length;
  napi_value& buffer = bound->memories[i];
  int64_t* const stride = &bound->strides[i];
  bool is_private = false;
  if (napi_get_typedarray_info(env, bound->items[i], &actual, &length, &bound->pointers[i], &buffer, nullptr) !=
          napi_ok ||
      actual != array_type(dtype)) {
    return refuse(env, i, std::string("the typed array of ") + name_of(dtype), "something else");
  }
  // Another thread could change an index in shared memory after it was checked.
  napi_is_arraybuffer(env, buffer, &is_private);
  if (!is_private) return refuse(env, i, "memory of its own", "shared memory");
  const int64_t bytes = static_cast<int64_t>(length) * element_bytes(dtype);
  const int64_t bytes_of_all = extent.bytes_of_step * steps;  // fits: 2^31 elements of 8 bytes, 2^24 steps
  *stride = extent.may_be_parted && bytes == bytes_of_all && steps > 1 ? extent.bytes_of_step : 0;
  if (*stride > 0 || (bytes == extent.bytes_of_step && (extent.may_be_shared || steps == 1 || bytes == 0))) return true;
  bool is_detached = false;
  napi_is_detached_arraybuffer(env, buffer, &is_detached);
  return refuse(env, i, std::to_string(extent.may_be_shared ? extent.bytes_of_step : bytes_of_all) + " bytes long",
                is_detached ? "a detached one" : std::to_string(bytes));
}

// Whether memory that is written overlaps any other. A state may be written where it is read.
bool has_overlap(const Executable& executable, int64_t steps, BoundBuffers* bound) {
  const auto& types = executable.buffers();
  const size_t inputs = executable.input_count(), states = executable.state_count();
  bound->regions.clear();
  for (size_t i = 0; i < types.size(); ++i) {
    const bool is_old_state = i >= inputs && i < inputs + states;
    if (types[i].bytes == 0 || (is_old_state && bound->pointers[i] == bound->pointers[i + states])) continue;
    const uint8_t* const begin = static_cast<const uint8_t*>(bound->pointers[i]);
    const int64_t bytes = bound->strides[i] > 0 ? types[i].bytes * steps : types[i].bytes;
    bound->regions.push_back({begin, begin + bytes, i >= inputs + states});
  }
  using Region = BoundBuffers::Region;
  std::sort(bound->regions.begin(), bound->regions.end(),
            [](const Region& a, const Region& b) { return a.begin < b.begin; });
  const uint8_t *end = nullptr, *written_end = nullptr;
  for (const Region& region : bound->regions) {
    if (region.begin < written_end || (region.is_written && region.begin < end)) return true;
    end = std::max(end, region.end);
    if (region.is_written) written_end = std::max(written_end, region.end);
  }
  return false;
}

// What another thread runs on must neither shrink nor go away.
bool lend(napi_env env, const Intrinsics& intrinsics, const BoundBuffers& bound) {
  for (size_t i = 0; i < bound.memories.size(); ++i) {
    if (intrinsics.is_resizable(env, bound.memories[i])) return refuse(env, i, "of a fixed size", "a resizable one");
  }
  for (const napi_value memory : bound.memories) intrinsics.pin(env, memory);
  return true;
}

}  // namespace

// Both are in order, and only what is read overlaps within one: so what ends first meets no other that it conflicts
// with.
bool have_conflict(const std::vector<BoundBuffers::Region>& a, const std::vector<BoundBuffers::Region>& b) {
  for (auto i = a.begin(), j = b.begin(); i != a.end() && j != b.end();) {
    const bool do_overlap = i->begin < j->end && j->begin < i->end;
    if (do_overlap && (i->is_written || j->is_written)) return true;
    ++(i->end < j->end ? i : j);
  }
  return false;
}

bool bind_buffers(napi_env env, Environment& environment, const Executable& executable, napi_value list, RunMode mode,
                  int64_t steps) {
  BoundBuffers& bound = environment.bound;
  const auto& types = executable.buffers();
  if (!collect_items(env, types.size(), list, &bound.items)) return false;
  bound.memories.resize(types.size());
  bound.pointers.resize(types.size());
  bound.strides.resize(types.size());
  const size_t inputs = executable.input_count(), first_result = inputs + 2 * executable.state_count();
  for (size_t i = 0; i < types.size(); ++i) {
    const Extent extent = {types[i].bytes, i < first_result, i < inputs || i >= first_result};
    if (!bind_item(env, &bound, i, types[i].dtype, extent, steps)) return false;
  }
  if (has_overlap(executable, steps, &bound)) {
    return throw_type_error(env, "run: expected written buffers that overlap no other, got two that share memory");
  }
  return mode == RunMode::k_sync || lend(env, environment.intrinsics, bound);
}

}  // namespace galvani
