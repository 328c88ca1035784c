// SPDX-License-Identifier: MIT
//
// pkgimg-build, the program behind `pkgimg build`: a command line in, one image out.
#include "cli/build_request.h"

#include <pkgimg/pkgimg.h>

#include <stdio.h>
#include <unistd.h>

static const char help[] =
    "usage: pkgimg build [OPTION]... MANIFEST\n"
    "       pkgimg build [OPTION]... FILE...\n"
    "\n"
    "Make a package image from .c, .cc, .cpp, .cxx, .ll and .bc files, from folders of them, or from a\n"
    "manifest (any other single file).\n"
    "\n"
    "  -o, --output=FILE         the result; default: NAME.so, or .o, .bc, .s with --emit\n"
    "  -n, --name=NAME           of the package; default: after FILE, else the single source\n"
    "  -d, --dep=IMAGE           image file, or NAME of one, that the package needs; may be repeated\n"
    "      --dep-path=DIR        look for NAME.so here; may be repeated\n"
    "  -e, --export=GLOB         export only symbols that match; may be repeated\n"
    "  -l, --lib=LIBRARY         host library to resolve symbols in, as libz.so.1; may be repeated\n"
    "      --init=FUNCTION       `void f(void)` to run when the package is initialised\n"
    "      --precompile=FUNCTION `void f(void)` to run now: the image starts with the memory that it leaves\n"
    "      --precompile-limit=S  seconds that one of its runs may take; default 300, 0: any number\n"
    "      --root=VARIABLE       that programs find by name; may be repeated\n"
    "      --compress            store that memory compressed: a smaller file, a slower load\n"
    "      --cflags=FLAGS        for clang: words, quoted as in a shell; may be repeated\n"
    "      --folder=DIR          file names and flags are relative to DIR\n"
    "      --front-end=PROGRAM   clang to use\n"
    "  -O, --optimize=N          0 to 3; default 2\n"
    "  -g, --debug-info[=N]      debug information, 0 to 3; default 0, without N 2\n"
    "      --debug-types=yes|no  with it: state exported functions and their types; default yes\n"
    "      --check-bounds=HOW    auto (default: as the sources ask), yes or no\n"
    "      --inline=yes|no       inline functions; default yes\n"
    "      --cpu-target=TARGETS  processors to have code for, such as \"x86-64;x86-64-v3\"; default:\n"
    "                            PKGIMG_CPU_TARGET, JULIA_CPU_TARGET, x86-64 (see pkgimg cpu)\n"
    "      --sysimage            make a system image, which packages are built against\n"
    "      --emit=WHAT           image (default), obj, bc or asm\n"
    "      --link-in-child       run the linker in a process of its own\n"
    "  -h, --help                show this text\n"
    "      --version             show the version\n"
    "\n"
    "Exit codes: 0 success; 2 usage; 3 file not found; 4 broken dependency; 5 undefined symbol, unsupported\n"
    "content or system image; 6 compiler, linker, manifest or precompile function; 7 system or memory.\n";

static enum exit_code build(const struct build_request *request)
{
  struct pkgimg_error error;
  enum pkgimg_status status;
  if (!build_request_is_manifest(request))
    status = pkgimg_build_files(&request->options, request->files, request->file_count, &error);
  else if (access(request->files[0], F_OK))
    return system_error(request->files[0]);
  else
    status = pkgimg_build_manifest(request->files[0], &request->options, &error);
  if (status)
    print_error(&error);
  return exit_code_of(status);
}

int main(int argc, char **argv)
{
  struct build_request request;
  enum exit_code code = build_request_init(&request, argc, argv);
  if (code == EXIT_FINE && request.help)
    fputs(help, stdout);
  else if (code == EXIT_FINE && request.version)
    puts("pkgimg-build " PKGIMG_VERSION);
  else if (code == EXIT_FINE)
    code = build(&request);
  build_request_deinit(&request);
  return (int)finish_output(code);
}
