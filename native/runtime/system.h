// What the core needs of the operating system and C++ has no word for: system_posix.cc and system_windows.cc.
#pragma once

#if !defined(_WIN32)
#include <pthread.h>
#endif

#include <cstdint>
#include <string>

namespace galvani {

// A thread that may fail to start. std::thread would end the process then, as there are no exceptions here.
class Thread {
 public:
  // Runs body(context) on a new thread, which leaves every signal to Node's own threads. False where there is none.
  bool start(void (*body)(void* context), void* context);
  bool is_running() const { return is_running_; }
  void join();

 private:
#if defined(_WIN32)
  using Handle = void*;
#else
  using Handle = pthread_t;
#endif
  struct Entry;

  void (*body_)(void*) = nullptr;
  void* context_ = nullptr;
  Handle handle_;
  bool is_running_ = false;
};

// The processors that this process may use.
int usable_processors();

// In bytes.
int64_t physical_memory();

// Memory that is not initialised, for free_aligned; null where there is not enough. The alignment is a power of two, of
// which the size is a multiple.
void* allocate_aligned(int64_t bytes, int64_t alignment);
void free_aligned(void* data);

// The system may back this memory by its large pages.
void suggest_huge_pages(void* data, int64_t bytes);

// A variable of the environment as it is now; empty where it is not set.
std::string environment_variable(const char* name);

// Has `body` called in each child of a fork, where only the thread that called fork goes on.
void in_forked_child(void (*body)());

// The library that holds this code is never unloaded.
void stay_loaded();

}  // namespace galvani
