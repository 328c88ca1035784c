// SPDX-License-Identifier: MIT
//
// A load as a whole: of an image or of a bundle; tried again elsewhere, from other files, or undone.
#include "base/clock.h"
#include "image/bundle_files.h"
#include "image/session.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>

static void undo(struct session *session)
{
  while (session->fresh) {
    struct pkgimg_image *image = session->runtime->last;
    bool last = image == session->fresh;
    for (uint32_t i = 0; i < image->dependency_count; i++)
      image->dependencies[i]->dependents--;
    image_destroy(image);
    if (last)
      session->fresh = NULL;
  }
  if (session->fresh_bundle)
    bundle_undo(session->runtime, session->fresh_bundle);
}

static bool may_fall_back(enum pkgimg_status status)
{
  return status == PKGIMG_BUSY || status == PKGIMG_WRONG_MACHINE || status == PKGIMG_MISMATCH;
}

static enum pkgimg_status load_otherwise(struct session *session, const struct bundle_header *head,
                                         struct pkgimg_image **image);

// A bundle is bound to addresses and to a kind of host. Where these are not to be had its images are
// loaded from their own files.
static enum pkgimg_status run_bundle(struct session *session, struct pkgimg_image **image)
{
  struct bundle_header head;
  struct bundle *bundle;
  TRY(bundle_header(session, &head));
  if (session->runtime->flags & PKGIMG_RUNTIME_VERIFY)
    TRY(bundle_verify(session));
  enum pkgimg_status status = bundle_open(session, &head, &bundle);
  if (status == PKGIMG_OK)
    status = bundle_check_main(session, bundle);
  if (status == PKGIMG_OK)
    status = bundle_take(session, bundle, head.main_image, image);
  return may_fall_back(status) ? load_otherwise(session, &head, image) : status;
}

static enum pkgimg_status run(struct session *session, struct pkgimg_image **image)
{
  TRY(open_root(session));
  if (session->is_bundle) {
    TRY(run_bundle(session, image));
  } else {
    TRY(image_find(session, session->header.geometry.build_id, image));
    if (*image)
      TRY(methods_enter(*image, session->error));
    else
      TRY(load_closure(session));
    if (!*image)
      *image = session->runtime->last;
  }
  (*image)->users++;
  return PKGIMG_OK;
}

static void session_deinit(struct session *session)
{
  struct map_counts *counts = &session->runtime->counts;
  for (struct region *region = session->regions, *next; region; region = next) {
    next = region->next;
    region_drop(region);
  }
  image_close(&session->root, counts);
  image_close(&session->record, counts);
  if (session->folder != AT_FDCWD)
    folder_close(session->folder, counts);
  for (size_t i = 0; i < session->plan_count; i++) {
    image_close(&(struct image_handle){.fd = session->plan[i].fd}, counts);
    free(session->plan[i].path);
  }
  free(session->plan);
  free(session->record_path);
  free(session->deferred);
  buffer_deinit(&session->root_tables);
}

/// What is to be loaded, and how.
struct asked {
  const char *path;
  const struct bundle_files *origin;
  bool search;
};

/// What came of it, besides the status.
struct outcome {
  struct pkgimg_image *fresh;
  bool opened;  ///< there is such a file
  bool fell_back;
};

static enum pkgimg_status attempt(struct pkgimg_runtime *runtime, const struct asked *asked,
                                  struct pkgimg_image **image, struct outcome *outcome, struct pkgimg_error *error)
{
  struct session session = {.runtime = runtime,
                            .path = asked->path,
                            .error = error,
                            .search = asked->search,
                            .origin = asked->origin,
                            .scratch = &runtime->scratch,
                            .phase_start = clock_now(),
                            .root = {.fd = -1},
                            .record = {.fd = -1},
                            .folder = AT_FDCWD};
  enum pkgimg_status status = run(&session, image);
  if (status != PKGIMG_OK)
    undo(&session);
  *outcome = (struct outcome){session.fresh, session.root.fd >= 0, session.fell_back};
  session_deinit(&session);
  return status;
}

// Another place may be free where the first was not. Who fell back has tried that already.
static enum pkgimg_status load_file(struct pkgimg_runtime *runtime, struct asked asked,
                                    struct pkgimg_image **image, struct outcome *outcome,
                                    struct pkgimg_error *error)
{
  enum { ATTEMPTS = 8 };
  enum pkgimg_status status = attempt(runtime, &asked, image, outcome, error);
  asked.search = true;
  for (int i = 1; i < ATTEMPTS && status == PKGIMG_BUSY && !outcome->fell_back; i++)
    status = attempt(runtime, &asked, image, outcome, error);
  return status;
}

static enum pkgimg_status load_files(struct session *session, const struct bundle_files *files,
                                     struct pkgimg_image **image, bool *opened)
{
  struct bundle_view view = {&files->head, files->code};
  struct outcome outcome = {0};
  enum pkgimg_status status = PKGIMG_NOT_FOUND;
  for (unsigned i = 0; status == PKGIMG_NOT_FOUND && !outcome.opened; i++) {
    char *path AUTO(free_pointer) = bundle_file_path(files->path, view, files->head.main_image, i);
    if (!path)
      break;
    status = load_file(session->runtime, (struct asked){.path = path, .origin = files}, image, &outcome,
                       session->error);
  }
  session->fresh = outcome.fresh;
  *opened = outcome.opened;
  return status;
}

// The refusal is kept for statistics; if the images are not there, it is the error.
static enum pkgimg_status load_otherwise(struct session *session, const struct bundle_header *head,
                                         struct pkgimg_image **image)
{
  struct pkgimg_runtime *runtime = session->runtime;
  struct pkgimg_error refusal = {0};
  struct bundle_files files;
  bool opened = false;
  enum pkgimg_status status = PKGIMG_NOT_FOUND;
  if (session->error)
    refusal = *session->error;
  session->fell_back = true;
  runtime->stats.bundles_refused++;
  snprintf(runtime->stats.refusal, sizeof runtime->stats.refusal, "%.255s", refusal.text);
  if (bundle_files_open(session, head, &files)) {
    status = load_files(session, &files, image, &opened);
    bundle_files_close(&files);
  }
  if (status == PKGIMG_OK)
    (*image)->users--;  // the caller counts itself
  if (status == PKGIMG_NOT_FOUND && !opened && session->error) {
    *session->error = refusal;
    status = refusal.status;
  }
  return status;
}

enum pkgimg_status load_image(struct pkgimg_runtime *runtime, const char *path, struct pkgimg_image **image,
                              struct pkgimg_image **fresh, struct pkgimg_error *error)
{
  struct outcome outcome;
  enum pkgimg_status status = load_file(runtime, (struct asked){.path = path}, image, &outcome, error);
  *fresh = outcome.fresh;
  return status;
}
