#if defined(_WIN32)

#define WIN32_LEAN_AND_MEAN
#include <malloc.h>
#include <process.h>
#include <windows.h>

#include "runtime/system.h"

namespace galvani {

// As on other systems, whatever the program that loaded the addon has as its default. It is memory once touched.
constexpr unsigned kStackBytes = 8u << 20;

struct Thread::Entry {
  static unsigned __stdcall run(void* self) {
    const Thread* const thread = static_cast<Thread*>(self);
    thread->body_(thread->context_);
    return 0;
  }
};

bool Thread::start(void (*body)(void*), void* context) {
  body_ = body;
  context_ = context;
  handle_ = reinterpret_cast<HANDLE>(
      _beginthreadex(nullptr, kStackBytes, Entry::run, this, STACK_SIZE_PARAM_IS_A_RESERVATION, nullptr));
  is_running_ = handle_ != nullptr;
  return is_running_;
}

void Thread::join() {
  if (is_running_) {
    WaitForSingleObject(handle_, INFINITE);
    CloseHandle(handle_);
  }
  is_running_ = false;
}

// Those of one group, which are 64 at most.
int usable_processors() {
  DWORD_PTR of_process = 0, of_system = 0;
  if (!GetProcessAffinityMask(GetCurrentProcess(), &of_process, &of_system)) return 1;
  return __builtin_popcountll(of_process);
}

int64_t physical_memory() {
  MEMORYSTATUSEX status;
  status.dwLength = sizeof status;
  return GlobalMemoryStatusEx(&status) ? static_cast<int64_t>(status.ullTotalPhys) : 0;
}

void* allocate_aligned(int64_t bytes, int64_t alignment) { return _aligned_malloc(bytes, alignment); }

void free_aligned(void* data) { _aligned_free(data); }

void suggest_huge_pages(void*, int64_t) {}

// What process.env holds. The C library's own copy is as old as that library in the process.
std::string environment_variable(const char* name) {
  std::string value(GetEnvironmentVariableA(name, nullptr, 0), '\0');
  value.resize(GetEnvironmentVariableA(name, value.data(), static_cast<DWORD>(value.size())));
  return value;
}

void in_forked_child(void (*)()) {}

void stay_loaded() {
  HMODULE library;
  GetModuleHandleExW(GET_MODULE_HANDLE_EX_FLAG_FROM_ADDRESS | GET_MODULE_HANDLE_EX_FLAG_PIN,
                     reinterpret_cast<LPCWSTR>(&stay_loaded), &library);
}

}  // namespace galvani

#endif
