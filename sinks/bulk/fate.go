package bulk

import (
	"bytes"
	"net/http"
)

// class is what an item's answer means for its document.
type class uint8

const (
	unknown     class = iota // the item says nothing: written again
	stored                   // by this request
	duplicate                // before: the index already has a document of this _id
	busy                     // the cluster has no room at the moment: this item again after a pause
	faulty                   // the document's own fault: a degraded try, then refused
	missing                  // the index is not there: created, then written again
	operational              // a person must act: the index is parked until it takes documents again
	indexWide                // the same, and it is the fault of this one index: after long it is given up
	clusterWide              // the same, and it is the fault of the whole cluster: nothing more is received
	streamed                 // the index's name has become a data stream, in which ids are not unique for good
)

// classify tells the class of an item. Only a listed set of refusals is the document's fault; every other 4xx is
// operational, because a full cluster or a missing right must not dead-letter a night's log. Sources: Elasticsearch
// reference, page "Bulk index or delete documents"; answers seen on OpenSearch 2.19 and 3.5 and Elasticsearch 7.17.
func (a *answer) classify(it *item, dataStream bool) class {
	kind, reason := a.of(it.kind), a.of(it.reason)
	switch {
	case it.status == 0:
		return unknown
	case it.hidden && !dataStream && it.status != http.StatusTooManyRequests && it.status < 500:
		return streamed
	case it.failureStore:
		return faulty // kept by the cluster, but where nobody searches
	case it.status < 300:
		return stored
	case it.status == http.StatusConflict && string(kind) == "version_conflict_engine_exception":
		return duplicate
	case string(kind) == "cluster_block_exception":
		return classifyBlock(it.status, reason)
	case it.status == http.StatusTooManyRequests, it.status >= 500:
		return busy
	case it.status == http.StatusNotFound && string(kind) == "index_not_found_exception" && !has(reason, "require_"):
		return missing
	case string(kind) == "index_closed_exception":
		return indexWide
	case it.status == http.StatusBadRequest && atFault(kind, reason):
		return faulty
	case string(kind) == "validation_exception":
		return clusterWide // "this action would add [2] shards": each new index is refused
	}
	return operational
}

// classifyBlock tells the blocks of one index from those of the cluster. A full disk (TOO_MANY_REQUESTS/12) blocks index
// by index, yet it is the cluster's: it must never make a dead letter.
func classifyBlock(status int, reason []byte) class {
	if status != http.StatusTooManyRequests && bytes.HasPrefix(reason, []byte("index [")) {
		return indexWide
	}
	return clusterWide
}

// atFault reports whether an error is the document's own.
func atFault(kind, reason []byte) bool {
	switch string(kind) {
	case "mapper_parsing_exception", "document_parsing_exception", "strict_dynamic_mapping_exception",
		"max_bytes_length_exceeded_exception":
		return true
	case "illegal_argument_exception":
		if has(reason, "total fields") {
			return false // the mapping is full, for every document
		}
		return has(reason, "immense") || has(reason, "field=") || has(reason, "field [") || has(reason, "field name")
	}
	return false
}

func has(text []byte, part string) bool { return bytes.Contains(text, []byte(part)) }

// kindLabel bounds the label values that refusals are counted under.
func kindLabel(kind string) string {
	switch kind {
	case "mapper_parsing_exception", "document_parsing_exception", "strict_dynamic_mapping_exception",
		"max_bytes_length_exceeded_exception", "illegal_argument_exception", typeTooLarge, typeIndexBlocked, typeFailureStore:
		return kind
	}
	return "other"
}

// The types of refusals that are the engine's own.
const (
	typeTooLarge     = "request_entity_too_large"
	typeIndexBlocked = "index_blocked"
	typeFailureStore = "failure_store"
)
