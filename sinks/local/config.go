// Package local is an event store in one file: a pipeline.Sink over SQLite, without cgo and without a server, that
// answers what the Event history page and trailship events ask.
//
//	Write (many goroutines)          one writer goroutine            readers (Events, Event)
//	  parse, describe, compress  →   gather, one transaction     →   their own connections,
//	  wait until committed           for up to 2,000 records         on a snapshot of the last commit
//
// An event's row id is its time: seconds<<17 | a number within the second. So every index is in order of time, the newest
// fifty of any filter are the last fifty entries of one index, and a place in a list is one number. Values are integers of
// one dictionary table. What an event has several of (names of its actor, resources and their types) is in tables of their
// own. The record itself, byte for byte, is compressed with a dictionary trained on the store's own first records;
// everything shown of an event is read from it, so nothing is stored twice.
//
// A commit is a synced write-ahead log: what Write reported survives kill -9 and power loss. Several processes may read
// and write one store at the same time.
package local

import "github.com/trailship/trailship/config/value"

// Config says where the store is.
type Config struct {
	Path string `yaml:"path"` // the file; it is made when there is none. Two more files stand beside it while it is in use.
}

// Validate says what is wrong. The file is not looked at: Open does that.
func (c Config) Validate() error {
	if c.Path == "" {
		return value.Wrong("path", "missing: name the store's file, such as ./trailship.db")
	}
	return nil
}
