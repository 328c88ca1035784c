// SPDX-License-Identifier: MIT
//
// The only C++ of the project: lld has no C interface.
#include "linker/lld.h"

#include <lld/Common/Driver.h>
#include <llvm/ADT/SmallString.h>
#include <llvm/Support/raw_ostream.h>

LLD_HAS_DRIVER(elf)
LLD_HAS_DRIVER(coff)
LLD_HAS_DRIVER(mingw)
LLD_HAS_DRIVER(macho)

struct lld_result lld_run(const char *const *arguments, size_t count,
                          void (*report)(void *context, const char *text, size_t size), void *context)
{
  static const lld::DriverDef drivers[] = {{lld::Gnu, &lld::elf::link},
                                           {lld::WinLink, &lld::coff::link},
                                           {lld::MinGW, &lld::mingw::link},
                                           {lld::Darwin, &lld::macho::link}};
  llvm::SmallString<256> text;
  llvm::raw_svector_ostream stream(text);
  lld::Result result = lld::lldMain({arguments, count}, stream, stream, drivers);
  if (!text.empty())
    report(context, text.data(), text.size());
  return {result.retCode, result.canRunAgain};
}
