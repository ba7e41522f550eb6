// Which kernel tables this machine can run, and which one to use.
#pragma once

#include <string>

#include "kernels/kernel_table.h"

namespace galvani {

// Best first; the last one runs everywhere.
const KernelTable* const* supported_kernel_tables(int* count);

// The best table, or the one that `forced_isa` names unless it is null or empty. A name that is unknown, or that this
// machine cannot run, gives null and says so in `error`.
const KernelTable* choose_kernel_table(const char* forced_isa, std::string* error);

}  // namespace galvani
