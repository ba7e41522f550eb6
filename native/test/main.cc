// Runs every test whose name contains the argument (all of them without one), or with --replay FILE recorded cases.
#include <cstdio>
#include <cstring>

#include "test/replay.h"
#include "test/test.h"

namespace galvani::test {
namespace {

const Test* first_test = nullptr;
const Test** last_link = &first_test;
int failures_of_this_test = 0;

}  // namespace

Test::Test(const char* name, void (*body)()) : name(name), body(body), next(nullptr) {
  *last_link = this;
  last_link = &next;
}

void fail(const char* file, int line, const std::string& message) {
  constexpr int kMostPrinted = 20;
  if (++failures_of_this_test <= kMostPrinted) std::printf("  %s:%d: %s\n", file, line, message.c_str());
}

int run_tests(const char* filter) {
  int passed = 0, failed = 0;
  for (const Test* test = first_test; test != nullptr; test = test->next) {
    if (filter != nullptr && std::strstr(test->name, filter) == nullptr) continue;
    failures_of_this_test = 0;
    test->body();
    if (failures_of_this_test > 0) std::printf("FAILED %s (%d)\n", test->name, failures_of_this_test);
    failures_of_this_test == 0 ? ++passed : ++failed;
  }
  std::printf("%d passed, %d failed\n", passed, failed);
  return failed == 0 && passed > 0 ? 0 : 1;
}

}  // namespace galvani::test

int main(int count, char** arguments) {
  using namespace galvani::test;
  if (count == 3 && std::strcmp(arguments[1], "--replay") == 0) return replay(arguments[2]);
  return run_tests(count > 1 ? arguments[1] : nullptr);
}
