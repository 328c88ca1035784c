// SPDX-License-Identifier: MIT
//
// Bytes -> checked view. Everything that a load or an inspection takes from a file passes here
// once; afterwards the views may be indexed freely and nothing is checked again.
#ifndef FORMAT_VIEW_H
#define FORMAT_VIEW_H

#include "base/reader.h"
#include "format/layout.h"
#include "format/symbols.h"
#include "format/types.h"

/// The machine that images are loaded on: e_machine, and its name for messages.
#define FORMAT_HOST_MACHINE EM_X86_64
const char *machine_name(unsigned machine);

/// Find and check the header at the start of a file (`reader` holds at least FORMAT_HEAD bytes, or
/// all of a shorter file).
PKGIMG_MUST_USE enum pkgimg_status header_read(const struct reader *reader, struct disk_header *header);

/// Check that areas and tables lie where the format wants them. `reader` only tells the file and
/// takes the error; `place` is the offset of the geometry in that file.
PKGIMG_MUST_USE enum pkgimg_status geometry_check(const struct reader *reader, uint64_t place,
                                                  const struct disk_geometry *geometry);

/// Check that a region, if it is not empty, lies in the file part of `area`. `place` is where it was read.
PKGIMG_MUST_USE enum pkgimg_status region_check(const struct reader *reader, const struct disk_geometry *geometry,
                                                const char *what, uint64_t place, const struct disk_region *region,
                                                enum area area, uint64_t size);

/// The hash of a geometry, as the tables of its image record it.
uint64_t geometry_hash(const struct disk_geometry *geometry);

/// The hash of the file parts of L and W, as the tables record it.
uint64_t data_hash(const struct disk_geometry *geometry, const void *constants, const void *data);

struct tables {
  struct span bytes;
  const struct disk_tables *head;
  const char *strings;
  const struct disk_dependency *dependencies;
  const struct disk_import *imports;
  const struct disk_site_set *site_sets;
  const uint32_t *site_imports;
  const struct disk_residual *residuals;
  const uint32_t *libraries;
  const struct disk_target *targets;
  const struct disk_clone *clones;
  const uint32_t *bodies;
  const struct disk_site_set *clone_sets;
  const uint32_t *site_clones;
  const struct disk_captured_set *captured_sets;
  const uint32_t *captured_details;
  const struct disk_root *roots;
  uint32_t dependency_count, import_count, set_count, residual_count, site_import_count, library_count;
  uint32_t target_count, clone_count, body_count, clone_set_count, site_clone_count;
  uint32_t captured_set_count, captured_detail_count, root_count;
  struct types types;
};

/// The index of the host's set of sites: the last.
static inline uint32_t tables_host_set(const struct tables *tables)
{
  return tables->set_count - 1;
}
static inline struct span set_bytes(const struct tables *tables, const struct disk_site_set *set)
{
  return (struct span){tables->bytes.data + set->offset, set->size};
}
static inline struct span tables_sites(const struct tables *tables, uint32_t set)
{
  return set_bytes(tables, &tables->site_sets[set]);
}

/// The bitmap of a captured set, and how many ids there are in its universe.
static inline struct span captured_bytes(const struct tables *tables, const struct disk_captured_set *set)
{
  return (struct span){tables->bytes.data + set->offset, set->size};
}
static inline uint32_t captured_universe(const struct tables *tables, const struct disk_captured_set *set)
{
  return set->universe == CAPTURED_IN_HEAP ? (uint32_t)(tables->head->heap.size / 8) : tables->head->words;
}
/// Whether the sites of a set each have a detail of their own.
static inline bool captured_has_details(const struct disk_captured_set *set)
{
  return set->kind == CAPTURED_HOST || set->kind == CAPTURED_CLONE;
}

/// The address of a clone's body for a target that it has one for.
static inline uint32_t clone_body(const struct tables *tables, const struct disk_clone *clone, unsigned target)
{
  uint64_t below = clone->bodies & ((1ull << target) - 1);
  return tables->bodies[clone->first + (unsigned)__builtin_popcountll(below)];
}

/// Whether an address, as linked, lies in an area, in H, or at the end of one.
bool address_is_inside(const struct disk_geometry *geometry, uint64_t heap_size, uint64_t address);

/// The clone of a dynamic symbol, NULL if it has one body.
const struct disk_clone *tables_find_clone(const struct tables *tables, uint32_t symbol);

/// Check the tables: hash, build id against the geometry, every table, string, index and address.
/// The bytes (8-byte aligned) must outlive `tables`. Sites themselves are checked as they are
/// walked.
PKGIMG_MUST_USE enum pkgimg_status tables_read(const struct reader *reader, const struct disk_geometry *geometry,
                                               struct tables *tables);

struct closure {
  const struct disk_closure_entry *entries;
  uint32_t count;
};
/// Check the closure of an image whose tables are known: hash, every geometry, every name.
PKGIMG_MUST_USE enum pkgimg_status closure_read(const struct reader *reader, const struct tables *tables,
                                                struct closure *closure);

/// A whole image file in memory.
struct image_file {
  struct reader reader;
  struct disk_header header;
  struct tables tables;
  struct closure closure;
  struct symbols symbols;
  struct reader heap;  ///< H as stored; empty if there is none
};

/// Check all of a file: the views, the ELF side (program headers agree with the areas), every
/// bitmap, every hash, and the build id against the bytes. reader.bytes is the whole file, 8-byte
/// aligned.
PKGIMG_MUST_USE enum pkgimg_status image_file_read(const struct reader *reader, struct image_file *image);

/// The bytes of [address, address + size) in the file; empty if they are not in one area's file
/// part.
struct span image_file_bytes(const struct image_file *image, uint64_t address, uint64_t size);

/// The build id that the bytes of a file should carry: XXH3-128 of the file with zeros where build
/// ids stand (in the note at `note_offset`, in the GNU note behind it, and in the tables).
PKGIMG_MUST_USE enum pkgimg_status image_file_identity(const struct reader *reader, uint64_t note_offset,
                                                       uint64_t tables_offset, uint8_t build_id[16]);

/// The file offset of the format's note, as found by header_read in the same bytes.
PKGIMG_MUST_USE enum pkgimg_status note_find(const struct reader *reader, uint64_t *offset);

/// The address of word `index` of the universe of sites, as linked.
static inline uint64_t site_address(const struct disk_geometry *geometry, uint32_t index)
{
  uint64_t constants = geometry->areas[AREA_L].file_size / 8;
  return index < constants ? FORMAT_L_START + 8ull * index : FORMAT_W_START + 8 * (index - constants);
}

#endif
