// SPDX-License-Identifier: MIT
//
// pkgimg: finds the command in the table and hands the rest of the line over to it.
#include "cli/commands.h"
#include "cli/failure.h"

#include <pkgimg/pkgimg.h>

#include <stdio.h>
#include <string.h>

struct command {
  const char *name;
  int (*call)(int argc, char **argv);
  const char *summary;
};

static int command_help(int argc, char **argv);

static const struct command commands[] = {
    {"build", command_build, "make an image from sources, LLVM IR or a manifest"},
    {"bind", command_bind, "bind images to addresses, in one bundle that loads at once"},
    {"run", command_run, "load an image or a bundle and call its entry"},
    {"inspect", command_inspect, "show what an image or a bundle contains, without loading it"},
    {"verify", command_verify, "check every byte of images and bundles"},
    {"cpu", command_cpu, "show this processor, or what a target string asks for"},
    {"help", command_help, "show the help of a command"},
};
enum { COMMAND_COUNT = sizeof commands / sizeof *commands };

static void print_help(FILE *file)
{
  fputs("usage: pkgimg COMMAND [OPTION]... [ARGUMENT]...\n"
        "\n"
        "Package images: native code and data in one ELF shared object, mapped without dlopen.\n"
        "\n",
        file);
  for (int i = 0; i < COMMAND_COUNT; i++)
    fprintf(file, "  %-9s %s\n", commands[i].name, commands[i].summary);
  fputs("\n"
        "  -h, --help     show this text; after a command, its options\n"
        "      --version  show the version\n"
        "\n"
        "Exit codes: 0 success; 1 verify found a bad file, or another failure; 2 usage; 3 file not\n"
        "found; 4 broken image; 5 undefined symbol, dependency cycle or unsupported content; 6 compiler,\n"
        "linker, manifest or capture; 7 system or memory. `run` returns the entry's result, or 125 failure before\n"
        "it, 126 image cannot be executed, 127 not found.\n",
        file);
}

static const struct command *find_command(const char *name)
{
  for (int i = 0; i < COMMAND_COUNT; i++)
    if (strcmp(commands[i].name, name) == 0)
      return &commands[i];
  usage_error("unknown command %s; see pkgimg --help", name);
  return NULL;
}

static int command_help(int argc, char **argv)
{
  if (argc > 1 && strcmp(argv[1], "help") != 0 && argv[1][0] != '-') {
    const struct command *command = find_command(argv[1]);
    char help[] = "--help";
    char *arguments[] = {argv[1], help, NULL};
    return command ? command->call(2, arguments) : EXIT_USAGE;
  }
  print_help(stdout);
  return EXIT_FINE;
}

static int dispatch(int argc, char **argv)
{
  if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0)
    return command_help(1, argv + 1);
  if (strcmp(argv[1], "--version") == 0) {
    puts("pkgimg " PKGIMG_VERSION);
    return EXIT_FINE;
  }
  if (argv[1][0] == '-')
    return usage_error("unknown option %s; see pkgimg --help", argv[1]);
  const struct command *command = find_command(argv[1]);
  return command ? command->call(argc - 1, argv + 1) : EXIT_USAGE;
}

int main(int argc, char **argv)
{
  if (argc < 2) {
    print_help(stderr);
    return EXIT_USAGE;
  }
  return (int)finish_output((enum exit_code)dispatch(argc, argv));
}
