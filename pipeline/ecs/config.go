package ecs

import (
	"fmt"
	"maps"
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
	Labels    map[string]string // members of labels in every document
	Tags      []string          // further elements of tags in every document
}

// labels renders Labels as members, in the order of their keys.
func (c Config) labels() []byte {
	var dst []byte
	for _, key := range slices.Sorted(maps.Keys(c.Labels)) {
		dst = append(appendQuoted(dst, validText(key)), ':')
		dst = append(appendQuoted(dst, validText(c.Labels[key])), ',')
	}
	return dst
}

// tags renders Tags as elements.
func (c Config) tags() []byte {
	var dst []byte
	for _, tag := range c.Tags {
		dst = append(appendQuoted(dst, validText(tag)), ',')
	}
	return dst
}
