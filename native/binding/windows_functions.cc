// Windows: Node-API's functions, looked up by name in the program that loads the addon. An import library would bind
// the addon to the file name node.exe, which Electron and single executables do not have. Compilers of Microsoft's ABI
// get the same from the hook that node-gyp links (win_delay_load_hook).
#if defined(__MINGW32__)

#define WIN32_LEAN_AND_MEAN
#include <windows.h>

#include <cstdio>
#include <cstdlib>

namespace {

[[noreturn]] void refuse() {
  std::fputs("galvani: this program lacks a function of Node-API 8\n", stderr);
  std::abort();
}

void* const kMissing = reinterpret_cast<void*>(&refuse);

}  // namespace

// Where calls of imported functions go. The list is all of Node-API 8, made out of node-api-headers by the build.
extern "C" {
#define GALVANI_FUNCTION(name) void* __imp_##name = kMissing;
#include "node_api_functions.inc"
#undef GALVANI_FUNCTION
}

namespace {

// As node-gyp's hook does: a Node that is a library comes first.
void* find(const char* name) {
  HMODULE library = GetModuleHandleW(L"libnode.dll");
  if (library == nullptr) library = GetModuleHandleW(nullptr);
  const FARPROC function = GetProcAddress(library, name);
  return function == nullptr ? kMissing : reinterpret_cast<void*>(function);
}

struct FoundFunctions {
  FoundFunctions() {
#define GALVANI_FUNCTION(name) __imp_##name = find(#name);
#include "node_api_functions.inc"
#undef GALVANI_FUNCTION
  }
} found_functions;

}  // namespace

#endif
