// SPDX-License-Identifier: MIT
//
// The peer: a host of LLVM's just-in-time compiler (ORC, LLJIT) that compiles nothing, because all objects are in
// its cache on disk. The path is that of the root's object; its folder is the cache. LLJIT links with JITLink
// here, all that an entry reaches when it is looked up. `how` is unused.
#include "bench/child.h"

#include <llvm-c/Core.h>
#include <llvm-c/LLJIT.h>
#include <llvm-c/Target.h>

#include <dirent.h>
#include <err.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

static LLVMOrcLLJITRef jit;

static void check(LLVMErrorRef error, const char *what)
{
  if (error)
    errx(1, "%s: %s", what, LLVMGetErrorMessage(error));
}

static void prepare(void)
{
  if (LLVMInitializeNativeTarget() || LLVMInitializeNativeAsmPrinter())
    errx(1, "LLVM does not know this machine");
}

static void add_object(const char *path)
{
  LLVMMemoryBufferRef object;
  char *message;
  if (LLVMCreateMemoryBufferWithContentsOfFile(path, &object, &message))
    errx(1, "%s: %s", path, message);
  check(LLVMOrcLLJITAddObjectFile(jit, LLVMOrcLLJITGetMainJITDylib(jit), object), path);
}

static bool is_object(const char *name)
{
  size_t length = strlen(name);
  return length > 2 && !strcmp(name + length - 2, ".o");
}

// Symbols of the process, as those of libc, are found without further words: LLJIT's default.
static void load(const char *how, const char *path)
{
  (void)how;
  char folder[4096], object[sizeof folder + 256];
  snprintf(folder, sizeof folder, "%.*s", (int)(strrchr(path, '/') - path), path);
  DIR *entries = opendir(folder);
  if (!entries)
    err(1, "%s", folder);
  check(LLVMOrcCreateLLJIT(&jit, NULL), "LLJIT");
  for (struct dirent *entry; (entry = readdir(entries));) {
    if (!is_object(entry->d_name))
      continue;
    snprintf(object, sizeof object, "%s/%s", folder, entry->d_name);
    add_object(object);
  }
  closedir(entries);
}

static void *symbol(const char *name)
{
  LLVMOrcExecutorAddress address;
  check(LLVMOrcLLJITLookup(jit, &address, name), name);
  return (void *)(uintptr_t)address;
}

int main(int argc, char **argv)
{
  static const struct child_peer peer = {.prepare = prepare, .load = load, .symbol = symbol};
  return child_main(argc, argv, &peer);
}
