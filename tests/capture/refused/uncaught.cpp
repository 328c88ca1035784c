// SPDX-License-Identifier: MIT
// expect: ended with signal 6 (Aborted)
// expect: nobody catches this
#include <stdexcept>

extern "C" void precompile()
{
  throw std::runtime_error("nobody catches this");
}
