package lookup

import "encoding/json"

// aggregation counts documents; one member is set, beside Within. Source: Elasticsearch Guide, "Aggregations".
type aggregation struct {
	Terms     *terms                 `json:"terms,omitempty"`
	Filter    *query                 `json:"filter,omitempty"`
	Least     *field                 `json:"min,omitempty"`
	Most      *field                 `json:"max,omitempty"`
	Bars      *bars                  `json:"date_histogram,omitempty"`
	Composite *composite             `json:"composite,omitempty"`
	Top       *top                   `json:"top_hits,omitempty"`
	Within    map[string]aggregation `json:"aggs,omitempty"` // of each bucket
}

type terms struct {
	Field string `json:"field"`
	Size  int    `json:"size"`
	Each  int    `json:"shard_size,omitempty"` // of each shard: more makes the counts of rare values exact
}

type bars struct {
	Field string `json:"field"`
	Width string `json:"fixed_interval"`
	Least int    `json:"min_doc_count"`
}

// composite makes buckets of each combination of values, in pages.
type composite struct {
	Size    int                          `json:"size"`
	Sources []map[string]compositeSource `json:"sources"`
	After   json.RawMessage              `json:"after,omitempty"`
}

type compositeSource struct {
	Terms combined `json:"terms"`
}

type combined struct {
	Field   string `json:"field"`
	Missing bool   `json:"missing_bucket"` // documents without the field count, too
}

type top struct {
	Size   int                `json:"size"`
	Sort   []map[string]order `json:"sort"`
	Source sourced            `json:"_source"`
}

// counts are the answer of an aggregation.
type counts struct {
	Buckets []bucket        `json:"buckets"`
	Count   int64           `json:"doc_count"`
	Value   *float64        `json:"value"`
	After   json.RawMessage `json:"after_key"`
	Error   int64           `json:"doc_count_error_upper_bound"`
	Values  *counts         `json:"values"` // of the aggregation of this name within a filter
}

type bucket struct {
	Key    json.RawMessage `json:"key"`
	Count  int64           `json:"doc_count"`
	Failed counts          `json:"failed"`
	Denied counts          `json:"denied"`
	First  struct {
		Hits struct {
			Hits []hit `json:"hits"`
		} `json:"hits"`
	} `json:"first"`
}

// text is a bucket's value.
func (b *bucket) text() string { return plain(b.Key) }
