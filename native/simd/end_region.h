// The last line of a file with a target region. Clang wants the region closed; GCC instantiates templates at the end
// of the file, with the target in force there, so for GCC it stays open.
#if defined(__clang__)
#pragma clang attribute pop
#endif
