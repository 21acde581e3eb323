// Package export writes events as files: the CSV of AWS's console, the JSON of lookup-events, and NDJSON. The page's
// download and trailship events share it, so that both give the same.
//
// CSV is for spreadsheets, where a value may be taken for a formula: such values begin with '. Only JSON and NDJSON have
// everything as it was written.
package export

import (
	"fmt"
	"io"
	"time"

	"github.com/trailship/trailship/history"
)

// The formats.
const (
	CSV    = "csv"
	JSON   = "json"
	NDJSON = "ndjson"
)

// A Writer writes events. Its methods are called by one goroutine; whatever Write was given has reached the stream when it
// returns, so that a reader sees events as they come.
type Writer interface {
	Write(events []history.Event) error
	// End writes what stands behind the last event. It is called once, also when there was no event.
	End() error
}

// New makes the writer of a format. The error names the formats.
func New(format string, to io.Writer) (Writer, error) {
	switch format {
	case CSV:
		return newCSV(to), nil
	case JSON:
		return newJSON(to), nil
	case NDJSON:
		return newNDJSON(to), nil
	}
	return nil, fmt.Errorf("there is no format %q: use csv, json or ndjson", format)
}

// Records reports whether a format needs each Event's Record.
func Records(format string) bool { return format != CSV }

// eventTime is the event's time in UTC, "" when it has none.
func eventTime(e *history.Event) string {
	if e.Time.IsZero() {
		return ""
	}
	return e.Time.UTC().Format(time.RFC3339)
}
