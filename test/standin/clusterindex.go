package standin

import (
	"encoding/json"
	"errors"
	"fmt"
	"hash/maphash"
	"io"
	"net/http"
	"strings"
)

// indexTemplate is what the stand-in understands of an index template.
type indexTemplate struct {
	IndexPatterns []string        `json:"index_patterns"`
	Priority      int             `json:"priority"`
	Meta          json.RawMessage `json:"_meta"`
	DataStream    json.RawMessage `json:"data_stream"`
	Template      struct {
		Settings json.RawMessage `json:"settings"`
		Mappings json.RawMessage `json:"mappings"`
	} `json:"template"`
}

// makeIndex adds an index under the template that matches its name best. The lock is held.
func (c *Cluster) makeIndex(name string, auto bool) *clusterIndex {
	if c.indices == nil {
		c.indices, c.seed = map[string]*clusterIndex{}, maphash.MakeSeed()
	}
	ix := &clusterIndex{auto: auto, mappings: json.RawMessage(`{}`), docs: map[string]json.RawMessage{}}
	if t := c.templateOf(name); t != nil && t.Template.Mappings != nil {
		ix.mappings = t.Template.Mappings
	}
	c.indices[name] = ix
	return ix
}

func (c *Cluster) refuseIndex(name string) *ItemFault {
	if c.NewIndex == nil {
		return nil
	}
	return c.NewIndex(name)
}

func (c *Cluster) templateOf(name string) *indexTemplate {
	var best *indexTemplate
	for _, raw := range c.templates {
		var t indexTemplate
		if json.Unmarshal(raw, &t) != nil || !matches(name, t.IndexPatterns) {
			continue
		}
		if best == nil || t.Priority > best.Priority {
			best = &t
		}
	}
	return best
}

// logsStream reports whether Elasticsearch's own template for logs-*-* makes the name a data stream.
func (c *Cluster) logsStream(name string) bool {
	t := c.templateOf(name)
	return matches(name, []string{"logs-*-*"}) && (t == nil || t.Priority <= 100)
}

func (c *Cluster) create(w http.ResponseWriter, name string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case c.indices[name] != nil:
		refuse(w, http.StatusBadRequest, "resource_already_exists_exception", "index ["+name+"/x] already exists")
	case c.BuiltinLogs && c.logsStream(name):
		refuse(w, http.StatusBadRequest, "illegal_argument_exception", "cannot create index with name ["+name+
			"], because it matches with template [logs] that creates data streams only, use create data stream api instead")
	default:
		if f := c.refuseIndex(name); f != nil {
			refuse(w, f.Status, f.Type, f.Reason)
			return
		}
		c.makeIndex(name, false)
		answer(w, http.StatusOK, map[string]any{"acknowledged": true, "shards_acknowledged": true, "index": name})
	}
}

func (c *Cluster) exists(w http.ResponseWriter, name string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.indices[name] == nil {
		w.WriteHeader(http.StatusNotFound)
	}
}

func (c *Cluster) mapping(w http.ResponseWriter, name string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	ix := c.indices[name]
	if ix == nil {
		refuse(w, http.StatusNotFound, "index_not_found_exception", "no such index ["+name+"]")
		return
	}
	answer(w, http.StatusOK, map[string]any{name: map[string]any{"mappings": ix.mappings}})
}

func (c *Cluster) template(w http.ResponseWriter, r *http.Request, name string) {
	body, _ := io.ReadAll(r.Body)
	c.mu.Lock()
	defer c.mu.Unlock()
	if r.Method == http.MethodGet {
		raw := c.templates[name]
		if raw == nil {
			refuse(w, http.StatusNotFound, "resource_not_found_exception", "index template matching ["+name+"] not found")
			return
		}
		answer(w, http.StatusOK, map[string]any{
			"index_templates": []any{map[string]any{"name": name, "index_template": raw}},
		})
		return
	}
	for _, kind := range c.RefuseTypes {
		if strings.Contains(string(body), `"type":"`+kind+`"`) {
			refuse(w, http.StatusBadRequest, "mapper_parsing_exception",
				fmt.Sprintf("Failed to parse mapping: No handler for type [%s] declared on field [x]", kind))
			return
		}
	}
	if !json.Valid(body) {
		refuse(w, http.StatusBadRequest, "x_content_parse_exception", "not JSON")
		return
	}
	if c.templates == nil {
		c.templates = map[string]json.RawMessage{}
	}
	c.templates[name] = body
	answer(w, http.StatusOK, map[string]any{"acknowledged": true})
}

func (c *Cluster) document(w http.ResponseWriter, index, id string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if ix := c.indices[index]; ix != nil && ix.docs[id] != nil {
		answer(w, http.StatusOK, map[string]any{"_index": index, "_id": id, "found": true, "_source": ix.docs[id]})
		return
	}
	answer(w, http.StatusNotFound, map[string]any{"_index": index, "_id": id, "found": false})
}

// search answers _count and _search: all documents, or those of an ids query; at most size of them, 10 unless told.
func (c *Cluster) search(w http.ResponseWriter, r *http.Request, pattern string) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		refuse(w, http.StatusBadRequest, "parsing_exception", err.Error())
		return
	}
	var ask struct {
		Size  *int `json:"size"`
		Query struct {
			IDs struct {
				Values []string `json:"values"`
			} `json:"ids"`
		} `json:"query"`
	}
	var order sortedSearch
	if len(body) > 0 {
		if err := errors.Join(json.Unmarshal(body, &ask), json.Unmarshal(body, &order)); err != nil {
			refuse(w, http.StatusBadRequest, "parsing_exception", err.Error())
			return
		}
	}
	wanted := map[string]bool{}
	for _, id := range ask.Query.IDs.Values {
		wanted[id] = true
	}
	size := 10
	if ask.Size != nil {
		size = *ask.Size
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(order.Sort) > 0 {
		c.sorted(w, pattern, size, &order)
		return
	}
	total, hits := 0, []any{}
	for name, ix := range c.indices {
		if !matches(name, []string{pattern}) {
			continue
		}
		if c.Counting {
			total += ix.count
		}
		for id, doc := range ix.docs {
			if len(wanted) > 0 && !wanted[id] {
				continue
			}
			total++
			if len(hits) < size {
				hits = append(hits, map[string]any{"_index": name, "_id": id, "_source": doc})
			}
		}
	}
	answer(w, http.StatusOK, map[string]any{
		"count": total,
		"hits":  map[string]any{"total": map[string]any{"value": total, "relation": "eq"}, "hits": hits},
	})
}
