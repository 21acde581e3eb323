package deadletter

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"time"
	"unicode/utf8"

	"github.com/trailship/trailship/pipeline"
	"github.com/trailship/trailship/pipeline/cloudtrail"
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
	Region       string    `json:"region,omitempty"` // of the bucket
	Key          string    `json:"key"`
	Created      time.Time `json:"created,omitzero"` // when the object was read
	Number       int       `json:"number,omitempty"`
	Offset       int64     `json:"offset"`
	Record       string    `json:"record,omitempty"`
	RecordBase64 []byte    `json:"record_base64,omitempty"` // in place of record, when that is no UTF-8
}

func newEntry(l *pipeline.Letter, now time.Time) entry {
	e := entry{
		Time: now.UTC(), Type: l.Type, Reason: l.Reason, Status: l.Status, Index: l.Index,
		Bucket: l.Origin.Bucket, Region: l.Origin.Region, Key: l.Origin.Key, Created: l.Origin.Read.UTC(),
		Number: l.Number, Offset: l.Offset,
	}
	if l.Origin.Read.IsZero() {
		e.Created = time.Time{}
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

// A Kept is a letter as it lies in a place.
type Kept struct {
	pipeline.Letter
	Time time.Time // when it was buried
}

// letter reads an entry back. id is its name where it does not hold it itself.
func (e *entry) letter(id string) *Kept {
	k := &Kept{Time: e.Time, Letter: pipeline.Letter{
		ID: e.ID, Record: []byte(e.Record), Number: e.Number, Offset: e.Offset, Index: e.Index,
		Refusal: pipeline.Refusal{Status: e.Status, Type: e.Type, Reason: e.Reason},
		Origin: &cloudtrail.Object{
			Bucket: e.Bucket, Region: e.Region, Key: e.Key, Read: e.Created, KeyInfo: cloudtrail.ParseKey(e.Key),
		},
	}}
	if e.ID == "" {
		k.ID = id
	}
	if e.RecordBase64 != nil {
		k.Record = e.RecordBase64
	}
	return k
}

// ErrNotLetter is the error of something in a stack that is no letter.
var ErrNotLetter = errors.New("it is no dead letter")

// parseLetter reads a letter from JSON. A letter without an id or a key is none of ours.
func parseLetter(text []byte, id string) (*Kept, error) {
	var e entry
	if err := json.Unmarshal(text, &e); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrNotLetter, err)
	}
	k := e.letter(id)
	if k.ID == "" || k.Origin.Key == "" {
		return nil, fmt.Errorf("%w: it has no id or no key", ErrNotLetter)
	}
	return k, nil
}
