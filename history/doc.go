// Package history is the vocabulary of Event history: what is shown of a CloudTrail event and what it is found by, the
// queries over events, the questions that an investigator asks, and the interface of a store that answers. The page
// (web), the command line (cmd), the embedded store (sinks/local) and the search over a cluster (sinks/cluster) share it,
// so that one question means the same everywhere.
//
// Nothing is hidden by default: a zero Query asks for all events, reads included, because reads are where the theft of
// credentials shows.
package history
