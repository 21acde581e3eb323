package standin

import (
	"fmt"
	"net/http"
)

// createStream answers PUT /_data_stream/NAME: there must be a template for it.
func (c *Cluster) createStream(w http.ResponseWriter, name string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.indices[name] != nil {
		refuse(w, http.StatusBadRequest, "resource_already_exists_exception", "data_stream ["+name+"] already exists")
		return
	}
	if t := c.templateOf(name); t == nil || t.DataStream == nil {
		refuse(w, http.StatusBadRequest, "illegal_argument_exception", "no matching index template found for data stream ["+name+"]")
		return
	}
	c.makeIndex(name, false).stream = true
	answer(w, http.StatusOK, map[string]any{"acknowledged": true})
}

// Rollover gives a data stream a new backing index, in which no _id is known yet.
func (c *Cluster) Rollover(name string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	old := c.indices[name]
	c.indices[string(old.backing(name))] = old
	fresh := c.makeIndex(name, old.auto)
	fresh.stream, fresh.generation = true, old.generation+1
}

// backing is the name of the index behind a data stream.
func (ix *clusterIndex) backing(name string) []byte {
	return fmt.Appendf(nil, ".ds-%s-%06d", name, ix.generation+1)
}
