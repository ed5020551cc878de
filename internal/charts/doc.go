// Package charts measures the metrics of the public page: it asks New Relic
// (NRQL through NerdGraph) and Prometheus (query_range) in the background, each
// chart by itself, so that a source that is slow or dead keeps no other waiting.
// What it learns is saved through Apply; how it is thinned out is the store's,
// how it is drawn the pages' business.
package charts
