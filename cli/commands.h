// SPDX-License-Identifier: MIT
//
// The commands of pkgimg. Each takes the arguments from its own name on and returns the exit code
// of the process.
#ifndef CLI_COMMANDS_H
#define CLI_COMMANDS_H

int command_build(int argc, char **argv);
int command_bind(int argc, char **argv);
int command_run(int argc, char **argv);
int command_inspect(int argc, char **argv);
int command_verify(int argc, char **argv);
int command_cpu(int argc, char **argv);

#endif
