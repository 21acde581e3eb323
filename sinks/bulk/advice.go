package bulk

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
)

// trouble is an operational refusal as the operator should read it: what the cluster said and what to do.
func trouble(status int, kind, reason string) error {
	said := kind
	if reason != "" {
		said = strings.TrimPrefix(kind+": "+reason, ": ")
	}
	if said == "" {
		said = http.StatusText(status)
	}
	return fmt.Errorf("the cluster answers %d %s; %s", status, said, cure(status, kind, reason))
}

// cure tells what to do about a refusal. It is a list of what is known to happen, the surest sign first.
func cure(status int, kind, reason string) string {
	switch {
	case strings.Contains(reason, "shards") && kind == "validation_exception":
		return "the cluster holds as many shards as it may: delete old indices, use monthly ones, or raise cluster.max_shards_per_node"
	case strings.Contains(reason, "flood") || strings.Contains(reason, "TOO_MANY_REQUESTS/12"):
		return "a disk of the cluster is full: free space or add a node; the block then goes by itself"
	case kind == "cluster_block_exception":
		return "a block stands on it: remove index.blocks.* or cluster.blocks.* once its cause is gone"
	case kind == "index_closed_exception":
		return "open the index again, or delete it"
	case kind == "index_not_found_exception":
		return "the index was deleted, or the name needs an alias or data stream that is not there"
	case status == http.StatusUnauthorized:
		return "check the sink's api_key, or username and password, or the role that signs the requests"
	case status == http.StatusForbidden:
		return "give the sink's user the rights of the writer role (create_index, create_doc, view_index_metadata) on the output index"
	case status == http.StatusNotFound, status == http.StatusMethodNotAllowed:
		return "check the sink's urls: no _bulk API answers there"
	case strings.Contains(reason, "pipeline with id"):
		return "create that ingest pipeline, or take it out of the index's settings"
	case strings.Contains(reason, "Document ID is not supported"):
		return "use a collection of type search: this type takes no document ids"
	case status >= 300 && status < 400:
		return "check the sink's urls: they redirect elsewhere"
	}
	return "the documents are kept and tried again; see the cluster's log"
}

// errDataStream is the trouble of an index whose name has become a data stream.
var errDataStream = errors.New("its name has become a data stream, in which a repeated event would be stored twice: " +
	"delete the data stream, run trailship setup so that the right template is there, and the index is created anew")
