#pragma once

namespace galvani::test {

// Runs the recorded cases of a file on every instruction set with 1 and 2 threads; gives the exit code.
int replay(const char* path);

}  // namespace galvani::test
