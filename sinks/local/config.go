// Package local is an event store in one file: a pipeline.Sink over SQLite, without cgo and without a server, and a
// history.Search, which answers what the Event history page and trailship events ask.
//
//	Write (many goroutines)          one writer goroutine            readers (Events, Facets, …)
//	  parse, describe, compress  →   gather, one transaction     →   their own connections,
//	  wait until committed           for up to 2,000 records         on a snapshot of the last commit
//
// An event's row id is its time: seconds<<17 | a number within the second. So the newest events are the last rows, and a
// place in a list is one number. The record, byte for byte, is compressed with a dictionary trained on the store's own
// first records; everything shown of an event is read from it, so nothing is stored twice. What events are found by, values
// of attributes and words, is in an inverted index (package index), to which each commit adds a segment. The segments are
// merged as they become many.
//
// A commit is a synced write-ahead log: what Write reported survives kill -9 and power loss. Several processes may read
// and write one store at the same time. Questions are good while the store is being filled.
package local

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/trailship/trailship/config/value"
)

// Config says where the store is, and what it keeps.
type Config struct {
	Path      string    `yaml:"path"` // the file; it is made when there is none. Two more files stand beside it while it is in use.
	Retention Retention `yaml:"retention"`
}

// Retention bounds what a store keeps. The oldest events go first, by their own time; those of no known time are older
// than all. The file does not become smaller: the room is used again.
type Retention struct {
	Age  Age         `yaml:"age"`  // older events go; 0 keeps all
	Size value.Bytes `yaml:"size"` // of what the file holds; 0 is no bound
}

// Age is a time span, written as 90d, 12w or 36h.
type Age time.Duration

// UnmarshalText reads an age; its error says what would be right.
func (a *Age) UnmarshalText(text []byte) error {
	s := strings.TrimSpace(string(text))
	for _, u := range []struct {
		suffix string
		unit   time.Duration
	}{{"d", 24 * time.Hour}, {"w", 7 * 24 * time.Hour}, {"h", time.Hour}} {
		digits, ok := strings.CutSuffix(s, u.suffix)
		if n, err := strconv.ParseUint(digits, 10, 16); ok && err == nil {
			*a = Age(time.Duration(n) * u.unit) //nolint:gosec // of sixteen bits
			return nil
		}
	}
	if s == "0" || s == "" {
		*a = 0
		return nil
	}
	return fmt.Errorf("%q is no age: write a number and d, w or h, such as 90d", s)
}

// String writes the age in days or hours.
func (a Age) String() string {
	switch d := time.Duration(a); {
	case d == 0:
		return "0"
	case d%(24*time.Hour) == 0:
		return strconv.FormatInt(int64(d/(24*time.Hour)), 10) + "d"
	default:
		return strconv.FormatInt(int64(d/time.Hour), 10) + "h"
	}
}

// MarshalText writes the age as String does.
func (a Age) MarshalText() ([]byte, error) { return []byte(a.String()), nil }

// leastSize is the least bound of size that leaves room for the store's own tables.
const leastSize = 1 << 20

// Validate says what is wrong. The file is not looked at: Open does that.
func (c Config) Validate() error {
	if c.Path == "" {
		return value.Wrong("path", "missing: name the store's file, such as ./trailship.db")
	}
	if c.Retention.Size != 0 && c.Retention.Size < leastSize {
		return value.Wrong("retention.size", "%s is too little for a store: write 1MiB or more, such as 20GiB", c.Retention.Size)
	}
	return nil
}
