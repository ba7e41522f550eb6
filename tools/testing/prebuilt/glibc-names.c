// What Debian's libstdc++ and libgcc ask of glibc and musl does not have, under the name of glibc's loader, which they ask for:
// so a program for musl that is linked with a libstdc++ runs on Debian. Exceptions are not found their handlers.
#include <stddef.h>
#include <sys/random.h>
#include <time.h>

char __libc_single_threaded = 0;
int __cpu_model[4];
int __cpu_indicator_init(void) { return 0; }
int __cxa_thread_atexit_impl(void (*destroy)(void*), void* object, void* library) { return 0; }
int _dl_find_object(void* address, void* result) { return -1; }
size_t __strftime_l(char* text, size_t size, const char* format, const struct tm* time, void* locale) {
  return strftime(text, size, format, time);
}
unsigned arc4random(void) {
  unsigned bits = 0;
  getrandom(&bits, sizeof bits, 0);
  return bits;
}
