// SPDX-License-Identifier: MIT
//
// The walk over a graph: every piece of memory that some pointer's field or a root describes, in the order in
// which it is first come to. The list of pieces is the queue of the walk.
#ifndef SERIALIZER_WALK_H
#define SERIALIZER_WALK_H

#include "base/array.h"
#include "serializer/shape.h"

#include <stdbool.h>

#define PIECE_LIMIT   0x7fffffffu
#define PIECE_OF_ROOT 0x80000000u
#define NO_PIECE      UINT32_MAX

struct piece {
  uint64_t address, size;
  const struct pkgimg_shape *shape;
  uint32_t parent;  ///< the piece with the first pointer to it, or a root's number + PIECE_OF_ROOT
  uint32_t object;  ///< while walking: whether it has pointers; then its number among the objects
};

struct external_range {
  uint64_t start, end;
  uint32_t number;  ///< in the graph
};

struct walk {
  const struct pkgimg_graph *graph;
  const char *package;
  struct pkgimg_error *error;
  struct piece *pieces;
  size_t piece_count, piece_capacity;
  uint32_t *index;  // by address: piece + 1; open addressing
  size_t index_capacity;
  struct external_range *externals;             // ascending
  const struct pkgimg_graph_object **declared;  // ascending by address
  struct shape_set shapes;
  bool explaining;  // the text of an error is being made
};
void walk_deinit(struct walk *walk);

/// Find all pieces.
PKGIMG_MUST_USE enum pkgimg_status walk_graph(struct walk *walk);

/// Call a function for every field of a piece that is a pointer or DATA.
PKGIMG_MUST_USE enum pkgimg_status walk_fields(struct walk *walk, uint32_t piece, shape_visit *visit,
                                               void *context);

/// A word under examination.
struct question {
  struct walk *walk;
  uint32_t piece;  ///< that it is in, or PIECE_OF_ROOT and a root
  const struct shape_place *place;
};

/// The pieces that a word leads to; `leads` tells whether it leads anywhere, be it to an external.
enum { MOST_TARGETS = 3 };
PKGIMG_MUST_USE enum pkgimg_status walk_targets(const struct question *question,
                                                struct piece targets[MOST_TARGETS], unsigned *count, bool *leads);
bool walk_same_piece(const struct piece *a, const struct piece *b);

static inline const char *root_name(const struct pkgimg_graph_root *root)
{
  return root->name ? root->name : root->variable;
}

/// The address in a word; false if it has none, and is to be copied.
bool word_address(const struct shape_place *place, uint64_t *address);

/// The external that an address belongs to, NULL if it is none.
const struct external_range *walk_external(const struct walk *walk, uint64_t address);

/// The first piece that begins at an address, or NO_PIECE.
uint32_t walk_piece_at(const struct walk *walk, uint64_t address);

// ---- path.c

/// Fail: "package: way to the word: value, field, shape: text".
enum pkgimg_status walk_fail(struct walk *walk, uint32_t piece, const struct shape_place *place,
                             const char *format, ...) __attribute__((format(printf, 4, 5), cold));

/// The way from a root to a piece, and on to a word in it (NULL: to the piece itself).
struct walk_path {
  char text[320];
};
struct walk_path walk_path(struct walk *walk, uint32_t piece, const struct shape_place *place);

#endif
