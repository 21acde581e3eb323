package lookup

import (
	"encoding/json"
	"maps"
	"slices"

	"github.com/trailship/trailship/history"
	"github.com/trailship/trailship/pipeline/cloudtrail"
)

// hit is a document that a search found.
type hit struct {
	ID     string            `json:"_id"`
	Source json.RawMessage   `json:"_source"`
	Sort   []json.RawMessage `json:"sort"`
}

// found is a document that was read.
type found struct {
	history.Description
	record cloudtrail.Record
}

// read reads a document as the record that it was made of. One that no sink of ours has written is an event without
// anything but its id.
func (h *hit) read() *found {
	var d document
	if json.Unmarshal(h.Source, &d) != nil {
		d = document{}
	}
	text, derived := d.record()
	f := &found{}
	if f.record.Parse(slices.Clone(text)) == nil {
		f.Description = history.Describe(&f.record)
	}
	f.ID, f.Record, f.Derived = h.ID, text, derived
	f.Tags = append(tagsOf("user", d.AWS.IAM.User), tagsOf("role", d.AWS.IAM.Role)...)
	return f
}

// event is what is shown of the document.
func (f *found) event(record bool) history.Event {
	e := f.Event
	if !record {
		e.Record, e.Derived = nil, false
	}
	return e
}

func tagsOf(kind string, of tagged) (tags []history.Tag) {
	for _, key := range slices.Sorted(maps.Keys(of.Tags)) {
		tags = append(tags, history.Tag{Of: kind, Key: key, Value: plain(of.Tags[key])})
	}
	return tags
}
