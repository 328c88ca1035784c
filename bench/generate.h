// SPDX-License-Identifier: MIT
//
// Synthetic packages: C sources in the shape of a large service's plugins. The sources depend on the shape alone,
// byte for byte, so that two builds of one shape can be compared. Knows nothing of compilers or images.
//
// Package i depends on package i - lane and on earlier ones chosen by the seed; the last package, the root,
// depends on the ends of all lanes, so its closure is every package. Lanes let a builder compile several at once.
#ifndef BENCH_GENERATE_H
#define BENCH_GENERATE_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

struct shape {
  unsigned packages;
  unsigned functions;     ///< per package; every fifth is static, the others are exported
  unsigned dependencies;  ///< per package, as far as there are enough earlier ones
  unsigned host_imports;  ///< functions of libc per package, at most GENERATE_HOST_IMPORTS
  unsigned tables;        ///< of each kind: own functions, dependencies' functions, mutable hooks, strings
  uint64_t seed;
  bool service;  ///< packages of very different sizes, see portion.c; functions and tables are not used
};

/// What one package of a shape holds.
struct portion {
  unsigned functions;
  unsigned tables;   ///< of own functions, and as many of mutable hooks
  unsigned foreign;  ///< tables of dependencies' functions
  unsigned strings;  ///< tables of strings
  unsigned callers;  ///< one of so many functions calls two of the dependencies'
  unsigned weight;   ///< further lines of arithmetic in each function
};

enum {
  GENERATE_VERSION = 1,         // changes whenever the sources of a shape do
  GENERATE_HOST_IMPORTS = 44,   // functions of libc that are known
  GENERATE_TABLE_ENTRIES = 16,  // pointers in each table
  GENERATE_NAME = 256,          // bytes that hold any symbol
  GENERATE_DEPENDENCIES = 64,   // most dependencies of a package
};

/// NULL, or why no sources can be generated for `shape`.
const char *generate_refuses(const struct shape *shape);

/// "part017": the package's name.
void generate_package_name(unsigned package, char name[GENERATE_NAME]);

/// The symbol of `uint64_t entry(uint64_t)`: it calls the entries of the dependencies, then everything in the
/// package itself, and returns a checksum.
void generate_entry_name(unsigned package, char name[GENERATE_NAME]);

/// The symbol of one function, `uint64_t f(uint64_t, unsigned)`.
void generate_function_name(const struct shape *shape, unsigned package, unsigned function,
                            char name[GENERATE_NAME]);
bool generate_function_exported(unsigned function);

/// Fill `list` with the packages that `package` depends on directly; returns how many.
unsigned generate_dependencies(const struct shape *shape, unsigned package, unsigned list[GENERATE_DEPENDENCIES]);

/// The packages of the shape of a large service: 169 libraries, 195,920 relocations, 63,225 definitions, 56 MiB.
struct shape generate_service(uint64_t seed);

struct portion generate_portion(const struct shape *shape, unsigned package);

/// Write the package's source.
void generate_source(const struct shape *shape, unsigned package, FILE *out);

#endif
