// Package deadletter keeps what no sink will take: an index, a directory, or both, one after the other. A letter holds the
// whole record, the reason, and where the record came from, so that it can be looked into and sent again.
package deadletter

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"go.uber.org/zap"

	"github.com/trailship/trailship/config/value"
	"github.com/trailship/trailship/pipeline"
)

// Config is the section dead_letter. With both, the directory is for letters that the index does not take.
type Config struct {
	Index     string `yaml:"index"`     // in the sink's cluster
	Directory string `yaml:"directory"` // JSON lines, on the disk before a message is deleted
}

// Validate returns every *value.Problem of the section, joined.
func (c Config) Validate() error {
	if c.Index == "" {
		return nil
	}
	if _, err := pipeline.ParseIndexPattern(c.Index); err != nil || strings.Contains(c.Index, "{") {
		return value.Wrong("index", "%q is no name of one index: write lower-case letters, digits, - and _, such as trailship-dead-letters", c.Index)
	}
	return nil
}

// A place keeps letters. It is a Place of its own: pipeline.DeadLetters.
type place interface {
	pipeline.DeadLetters
	fmt.Stringer
}

// Places tries one place after the other. It is safe for concurrent use.
type Places struct {
	places []place
	log    *zap.Logger
}

// New returns the places of c in the order of trying them; nil when c names none, so that refusals fail their delivery.
// cluster is where the index is; nil when the sink is no cluster.
func New(c Config, cluster Cluster, log *zap.Logger) (*Places, error) {
	p := &Places{log: log}
	if c.Index != "" {
		if cluster == nil {
			return nil, value.Wrong("index", "the sink is no cluster that could hold it: write directory instead")
		}
		p.places = append(p.places, &index{name: c.Index, cluster: cluster})
	}
	if c.Directory != "" {
		d, err := openDirectory(c.Directory)
		if err != nil {
			return nil, value.Wrong("directory", "%v", err)
		}
		p.places = append(p.places, d)
	}
	if len(p.places) == 0 {
		return nil, nil //nolint:nilnil // no place is not a mistake
	}
	return p, nil
}

// Bury implements pipeline.DeadLetters: it returns nil when one place has all letters.
func (p *Places) Bury(ctx context.Context, letters []pipeline.Letter) error {
	var errs []error
	for _, place := range p.places {
		err := place.Bury(ctx, letters)
		if err == nil {
			if len(errs) > 0 {
				p.log.Warn("dead letters went to the next place", zap.Stringer("place", place), zap.Int("letters", len(letters)), zap.Error(errors.Join(errs...)))
			}
			return nil
		}
		errs = append(errs, fmt.Errorf("%s: %w", place, err))
	}
	return errors.Join(errs...)
}

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
