package deadletter

import (
	"bytes"
	"encoding/json"
	"time"
	"unicode/utf8"

	"github.com/trailship/trailship/pipeline"
)

// entry is a letter as it is kept. Its fields are typed in sinks/cluster's template.
type entry struct {
	ID           string    `json:"id,omitempty"` // in files; in an index it is the _id
	Time         time.Time `json:"@timestamp"`
	Type         string    `json:"type"`
	Reason       string    `json:"reason"`
	Status       int       `json:"status,omitempty"`
	Index        string    `json:"index,omitempty"`
	Bucket       string    `json:"bucket,omitempty"`
	Key          string    `json:"key"`
	Number       int       `json:"number,omitempty"`
	Offset       int64     `json:"offset"`
	Record       string    `json:"record,omitempty"`
	RecordBase64 []byte    `json:"record_base64,omitempty"` // in place of record, when that is no UTF-8
}

func newEntry(l *pipeline.Letter, now time.Time) entry {
	e := entry{
		Time: now.UTC(), Type: l.Type, Reason: l.Reason, Status: l.Status, Index: l.Index,
		Bucket: l.Origin.Bucket, Key: l.Origin.Key, Number: l.Number, Offset: l.Offset,
	}
	if utf8.Valid(l.Record) {
		e.Record = string(l.Record)
	} else {
		e.RecordBase64 = l.Record
	}
	return e
}

// appendLine appends the letter as one line of JSON.
func appendLine(dst *bytes.Buffer, l *pipeline.Letter, now time.Time) error {
	e := newEntry(l, now)
	e.ID = l.ID
	encoder := json.NewEncoder(dst)
	encoder.SetEscapeHTML(false)
	return encoder.Encode(e)
}
