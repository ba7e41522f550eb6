#if !defined(_WIN32)

#include <dlfcn.h>
#include <sched.h>
#include <signal.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cstdlib>

#include "runtime/system.h"

namespace galvani {

// The same for all: glibc gives a new thread as much by default, macOS 512 KiB and musl 128. It is memory once touched.
constexpr size_t kStackBytes = size_t{8} << 20;

struct Thread::Entry {
  static void* run(void* self) {
    const Thread* const thread = static_cast<Thread*>(self);
    thread->body_(thread->context_);
    return nullptr;
  }
};

bool Thread::start(void (*body)(void*), void* context) {
  body_ = body;
  context_ = context;
  pthread_attr_t attributes;
  if (pthread_attr_init(&attributes) != 0) return false;
  pthread_attr_setstacksize(&attributes, kStackBytes);
  sigset_t all, previous;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &previous);
  is_running_ = pthread_create(&handle_, &attributes, Entry::run, this) == 0;
  pthread_sigmask(SIG_SETMASK, &previous, nullptr);
  pthread_attr_destroy(&attributes);
  return is_running_;
}

void Thread::join() {
  if (is_running_) pthread_join(handle_, nullptr);
  is_running_ = false;
}

int usable_processors() {
#if defined(__linux__)
  cpu_set_t allowed;
  if (sched_getaffinity(0, sizeof allowed, &allowed) == 0) return CPU_COUNT(&allowed);
#endif
  return static_cast<int>(sysconf(_SC_NPROCESSORS_ONLN));
}

int64_t physical_memory() { return static_cast<int64_t>(sysconf(_SC_PHYS_PAGES)) * sysconf(_SC_PAGESIZE); }

void* allocate_aligned(int64_t bytes, int64_t alignment) {
  void* data = nullptr;
  return posix_memalign(&data, alignment, bytes) == 0 ? data : nullptr;
}

void free_aligned(void* data) { std::free(data); }

void suggest_huge_pages([[maybe_unused]] void* data, [[maybe_unused]] int64_t bytes) {
#if defined(__linux__)
  madvise(data, bytes, MADV_HUGEPAGE);
#endif
}

std::string environment_variable(const char* name) {
  const char* const value = std::getenv(name);
  return value == nullptr ? "" : value;
}

void in_forked_child(void (*body)()) { pthread_atfork(nullptr, nullptr, body); }

// On Linux the linker was told so (-z nodelete).
void stay_loaded() {
#if defined(__APPLE__)
  Dl_info library;
  if (dladdr(reinterpret_cast<const void*>(&stay_loaded), &library) != 0) {
    dlopen(library.dli_fname, RTLD_LAZY | RTLD_NODELETE);
  }
#endif
}

}  // namespace galvani

#endif
