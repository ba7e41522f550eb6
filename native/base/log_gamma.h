// The C library's logarithm of the gamma function, as a function that threads may call at the same time.
#pragma once

namespace galvani {

double log_gamma(double x);

}  // namespace galvani
