// SPDX-License-Identifier: MIT
//
// The counters of a load, and the pages that it wrote, as tables for people or as one JSON object. Takes no measurement
// itself.
#ifndef CLI_STATS_H
#define CLI_STATS_H

#include "cli/pages.h"

#include <stdio.h>

void stats_print_text(FILE *file, const struct pkgimg_stats *stats, const struct page_report *pages);
void stats_print_json(FILE *file, const struct pkgimg_stats *stats, const struct page_report *pages);

#endif
