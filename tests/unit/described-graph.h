// SPDX-License-Identifier: MIT
//
// Random graphs of objects with every kind of field, and a comparison of two of them node by node.
#ifndef TESTS_UNIT_DESCRIBED_GRAPH_H
#define TESTS_UNIT_DESCRIBED_GRAPH_H

#include <pkgimg/capture.h>
#include <stdbool.h>

struct world_graph;
extern const struct pkgimg_shape graph_node_shape;

/// Make one of `count` nodes; `noise` changes nothing but their addresses and what is in unused bytes.
struct world_graph *graph_make(uint64_t seed, size_t count, uint64_t noise);
void graph_free(struct world_graph *graph);
/// All nodes, as a graph declares them: a pointer into the middle of one brings the whole node.
const struct pkgimg_graph_object *graph_objects(const struct world_graph *graph);
void *graph_first(const struct world_graph *graph);

/// Whether what `first` leads to has the shape and the contents of the graph; `found` counts its nodes.
bool graph_same(const struct world_graph *graph, const void *first, size_t *found);

#endif
