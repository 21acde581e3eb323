package standin

import (
	"encoding/json"
	"hash/maphash"
	"maps"
	"net/http"
	"path"
	"slices"
	"strings"
	"sync"
	"time"
)

// ClusterFault is what a fault hook wants to happen instead of, or around, an answer.
type ClusterFault struct {
	Delay      time.Duration // before anything else
	Status     int           // answer with this status and Body, storing nothing; 0: answer normally
	Body       string        // with Status; "" is a JSON error of that status
	RetryAfter string
	Lose       bool // store, then cut the connection instead of answering
	CutAnswer  bool // store, then answer only half of it
	DropItem   bool // store, then leave the first item out of the answer

	arrived time.Time
}

// ItemFault is the answer to one document that is not stored.
type ItemFault struct {
	Status int
	Type   string
	Reason string
}

// Cluster is a stand-in for Elasticsearch or OpenSearch: an http.Handler that stores by (index, _id) with create
// semantics, creates indices, keeps index templates, and answers counts and simple searches. Set its hooks before the
// first request. It is safe for concurrent use.
type Cluster struct {
	// Version is what GET / tells; "" is 8.19.0. OpenSearch makes the cluster one.
	Version    string
	OpenSearch bool
	// Counting keeps 64-bit hashes of the ids instead of documents, so that a million take 16 MiB.
	Counting bool
	// MaxBytes is the largest decompressed request that is not answered with 413; 0: any.
	MaxBytes int
	// BuiltinLogs makes every logs-*-* name without a template of more than priority 100 a data stream, as
	// Elasticsearch 8 does.
	BuiltinLogs bool
	// RefuseTypes are field types that the cluster does not know.
	RefuseTypes []string
	// Fault is called for each request; nil or a nil answer: no fault.
	Fault func(r *http.Request) *ClusterFault
	// Item is called for each document of a bulk request; nil or a nil answer: no fault. The slices are good until it
	// returns. It is called with the cluster's lock held.
	Item func(index string, id, document []byte) *ItemFault
	// NewIndex is called before an index is made, by a request or by a document; nil or a nil answer: it is made. The
	// cluster's lock is held.
	NewIndex func(index string) *ItemFault
	// Stored is called for each document that is stored, under the same terms. arrived is when its request came.
	Stored func(index string, document []byte, arrived time.Time)

	scratch   sync.Pool // of *bulkScratch
	mu        sync.Mutex
	indices   map[string]*clusterIndex
	templates map[string]json.RawMessage
	seed      maphash.Seed
	hashes    hashSet
	stats     ClusterStats
}

// ClusterStats is what a cluster has seen.
type ClusterStats struct {
	Requests   int // of the _bulk API
	Stored     int
	Duplicates int
	Refused    int
	Largest    int // bytes of the largest bulk request, decompressed
}

type clusterIndex struct {
	auto       bool // made by a document, not by a request
	stream     bool // a data stream
	generation int  // of it, from 0
	mappings   json.RawMessage
	docs       map[string]json.RawMessage
	count      int
}

// Count is the number of documents stored, in all indices or in those whose name matches one of the patterns.
func (c *Cluster) Count(patterns ...string) int {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(patterns) == 0 {
		return c.stats.Stored
	}
	n := 0
	for name, ix := range c.indices {
		if matches(name, patterns) {
			n += ix.count
		}
	}
	return n
}

// Stats is what the cluster has seen so far.
func (c *Cluster) Stats() ClusterStats {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.stats
}

// Docs are the documents of all indices by _id: those with an _id that several indices have, once.
func (c *Cluster) Docs() map[string]json.RawMessage {
	c.mu.Lock()
	defer c.mu.Unlock()
	all := map[string]json.RawMessage{}
	for _, ix := range c.indices {
		maps.Copy(all, ix.docs)
	}
	return all
}

// Indices are the names of the indices there are; created are those made by a request of their own.
func (c *Cluster) Indices() (all, created []string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for name, ix := range c.indices {
		all = append(all, name)
		if !ix.auto {
			created = append(created, name)
		}
	}
	slices.Sort(all)
	slices.Sort(created)
	return all, created
}

// DeleteIndex forgets an index and its documents.
func (c *Cluster) DeleteIndex(name string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if ix := c.indices[name]; ix != nil {
		c.stats.Stored -= ix.count
		delete(c.indices, name)
	}
}

// Template is an index template as it was put, nil when there is none.
func (c *Cluster) Template(name string) json.RawMessage {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.templates[name]
}

// ServeHTTP answers one request.
func (c *Cluster) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	var f ClusterFault
	arrived := time.Now()
	if c.Fault != nil {
		if got := c.Fault(r); got != nil {
			f = *got
		}
	}
	f.arrived = arrived
	if f.Delay > 0 {
		select {
		case <-time.After(f.Delay):
		case <-r.Context().Done():
			return
		}
	}
	if !c.OpenSearch {
		w.Header().Set("X-Elastic-Product", "Elasticsearch")
	}
	if f.RetryAfter != "" {
		w.Header().Set("Retry-After", f.RetryAfter)
	}
	if f.Status != 0 {
		c.fail(w, f.Status, f.Body)
		return
	}
	c.route(w, r, f)
}

func (c *Cluster) route(w http.ResponseWriter, r *http.Request, f ClusterFault) {
	parts := strings.Split(strings.Trim(r.URL.Path, "/"), "/")
	last := parts[len(parts)-1]
	switch {
	case r.URL.Path == "/":
		c.info(w)
	case last == "_bulk":
		c.bulk(w, r, f)
	case parts[0] == "_index_template" && len(parts) == 2:
		c.template(w, r, parts[1])
	case parts[0] == "_data_stream" && len(parts) == 2 && r.Method == http.MethodPut:
		c.createStream(w, parts[1])
	case last == "_count" || last == "_search":
		c.search(w, r, parts[0])
	case last == "_refresh":
		answer(w, http.StatusOK, map[string]any{})
	case len(parts) == 2 && last == "_mapping":
		c.mapping(w, parts[0])
	case len(parts) == 3 && parts[1] == "_doc":
		c.document(w, parts[0], parts[2])
	case len(parts) == 1 && r.Method == http.MethodPut:
		c.create(w, parts[0])
	case len(parts) == 1 && r.Method == http.MethodHead:
		c.exists(w, parts[0])
	default:
		c.fail(w, http.StatusMethodNotAllowed, "")
	}
}

func (c *Cluster) info(w http.ResponseWriter) {
	version := map[string]any{"number": c.Version, "build_flavor": "default"}
	if c.Version == "" {
		version["number"] = "8.19.0"
	}
	if c.OpenSearch {
		version["distribution"] = "opensearch"
	}
	answer(w, http.StatusOK, map[string]any{"name": "stand-in", "cluster_name": "stand-in", "version": version})
}

func (c *Cluster) fail(w http.ResponseWriter, status int, body string) {
	if body == "" {
		refuse(w, status, strings.ToLower(strings.ReplaceAll(http.StatusText(status), " ", "_"))+"_exception", "a fault of the stand-in")
		return
	}
	w.WriteHeader(status)
	_, _ = w.Write([]byte(body))
}

// refuse answers with an error in the form that clusters have.
func refuse(w http.ResponseWriter, status int, kind, reason string) {
	answer(w, status, map[string]any{"error": map[string]any{"type": kind, "reason": reason}, "status": status})
}

func answer(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body)
}

// matches reports whether a name matches one of the patterns, which may hold * and be joined by commas.
func matches(name string, patterns []string) bool {
	for _, joined := range patterns {
		for pattern := range strings.SplitSeq(joined, ",") {
			if ok, _ := path.Match(pattern, name); ok || pattern == "_all" {
				return true
			}
		}
	}
	return false
}

// Lock runs f while no request is served, so that it may change what the hooks look at.
func (c *Cluster) Lock(f func()) {
	c.mu.Lock()
	defer c.mu.Unlock()
	f()
}
