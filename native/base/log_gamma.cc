#include "base/log_gamma.h"

#if defined(__APPLE__) && !defined(_REENTRANT)
#define _REENTRANT  // for math.h, which keeps lgamma_r to itself otherwise
#endif
#include <math.h>

namespace galvani {

// POSIX's lgamma writes the sign to a variable of the process; Windows has none and no lgamma_r either.
double log_gamma(double x) {
#if defined(_WIN32)
  return lgamma(x);
#else
  int sign;
  return lgamma_r(x, &sign);
#endif
}

}  // namespace galvani
