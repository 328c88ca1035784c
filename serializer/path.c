// SPDX-License-Identifier: MIT
//
// The way to a word, for messages: from the pieces' parents, and by looking once more for the words that led on.
#include "serializer/walk.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static void append(struct walk_path *path, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void append(struct walk_path *path, const char *format, ...)
{
  size_t length = strlen(path->text);
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(path->text + length, sizeof path->text - length, format, arguments);
  va_end(arguments);
}

static void append_field(struct walk_path *path, const struct pkgimg_field *field, uint64_t index,
                         const char *before)
{
  bool named = field->name && *field->name;
  append(path, "%s%s", named ? before : "", named ? field->name : "");
  if (field->repeat > 1 || field->kind == PKGIMG_FIELD_FLEXIBLE)
    append(path, "[%llu]", (unsigned long long)index);
}

// " -> a.b[2].c", or "[3].a" in the fourth of several objects.
static void append_place(struct walk_path *path, const struct piece *piece, const struct shape_place *place)
{
  const char *before = " -> ";
  if (!shape_flexible(piece->shape) && piece->size > piece->shape->size) {
    append(path, "[%llu]", (unsigned long long)place->element);
    before = ".";
  }
  for (unsigned i = 0; i < place->depth; i++, before = ".")
    append_field(path, place->steps[i].field, place->steps[i].index, before);
  append_field(path, place->field, place->index, before);
}

/// The first word of a piece that leads to another.
struct search {
  struct walk *walk;
  uint32_t piece, child;
  struct walk_path *path;
};

static enum pkgimg_status look_for_child(void *context, const struct shape_place *place)
{
  const struct search *search = context;
  struct walk *walk = search->walk;
  struct piece targets[MOST_TARGETS];
  unsigned count;
  bool leads;
  TRY(walk_targets(&(struct question){walk, search->piece, place}, targets, &count, &leads));
  for (unsigned i = 0; i < count; i++)
    if (walk_same_piece(&targets[i], &walk->pieces[search->child])) {
      append_place(search->path, &walk->pieces[search->piece], place);
      return PKGIMG_BUSY;  // found
    }
  return PKGIMG_OK;
}

static uint32_t ancestor(const struct walk *walk, uint32_t piece, size_t up)
{
  for (; up > 0; up--)
    piece = walk->pieces[piece].parent;
  return piece;
}

static void append_step(struct walk *walk, struct walk_path *path, uint32_t child)
{
  uint32_t parent = walk->pieces[child].parent;
  struct search search = {.walk = walk, .piece = parent, .child = child, .path = path};
  if (walk_fields(walk, parent, look_for_child, &search) != PKGIMG_BUSY)
    append(path, " -> ?");
}

static void append_way(struct walk *walk, struct walk_path *path, uint32_t piece)
{
  enum { FIRST = 3, LAST = 5 };
  size_t depth = 0;
  uint32_t top = piece;
  for (; !(walk->pieces[top].parent & PIECE_OF_ROOT); top = walk->pieces[top].parent)
    depth++;
  append(path, "roots.%s", root_name(&walk->graph->roots[walk->pieces[top].parent & ~PIECE_OF_ROOT]));
  for (size_t step = depth; step > 0; step--) {
    if (step == depth - FIRST && step > LAST) {
      append(path, " -> ... (%zu more)", step - LAST);
      step = LAST;
    }
    append_step(walk, path, ancestor(walk, piece, step - 1));
  }
}

struct walk_path walk_path(struct walk *walk, uint32_t piece, const struct shape_place *place)
{
  struct walk_path path = {""};
  struct pkgimg_error *error = walk->error;
  if (piece & PIECE_OF_ROOT) {
    append(&path, "roots.%s", root_name(&walk->graph->roots[piece & ~PIECE_OF_ROOT]));
    return path;
  }
  walk->explaining = true;
  walk->error = NULL;
  append_way(walk, &path, piece);
  walk->explaining = false;
  walk->error = error;
  if (place)
    append_place(&path, &walk->pieces[piece], place);
  return path;
}

// ---- failures

static const char *kind_name(const struct pkgimg_field *field)
{
  static const char *const names[PKGIMG_FIELD_KIND_COUNT] = {
      "data",   "pointer", "reference", "string", "pointer to bytes", "pointer to a function",
      "struct", "array",   "null"};
  return names[field->kind];
}

static unsigned long long word_of(const struct shape_place *place)
{
  uint64_t word;
  memcpy(&word, place->word, sizeof word);
  return word;
}

enum pkgimg_status walk_fail(struct walk *walk, uint32_t piece, const struct shape_place *place,
                             const char *format, ...)
{
  char text[256], word[160] = "";
  if (walk->explaining)
    return PKGIMG_CAPTURE;
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(text, sizeof text, format, arguments);
  va_end(arguments);
  struct walk_path path = walk_path(walk, piece, place);
  if (place && place->field->shape)
    snprintf(word, sizeof word, " (word 0x%llx, %s to %s in %s)", word_of(place), kind_name(place->field),
             shape_name(place->field->shape), shape_name(walk->pieces[piece].shape));
  else if (place)
    snprintf(word, sizeof word, " (word 0x%llx, %s in %s)", word_of(place), kind_name(place->field),
             shape_name(walk->pieces[piece].shape));
  return fail_name(walk->error, PKGIMG_CAPTURE, walk->package, path.text, "%s%s", text, word);
}
