// SPDX-License-Identifier: MIT
//
// A bundle: many images bound to addresses, in one file, with hardly anything left to do for a load;
// docs/bundle.md is the same in prose. Little-endian.
//
//   file:    code                                       | L             | W                         | H
//            header | tables | thunks | R0 X0 R1 X1 ... | ... L0 L1 ... | ... slots W0 W1 ... types | H0 H1 ...
//   memory:  base                                         base + 1 GiB    base + 1.5 GiB              base + 2 GiB
//
// Each block is one mapping. The images lie in them as in a region (mapper/mapper.h), so addresses of an image as
// linked, plus the base, plus the image's offset, are addresses in memory. What a load reads stands at the beginning, in
// the order in which it is read, so that a cold start reads one piece. Blocks of at least 2 MiB begin at multiples of
// that in the file as in memory: the kernel then maps them in large pieces. Smaller ones follow each other page by page.
//
// What one region cannot hold lies in further ones. Each has four such blocks, behind those of the region before it in
// the file, without header, thunks, tables, slots and types, and begins BUNDLE_STRIDE behind it in memory. Offsets of
// images and of heaps count from the first region, so an address is the same sum in all of them.
#ifndef FORMAT_BUNDLE_H
#define FORMAT_BUNDLE_H

#include "format/layout.h"

#define BUNDLE_MAGIC   "pkgimg-b"
#define BUNDLE_VERSION 3u
#define BUNDLE_ALIGN   0x200000u

enum bundle_block { BLOCK_CODE, BLOCK_L, BLOCK_W, BLOCK_H, BLOCK_COUNT };

/// Where each begins, from the base of its region.
static const uint64_t bundle_starts[BLOCK_COUNT] = {0, FORMAT_L_START, FORMAT_W_START, FORMAT_H_START};

/// The most regions of a bundle, and the distance from one to the next.
#define BUNDLE_REGIONS 8u
#define BUNDLE_STRIDE  0x1000000000ull
#define BUNDLE_BLOCKS  (BUNDLE_REGIONS * BLOCK_COUNT)

/// Where a block begins, from the base of the bundle.
static inline uint64_t bundle_start(unsigned block)
{
  return block / BLOCK_COUNT * BUNDLE_STRIDE + bundle_starts[block % BLOCK_COUNT];
}

struct bundle_block_at {
  uint64_t file_offset;  ///< bundle_block_offset of the end of the block before
  uint64_t size;         ///< bytes: multiple of a page, 0 if there is none
};

/// Where a block of `size` bytes begins in the file, behind one that ends at `end`.
static inline uint64_t bundle_block_offset(uint64_t end, uint64_t size)
{
  uint64_t step = size >= BUNDLE_ALIGN ? BUNDLE_ALIGN : FORMAT_PAGE;
  return (end + step - 1) / step * step;
}

/// An array in the code block: bytes from its start.
struct bundle_table {
  uint64_t offset;
  uint64_t count;
};

/// When the addresses are drawn.
enum bundle_aslr { BUNDLE_ASLR_BUNDLE, BUNDLE_ASLR_BOOT, BUNDLE_ASLR_PROCESS, BUNDLE_ASLR_COUNT };

/// The first bytes of the file, at most FORMAT_HEAD of them.
struct bundle_header {
  char magic[8];
  uint32_t version;
  uint32_t machine;     ///< e_machine
  uint64_t hash;        ///< XXH3-64 of the header behind this member
  uint8_t build_id[16];  ///< XXH3-128 of the file with zeros here and in `hash`
  uint64_t base;        ///< multiple of BUNDLE_ALIGN
  struct bundle_block_at blocks[BUNDLE_BLOCKS];  ///< by region
  uint64_t features[FORMAT_FEATURE_WORDS];  ///< that the chosen bodies need
  uint32_t page_size;
  uint32_t aslr;           ///< enum bundle_aslr
  uint8_t boot[16];        ///< the boot that it was bound in, if its addresses are for one boot
  uint32_t main_image;     ///< what loading the bundle itself means
  uint32_t regions;        ///< how many, at least 1
  struct bundle_table strings;    ///< bytes, each string ends with a NUL; the first is empty
  struct bundle_table images;     ///< struct bundle_image, dependencies first
  struct bundle_table order;      ///< uint32_t: their numbers in the order of their offsets
  struct bundle_table names;      ///< uint32_t: hash table of images by name; capacity a power of two
  struct bundle_table ids;        ///< the same by build id
  struct bundle_table places;     ///< struct bundle_library: libraries of the host that gates have places in
  struct bundle_table gates;      ///< struct bundle_gate: functions of the host
  struct bundle_table gate_uses;  ///< uint32_t: gates of images, by image
  struct bundle_table imports;    ///< struct bundle_gate: what else is needed of the host
  struct bundle_table residuals;  ///< struct bundle_residual, by image
  struct bundle_table dependencies;  ///< uint32_t: images, by image
  struct bundle_table bodies;        ///< uint32_t: chosen bodies of clones, by image
  struct bundle_table body_symbols;  ///< uint32_t: their indices in .dynsym
  struct bundle_table roots;         ///< struct disk_root, by image, each image's ascending by name
  struct bundle_table libraries;     ///< uint32_t in strings: host libraries that images name, by image
  struct bundle_table unwind;        ///< uint64_t: final addresses of unwind tables, ending with a 0
  struct bundle_table sysimage;      ///< struct bundle_sysimage: the system image among the images, if there is one
  struct bundle_table types;         ///< struct bundle_range: the statements of each type of the images
  struct bundle_table statements;    ///< struct bundle_statement, by type
  struct bundle_table type_numbers;  ///< uint32_t: types, by image, in the order of the image
  struct bundle_table type_ids;      ///< uint32_t: hash table of types by id; capacity a power of two
  uint64_t type_chunks;              ///< where in W their objects begin, behind all images; 0: there are none
  uint64_t slots;  ///< where in W the words of the gates begin, and in the code their thunks, from each one's start
};
static_assert(sizeof(struct bundle_header) <= FORMAT_HEAD, "bundle_header");
#define BUNDLE_HASHED 24u
static_assert(offsetof(struct bundle_header, build_id) == BUNDLE_HASHED, "bundle_header.hash");

static inline unsigned bundle_block_count(const struct bundle_header *head)
{
  return head->regions * BLOCK_COUNT;
}

/// Where the slots of images in a region end, from its base.
static inline uint64_t bundle_slots_end(const struct bundle_header *head, uint64_t region)
{
  return head->blocks[region * BLOCK_COUNT + BLOCK_CODE].size;
}

/// No entry of a hash table.
#define BUNDLE_NONE UINT32_MAX

/// What an image of the closure makes a load do.
enum bundle_work {
  BUNDLE_HAS_WORK = 1,          ///< constructors, destructors, thread-local storage, methods or residuals, its own
  BUNDLE_HAS_INIT = 2,          ///< a declared initialisation function, its own
  BUNDLE_CLOSURE_HAS_WORK = 4,  ///< it or something that it needs
  BUNDLE_CLOSURE_HAS_INIT = 8,
  BUNDLE_CLOSURE_HAS_LIBRARIES = 16,  ///< named libraries of the host that not every process has
  BUNDLE_HAS_TYPES = 32,              ///< its own; work where the objects of the bundle cannot be used
  BUNDLE_CLOSURE_HAS_TYPES = 64,
  BUNDLE_HAS_METHODS = 128,
  BUNDLE_ALL_WORK = 255,
  BUNDLE_OF_CLOSURE =
      BUNDLE_CLOSURE_HAS_WORK | BUNDLE_CLOSURE_HAS_INIT | BUNDLE_CLOSURE_HAS_LIBRARIES | BUNDLE_CLOSURE_HAS_TYPES
};

struct bundle_range {
  uint32_t first, count;
};

struct bundle_image {
  uint64_t offset;     ///< of its slot
  uint64_t slot_size;
  uint64_t heap;       ///< offset in H of its heap
  uint32_t name, path; ///< strings; the path is from the folder of the bundle, or absolute
  uint32_t work;       ///< bits of enum bundle_work
  uint32_t flags;      ///< FORMAT_SYSIMAGE, FORMAT_CAPTURED
  struct bundle_range dependencies, residuals, gates, bodies, roots, libraries;
  struct disk_geometry geometry;
  struct disk_region symbols, symbol_strings, symbol_hash, unwind, init_array, fini_array, thread_local;
  uint64_t thread_local_size, thread_local_align;
  uint64_t init_function, handle;
  uint64_t heap_size;
  struct disk_region exits;
  struct bundle_table types;  ///< bytes: the block of format/types.h
  uint64_t first_type;        ///< of its types in type_numbers
};

// ---- types: one object for each that some image states. They are numbered in the order in which the images, in
// their order, state them, so a supertype stands before its subtypes. The words of the images hold the objects'
// addresses.

/// Objects as a process uses them (image/types.h), in chunks.
struct bundle_type {
  uint8_t id[16];
  uint64_t facts;  ///< BUNDLE_TYPE_FACTS + 1 + number of the supertype, or 0 for none
};
static_assert(sizeof(struct bundle_type) == 24, "bundle_type");
#define BUNDLE_TYPE_FACTS  (1ull << 48 | 1ull << 22)
#define BUNDLE_CHUNK_SIZE  32768u
#define BUNDLE_CHUNK_TYPES 1360u
#define BUNDLE_MAX_TYPES   (1u << 20)  ///< with more, no image has its types merged

/// A chunk begins with the address of 32 bytes behind the words of the gates, where a process says whose they are.
struct bundle_type_chunk {
  uint64_t origin;
  struct bundle_type types[BUNDLE_CHUNK_TYPES];
};
static_assert(sizeof(struct bundle_type_chunk) <= BUNDLE_CHUNK_SIZE, "bundle_type_chunk");
#define BUNDLE_ORIGIN_SIZE 32u

/// An image that states a type, and the type's number there.
struct bundle_statement {
  uint32_t image, number;
};

/// Bytes in W of the words that a load fills: those of the gates, and the origin of types.
static inline uint64_t bundle_slots_size(const struct bundle_header *head)
{
  return head->gates.count * sizeof(uint64_t) + (head->types.count ? BUNDLE_ORIGIN_SIZE : 0);
}

/// Where the origin lies, from the base.
static inline uint64_t bundle_origin(const struct bundle_header *head)
{
  return FORMAT_W_START + head->slots + head->gates.count * sizeof(uint64_t);
}

/// Bytes of the chunks of `count` types, at least one.
static inline uint64_t bundle_chunks_size(uint64_t count)
{
  uint64_t whole = (count - 1) / BUNDLE_CHUNK_TYPES, last = count - whole * BUNDLE_CHUNK_TYPES;
  return whole * BUNDLE_CHUNK_SIZE + offsetof(struct bundle_type_chunk, types) + last * sizeof(struct bundle_type);
}

/// The system image, and what it asks of every processor.
struct bundle_sysimage {
  uint32_t image;   ///< its number
  uint32_t target;  ///< string: the name of its first target
  uint64_t features[FORMAT_FEATURE_WORDS];
};
static_assert(sizeof(struct bundle_sysimage) == 40, "bundle_sysimage");

/// A symbol of the host.
struct bundle_gate {
  uint32_t name, version;  ///< strings
  uint32_t hash;           ///< GNU hash of the name
  uint32_t value;          ///< its place, from the base of the library
  uint16_t library;        ///< number + 1 of the library that has it; 0: it is to be looked up
  uint8_t type, weak;
  uint8_t resolver;        ///< of an IFUNC: what it returns is meant
  uint8_t reserved[3];
};
static_assert(sizeof(struct bundle_gate) == 24, "bundle_gate");

/// A library of the host in which symbols have places. In a process that started with another build of it, or in which
/// somebody else defines the symbol too, it is looked up by name.
struct bundle_library {
  uint32_t name;  ///< string: DT_SONAME
  uint32_t size;  ///< of the build id: at most BUNDLE_LIBRARY_ID
  uint8_t build_id[32];
};
static_assert(sizeof(struct bundle_library) == 40, "bundle_library");
#define BUNDLE_LIBRARY_ID 32u

/// A word that only a process can fill. `type` is as in ELF; R_X86_64_64 adds the value of an import.
struct bundle_residual {
  uint64_t address;  ///< from the base
  uint32_t type;
  uint32_t import;   ///< number of an import, BUNDLE_NONE if the image below is meant
  uint32_t image;
  uint32_t reserved;
  int64_t addend;
};
static_assert(sizeof(struct bundle_residual) == 32, "bundle_residual");

/// `jmp *slot(%rip)`, padded.
#define BUNDLE_THUNK_SIZE 8u

#endif
