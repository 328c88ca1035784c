// SPDX-License-Identifier: MIT
//
// The bytes of a package image that ELF does not describe; docs/format.md is the same in prose.
// All integers are little-endian, as on every host that we load on. Offsets of tables count from
// the start of struct disk_tables, addresses are as linked (area R begins at 0).
//
//   file:  R | X | L | W | tables | closure | H | sections for debuggers | section headers
//          |   mapped      |        |
//          |               read by a load in one call
#ifndef FORMAT_LAYOUT_H
#define FORMAT_LAYOUT_H

#include <assert.h>
#include <stddef.h>
#include <stdint.h>

#define FORMAT_VERSION 2u
#define FORMAT_PAGE    4096u

/// R: headers, symbols, constants, unwind tables. X: code. L: words that are constant once they
/// are relocated, and the thread-local template. W: data.
enum area { AREA_R, AREA_X, AREA_L, AREA_W, AREA_COUNT };

/// R begins at 0 and X on the page behind it, in memory as in the file, so that one mapping holds
/// both. L and W begin at fixed distances; all lie within 2 GiB, so PC-relative code may reach each
/// from each (System V psABI, small code model).
#define FORMAT_L_START    0x40000000ull
#define FORMAT_W_START    0x60000000ull
#define FORMAT_AREA_LIMIT 0x20000000ull

struct disk_area {
  uint64_t address;
  uint64_t memory_size;
  uint64_t file_offset;
  uint64_t file_size;
};
static_assert(sizeof(struct disk_area) == 32, "disk_area");

/// All that it takes to place an image and to read its tables. A closure repeats it for each
/// dependency, so that a load plans before it has opened them.
struct disk_geometry {
  uint8_t build_id[16];
  struct disk_area areas[AREA_COUNT];
  uint64_t tables_offset;  ///< in the file
  uint64_t tables_size;
};
static_assert(sizeof(struct disk_geometry) == 160, "disk_geometry");

/// The note's descriptor, found by its name and type among the program headers' notes and within
/// the first FORMAT_HEAD bytes of the file.
#define FORMAT_HEAD      1024u
#define FORMAT_NOTE_NAME "pkgimg-note"
#define FORMAT_NOTE_TYPE 0x474d4950u
struct disk_header {
  uint32_t version;
  uint32_t machine;  ///< e_machine, once more
  uint32_t flags;    ///< none is defined yet: 0
  uint32_t area_count;
  struct disk_geometry geometry;
  uint64_t closure_offset;  ///< in the file; right after the tables
  uint64_t closure_size;
};
static_assert(sizeof(struct disk_header) == 192, "disk_header");

struct disk_note {
  uint32_t name_size;
  uint32_t header_size;
  uint32_t type;
  char name[12];
  struct disk_header header;
};
static_assert(sizeof(struct disk_note) == 24 + 192, "disk_note");

/// The GNU build id follows at once: a note header, "GNU", and the same 16 bytes.
#define FORMAT_GNU_NOTE_ID (sizeof(struct disk_note) + 16)

/// An array in the tables.
struct disk_table {
  uint32_t offset;
  uint32_t count;
};

/// An array in one of the areas.
struct disk_region {
  uint64_t address;
  uint64_t count;  ///< elements; bytes where the element is a byte
};

/// H: the heap of the data section, at an address of its own in each process. Addresses of things in it
/// are FORMAT_H_START plus their offset.
#define FORMAT_H_START 0x80000000ull
/// It begins at a multiple of this, as it did when it was captured: the low bits of addresses stay.
#define FORMAT_HEAP_ALIGN 0x200000
enum heap_compression { HEAP_PLAIN, HEAP_ZSTD, HEAP_COMPRESSION_COUNT };
struct disk_heap {
  uint64_t file_offset;  ///< multiple of a page; 0 if there is none
  uint64_t stored_size;  ///< bytes in the file
  uint64_t size;         ///< bytes in memory: a multiple of a page
  uint64_t dirty_pages;  ///< pages with words that a load writes
  uint32_t compression;  ///< enum heap_compression
  uint32_t reserved;
};
static_assert(sizeof(struct disk_heap) == 40, "disk_heap");

#define FORMAT_TABLES_MAGIC "pkgimg-t"

/// Flags of an image. SYSIMAGE: a system image, which others are built against and which needs none.
/// CAPTURED: constructors ran at build time, and W and H hold what they left.
#define FORMAT_SYSIMAGE 1u
#define FORMAT_CAPTURED 2u

/// A bitmap in CRoaring's portable serialisation (RoaringFormatSpec), such as one of sites. The word at a site
/// holds what is to be added to the target's base (an image) or value (a symbol of the host).
struct disk_site_set {
  uint32_t offset;
  uint32_t size;
  uint32_t count;
  uint32_t reserved;
};
static_assert(sizeof(struct disk_site_set) == 16, "disk_site_set");

struct disk_tables {
  char magic[8];
  uint8_t build_id[16];
  uint64_t hash;                      ///< XXH3-64 of the tables behind this member
  uint64_t geometry_hash;             ///< XXH3-64 of struct disk_geometry behind its build id
  uint64_t data_hash;                 ///< XXH3-64 of the file part of W, seeded with XXH3-64 of that of L
  uint32_t name;                      ///< the package, in strings
  uint32_t words;                     ///< 8-byte words in the file part of L, then W: the universe of sites
  uint32_t flags;                     ///< FORMAT_SYSIMAGE, FORMAT_CAPTURED
  uint32_t cpu_target;                ///< the target string that it was built for, in strings; "": plain code
  struct disk_table strings;          ///< bytes; begins with a NUL
  struct disk_table dependencies;     ///< struct disk_dependency
  struct disk_table imports;          ///< struct disk_import
  struct disk_table site_sets;        ///< struct disk_site_set: self, each dependency, host
  struct disk_table site_imports;     ///< uint32_t: for each site of the host set its import
  struct disk_table residuals;        ///< struct disk_residual
  struct disk_table libraries;        ///< uint32_t in strings: host libraries that define its imports
  struct disk_table targets;          ///< struct disk_target; none: one body of each function
  struct disk_table clones;           ///< struct disk_clone, ascending by symbol
  struct disk_table bodies;           ///< uint32_t: addresses of bodies
  struct disk_table clone_sets;       ///< struct disk_site_set: self, each dependency
  struct disk_table site_clones;      ///< uint32_t: for each site of these sets its clone
  struct disk_table captured_sets;    ///< struct disk_captured_set
  struct disk_table captured_details; ///< uint32_t: what sites of these sets refer to
  struct disk_table roots;            ///< struct disk_root, ascending by name
  struct disk_region symbols;         ///< Elf64_Sym, .dynsym in R
  struct disk_region symbol_strings;  ///< bytes, .dynstr in R
  struct disk_region symbol_hash;     ///< bytes, .gnu.hash in R
  struct disk_region unwind;          ///< bytes, .eh_frame in R
  struct disk_region init_array;      ///< 8-byte words in L
  struct disk_region fini_array;
  struct disk_region thread_local;  ///< the template's initialised part in L, bytes
  uint64_t thread_local_size;       ///< of a block, in bytes
  uint64_t thread_local_align;
  uint64_t init_function;  ///< address, 0 if none is declared
  uint64_t handle;         ///< address of __dso_handle: the image's name in __cxa_atexit
  struct disk_heap heap;
  struct disk_region exits;  ///< struct disk_exit in H: what the end of the process is to call
  struct disk_table types;  ///< bytes: the block of format/types.h; none: the package defines no types
  struct disk_site_set accesses;  ///< offsets in X: fields of instructions that read a site of L (format/access.h)
};
static_assert(sizeof(struct disk_tables) == 64 + 15 * 8 + 7 * 16 + 32 + 40 + 16 + 8 + 16, "disk_tables");
#define FORMAT_TABLES_HASHED 32u
static_assert(offsetof(struct disk_tables, geometry_hash) == FORMAT_TABLES_HASHED, "disk_tables.hash");

struct disk_dependency {
  uint32_t name;
  uint32_t reserved;
  uint8_t build_id[16];
};
static_assert(sizeof(struct disk_dependency) == 24, "disk_dependency");

/// A symbol of the host.
struct disk_import {
  uint32_t name;
  uint32_t version;  ///< of the GNU symbol version; 0: any
  uint32_t hash;     ///< GNU hash of the name
  uint8_t type;      ///< STT_
  uint8_t weak;      ///< 1: may stay 0
  uint16_t reserved;
};
static_assert(sizeof(struct disk_import) == 16, "disk_import");

/// The sets in which a site can be: 0 is the image itself, then its dependencies, then the host.
#define FORMAT_SET_SELF 0u

/// A relocation that is not "add one base to one aligned word".
struct disk_residual {
  uint64_t address;
  uint32_t type;    ///< as in ELF
  uint32_t set;     ///< where the symbol is defined
  uint32_t import;  ///< of the host set: which import; else: index in the target's .dynsym, 0 if none
  uint32_t clone;   ///< number of the target's clone whose chosen body is meant, plus 1; 0: none
  int64_t addend;  ///< what is added to the import's value, or to the target's base
};
static_assert(sizeof(struct disk_residual) == 32, "disk_residual");

/// A kind of processor that functions of the image were compiled for. Target 0 is the baseline.
#define FORMAT_MAX_TARGETS 64u
#define FORMAT_FEATURE_WORDS 4
struct disk_target {
  uint32_t name;  ///< as in the target string
  uint32_t reserved;
  uint64_t features[FORMAT_FEATURE_WORDS];  ///< that a processor must have: bits of cpuid/features.def
};
static_assert(sizeof(struct disk_target) == 40, "disk_target");

/// A function with several bodies. A site of a clone set gets the base of the image that the set
/// stands for, and the address of the body that is chosen there.
struct disk_clone {
  uint32_t symbol;  ///< index in .dynsym
  uint32_t first;   ///< of its addresses in the bodies; they follow in the order of targets
  uint64_t bodies;  ///< bit T: target T has one; bit 0 is set
};
static_assert(sizeof(struct disk_clone) == 16, "disk_clone");

/// Sites that capturing found: words of H, and words of L and W that point into a heap or that
/// initialisation changed.
enum captured_universe { CAPTURED_IN_DATA, CAPTURED_IN_HEAP, CAPTURED_UNIVERSE_COUNT };
enum captured_kind {
  CAPTURED_BASE,   ///< add the base of an image
  CAPTURED_HEAP,   ///< add the address of the heap of an image
  CAPTURED_HOST,   ///< add the value of an import; details: which
  CAPTURED_CLONE,  ///< add the base of an image and its chosen body; details: the number of the clone
  CAPTURED_KIND_COUNT
};
struct disk_captured_set {
  uint32_t offset;  ///< of a bitmap as of struct disk_site_set
  uint32_t size;
  uint32_t count;
  uint16_t universe;  ///< enum captured_universe: of word ids
  uint16_t kind;      ///< enum captured_kind
  uint32_t image;     ///< 0: itself, then its dependencies; 0 for the host
  uint32_t first;     ///< of its details
};
static_assert(sizeof(struct disk_captured_set) == 24, "disk_captured_set");

/// An object that programs ask for by name.
struct disk_root {
  uint32_t name;
  uint32_t reserved;
  uint64_t address;
};
static_assert(sizeof(struct disk_root) == 16, "disk_root");

/// A call of __cxa_atexit that initialisation made.
struct disk_exit {
  uint64_t function, argument, handle;
};
static_assert(sizeof(struct disk_exit) == 24, "disk_exit");

#define FORMAT_CLOSURE_MAGIC "pkgimg-c"

/// Every image that this one needs, dependencies first; itself not among them.
struct disk_closure {
  char magic[8];
  uint64_t hash;  ///< XXH3-64 of the closure behind this member
  uint64_t count;
};
static_assert(sizeof(struct disk_closure) == 24, "disk_closure");
#define FORMAT_CLOSURE_HASHED 16u
static_assert(offsetof(struct disk_closure, count) == FORMAT_CLOSURE_HASHED, "disk_closure.hash");

struct disk_closure_entry {
  struct disk_geometry geometry;
  uint32_t name;  ///< in the tables' strings
  uint32_t reserved;
};
static_assert(sizeof(struct disk_closure_entry) == 168, "disk_closure_entry");

#endif
