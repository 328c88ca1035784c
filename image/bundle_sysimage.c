// SPDX-License-Identifier: MIT
//
// The system image of a bundle, for images outside of it that depend on one inside.
#include "image/bundle_parts.h"

#include <stdlib.h>
#include <string.h>

static enum pkgimg_status take(struct session *session, struct bundle *bundle,
                               const struct bundle_sysimage *stored, struct pkgimg_image **result)
{
  TRY(bundle_activate(session, bundle, stored->image));
  struct pkgimg_image *sysimage = *result =
      index_find(session->runtime, entry_at(bundle, stored->image)->geometry.build_id);
  if (sysimage->sysimage)
    return PKGIMG_OK;
  memcpy(sysimage->baseline.words, stored->features, sizeof sysimage->baseline.words);
  sysimage->baseline_target = strdup(string_at(bundle, stored->target));
  if (!sysimage->baseline_target)
    return fail_memory(session->error, 64);
  sysimage->sysimage = sysimage;
  return PKGIMG_OK;
}

enum pkgimg_status bundle_take_sysimage(struct session *session, struct pkgimg_image *image)
{
  struct bundle *bundle = image->bundle;
  struct closure_walk walk AUTO(closure_walk_deinit) = {.bundle = bundle};
  struct pkgimg_image *sysimage;
  if (image->sysimage || bundle->head.sysimage.count == 0)
    return PKGIMG_OK;
  const struct bundle_sysimage *stored = table_at(bundle, &bundle->head.sysimage);
  struct reader reader = reader_of(bundle, session->error);
  TRY(bundle_sysimage_check(&reader, view_of(bundle)));
  TRY(closure_mark(&walk, image->number, 0, session->error));
  if (!marked(walk.marks, stored->image))
    return PKGIMG_OK;
  TRY(take(session, bundle, stored, &sysimage));
  image->sysimage = sysimage;
  return PKGIMG_OK;
}
