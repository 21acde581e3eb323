package ecs

import (
	"fmt"
	"slices"
)

// Retain says which copies of the four free-form objects of a record (requestParameters, responseElements,
// additionalEventData, serviceEventDetails) a document holds. Source: MAPPING section 10.
type Retain string

// The settings of Retain. The empty Retain is RetainAll.
const (
	RetainAll       Retain = "all"       // both copies
	RetainKeyword   Retain = "keyword"   // as one string
	RetainFlattened Retain = "flattened" // as an object
	RetainMinimal   Retain = "minimal"   // as one string, and of the object what Elastic's rules read
	RetainNone      Retain = "none"      // neither
)

// Validate returns an error that names the settings there are when r is none of them.
func (r Retain) Validate() error {
	known := []Retain{"", RetainAll, RetainKeyword, RetainFlattened, RetainMinimal, RetainNone}
	if !slices.Contains(known, r) {
		return fmt.Errorf("retain %q is not known: use all, keyword, flattened, minimal or none", string(r))
	}
	return nil
}

// Config is what a user decides about documents.
type Config struct {
	Retain       Retain
	KeepOriginal bool   // event.original: the record byte for byte
	Namespace    string // data_stream.namespace; "" is "default"
	// LeafLimit is how many bytes the path and the value of one leaf of a flattened object may have together; the value
	// of a longer one is cut, the full text stays in the string copy. 0: no limit. OpenSearch needs it: it refuses a
	// document with a leaf of more than 32,766 bytes. Elasticsearch skips such a leaf by ignore_above.
	LeafLimit int
}
