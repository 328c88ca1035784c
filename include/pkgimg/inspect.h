// SPDX-License-Identifier: MIT
//
// What an image file contains, without loading it. An inspection reads the file once into memory
// and checks it as pkgimg_verify does; everything it returns lives until it is closed. It may be
// used by one thread at a time.
#ifndef PKGIMG_INSPECT_H
#define PKGIMG_INSPECT_H

#include <pkgimg/pkgimg.h>
#include <pkgimg/types.h>

#ifdef __cplusplus
extern "C" {
#endif

struct pkgimg_inspection;

PKGIMG_PUBLIC PKGIMG_MUST_USE enum pkgimg_status pkgimg_inspection_open(const char *path,
                                                                        struct pkgimg_inspection **inspection,
                                                                        struct pkgimg_error *error);
PKGIMG_PUBLIC void pkgimg_inspection_close(struct pkgimg_inspection *inspection);

/// The captured heap as the file holds it.
struct pkgimg_heap {
  uint64_t size;                   ///< bytes in memory; 0: there is none
  uint64_t stored_size;            ///< bytes in the file
  const char *compression;         ///< "none" or "zstd"
  int mapped;                      ///< a load maps the file; else it reads all of it
  uint64_t dirty_pages;            ///< pages of 4 KiB with words that a load writes
  uint64_t objects, object_bytes;  ///< that are kept
  uint64_t unpack_nanoseconds;     ///< what it took just now to unpack it, which each load does; 0: not compressed
};

struct pkgimg_summary {
  const char *name;        ///< the package
  const char *machine;     ///< "x86-64" or "aarch64"
  int sysimage;            ///< it is a system image
  const char *cpu_target;  ///< target string that it was built for, NULL: plain code of its machine
  uint32_t format_version;
  uint8_t build_id[16];
  uint64_t file_size;
  struct pkgimg_area areas[PKGIMG_AREA_COUNT];  ///< addresses as linked
  size_t exports, imports, residuals;
  size_t dependencies;     ///< that the package names, or that its words point into
  size_t closure;          ///< all images that it needs: what pkgimg_inspection_dependency counts
  size_t targets;          ///< processors that it has code for; 0: plain code of its machine
  size_t clones;           ///< functions with several bodies
  size_t site_sets;        ///< dependencies + 2: the image itself, each dependency, the host
  uint64_t words;          ///< 8-byte words in the relocatable areas: the ids of sites
  uint64_t accesses;       ///< instructions that take an address from a word, and need not when they are bound
  uint64_t tables_offset;  ///< of the tables in the file
  uint64_t tables_size;
  uint64_t thread_local_size;  ///< bytes of each thread's block, 0 if none
  size_t constructors, destructors;
  const char *init_function;  ///< NULL if none is declared
  size_t types, methods;      ///< that the package states
  int constructed;            ///< constructors ran when it was built, and do not run again
  struct pkgimg_heap heap;
  size_t captured_sets, roots;
  uint64_t exits;  ///< calls that the constructors want at the end of each process
};

struct pkgimg_export {
  const char *name;
  uint64_t address;  ///< as linked; of a thread-local symbol: offset in its block
  uint64_t size;
  const char *kind;     ///< "function", "object", "thread-local", "ifunc", "other"
  const char *binding;  ///< "global", "weak", "unique"
};

struct pkgimg_import {
  const char *name;
  const char *version;  ///< the GNU version of the host's symbol, NULL if none
  const char *kind;
  int weak;     ///< an undefined weak symbol may stay 0
  size_t uses;  ///< words that need it
};

struct pkgimg_dependency {
  const char *name;
  uint8_t build_id[16];
  int direct;  ///< named by the package itself, not only by a dependency
};

/// One set of sites: the words that point into one place.
struct pkgimg_site_set {
  const char *target;              ///< the image's own name, a dependency's, or "host"
  uint64_t count;                  ///< words
  uint64_t bytes;                  ///< of its bitmap in the file
  uint32_t arrays, bitsets, runs;  ///< containers of each kind
};

/// The same of captured data: words that hold something else than the linker put there.
struct pkgimg_captured_set {
  struct pkgimg_site_set sites;
  const char *place;  ///< "data": the words lie in L and W; "heap": in H
  const char *kind;   ///< "base": they point into areas of the target, "heap": into its heap, "host": to symbols,
                      ///< "clone": to functions with several bodies
};

/// An object that programs find by name.
struct pkgimg_named_root {
  const char *name;
  uint64_t address;    ///< as linked; H begins at its address in the areas
  const char *symbol;  ///< the exported variable that it is or lies in, NULL if none
};

/// A processor that the image has code for. Target 0 is the baseline.
struct pkgimg_target {
  const char *name;      ///< as in the target string
  const char *features;  ///< that it needs, separated by blanks
  const char *missing;   ///< of these, what this machine lacks or PKGIMG_CPU_MASK hides; "" if it can run it
  size_t bodies;         ///< functions with several bodies that have one for it
};

/// A function with several bodies.
struct pkgimg_clone {
  const char *name;
  uint64_t bodies;  ///< bit T: target T has one
  unsigned chosen;  ///< the target whose body this machine would run
};

/// A type that the package states. Other types are named by their numbers in this image.
struct pkgimg_stated_type {
  const char *name;
  uint8_t id[16];
  const char *kind;  ///< "abstract", "struct", "union", "integer", "unsigned", "float", "pointer", "array", ...
  uint64_t size;
  uint32_t align;
  size_t field_count, parameter_count;
  int has_supertype;
  size_t supertype;
};
struct pkgimg_stated_field {
  const char *name;
  uint64_t offset;
  size_t type;
};
struct pkgimg_stated_parameter {
  int is_type;
  uint64_t value;  ///< an integer, or the number of a type
};

/// A method that the package states.
struct pkgimg_stated_method {
  const char *function;
  uint64_t word;  ///< address, as linked, of the word that holds the address of its code
  size_t argument_count;
};

/// A relocation that the bitmaps cannot express.
struct pkgimg_residual {
  uint64_t address;  ///< as linked
  const char *type;  ///< the psABI name
  const char *symbol;
  int64_t addend;
};

PKGIMG_PUBLIC const struct pkgimg_summary *pkgimg_inspection_summary(const struct pkgimg_inspection *inspection);
/// Each of these takes an index below the count in the summary (of dependencies: `closure`).
PKGIMG_PUBLIC struct pkgimg_export pkgimg_inspection_export(const struct pkgimg_inspection *inspection,
                                                            size_t index);
PKGIMG_PUBLIC struct pkgimg_import pkgimg_inspection_import(const struct pkgimg_inspection *inspection,
                                                            size_t index);
PKGIMG_PUBLIC struct pkgimg_dependency pkgimg_inspection_dependency(const struct pkgimg_inspection *inspection,
                                                                    size_t index);
PKGIMG_PUBLIC struct pkgimg_site_set pkgimg_inspection_site_set(const struct pkgimg_inspection *inspection,
                                                                size_t index);
PKGIMG_PUBLIC struct pkgimg_target pkgimg_inspection_target(const struct pkgimg_inspection *inspection,
                                                            size_t index);
PKGIMG_PUBLIC struct pkgimg_clone pkgimg_inspection_clone(const struct pkgimg_inspection *inspection,
                                                          size_t index);
PKGIMG_PUBLIC struct pkgimg_residual pkgimg_inspection_residual(const struct pkgimg_inspection *inspection,
                                                                size_t index);
PKGIMG_PUBLIC struct pkgimg_stated_type pkgimg_inspection_type(const struct pkgimg_inspection *inspection,
                                                               size_t index);
PKGIMG_PUBLIC struct pkgimg_stated_field pkgimg_inspection_type_field(const struct pkgimg_inspection *inspection,
                                                                      size_t type, size_t index);
PKGIMG_PUBLIC struct pkgimg_stated_parameter pkgimg_inspection_type_parameter(
    const struct pkgimg_inspection *inspection, size_t type, size_t index);
PKGIMG_PUBLIC struct pkgimg_stated_method pkgimg_inspection_method(const struct pkgimg_inspection *inspection,
                                                                   size_t index);
/// The number of the type of an argument; SIZE_MAX: any.
PKGIMG_PUBLIC size_t pkgimg_inspection_method_argument(const struct pkgimg_inspection *inspection, size_t method,
                                                       size_t index);
PKGIMG_PUBLIC struct pkgimg_captured_set pkgimg_inspection_captured_set(const struct pkgimg_inspection *inspection,
                                                                        size_t index);
PKGIMG_PUBLIC struct pkgimg_named_root pkgimg_inspection_root(const struct pkgimg_inspection *inspection,
                                                              size_t index);
/// Copy the addresses (as linked, ascending) of up to `capacity` sites of a set, from the
/// `first`-th on; returns how many were copied.
PKGIMG_PUBLIC size_t pkgimg_inspection_sites(const struct pkgimg_inspection *inspection, size_t set,
                                             uint64_t first, uint64_t *addresses, size_t capacity);
/// The same for a captured set.
PKGIMG_PUBLIC size_t pkgimg_inspection_captured_sites(const struct pkgimg_inspection *inspection, size_t set,
                                                      uint64_t first, uint64_t *addresses, size_t capacity);

// ---- bundles

/// Whether the file begins as a bundle does.
PKGIMG_PUBLIC int pkgimg_is_bundle(const char *path);

struct pkgimg_bundle_inspection;

/// The same as above for a bundle.
PKGIMG_PUBLIC PKGIMG_MUST_USE enum pkgimg_status pkgimg_bundle_inspection_open(
    const char *path, struct pkgimg_bundle_inspection **inspection, struct pkgimg_error *error);
PKGIMG_PUBLIC void pkgimg_bundle_inspection_close(struct pkgimg_bundle_inspection *inspection);

#define PKGIMG_BLOCK_COUNT 4  ///< of each region
struct pkgimg_bundle_summary {
  const char *machine;
  const char *features;  ///< that its code needs of a processor, separated by blanks
  uint32_t format_version;
  uint8_t build_id[16];
  uint64_t file_size;
  uint64_t base;
  const char
      *aslr;  ///< when addresses are drawn: "bundle", "boot" (it is valid until the machine restarts), "process"
  size_t regions;  ///< of address space
  size_t images, main_image;
  size_t gates;      ///< functions of the host
  size_t imports;    ///< what else is needed of the host
  size_t residuals;  ///< words that a process fills
  size_t types;      ///< that are ready, each once
  size_t type_statements;  ///< of them by images
};

/// An image of a bundle.
struct pkgimg_bound_image {
  const char *name, *path;  ///< the path from the folder of the bundle, or absolute
  uint8_t build_id[16];
  uint64_t address, size;   ///< of its areas in the blocks
  uint64_t heap_size;
  int has_work;             ///< a load of it, or of a dependent, has something to do for it
  int has_init;             ///< it declares an initialisation function
  size_t dependencies, gates, residuals;
  size_t clones;            ///< functions with several bodies, of which one was chosen
};

PKGIMG_PUBLIC const struct pkgimg_bundle_summary *pkgimg_bundle_inspection_summary(
    const struct pkgimg_bundle_inspection *inspection);
/// Each takes an index below the count in the summary. `uses` of a gate counts images.
PKGIMG_PUBLIC struct pkgimg_bound_image pkgimg_bundle_inspection_image(
    const struct pkgimg_bundle_inspection *inspection, size_t index);
/// "code", "L", "W" and "H" of the first region, of the second, and so on, where they go in memory;
/// PKGIMG_BLOCK_COUNT of each.
PKGIMG_PUBLIC struct pkgimg_area pkgimg_bundle_inspection_block(const struct pkgimg_bundle_inspection *inspection,
                                                                size_t index);
/// The path of the file that an image would be loaded from today, if it is there and holds another build than the
/// one that was bound; NULL if not. Reads the beginning of that file. Valid until the next call.
PKGIMG_PUBLIC const char *pkgimg_bundle_inspection_changed(struct pkgimg_bundle_inspection *inspection,
                                                           size_t index);
PKGIMG_PUBLIC struct pkgimg_import pkgimg_bundle_inspection_gate(const struct pkgimg_bundle_inspection *inspection,
                                                                 size_t index);

#ifdef __cplusplus
}
#endif
#endif
