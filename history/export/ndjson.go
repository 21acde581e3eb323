package export

import (
	"bufio"
	"bytes"
	"io"

	"github.com/trailship/trailship/history"
)

// ndjsonWriter writes the records themselves, byte for byte, one on each line. White space that breaks a line goes; inside
// of a string JSON has none.
type ndjsonWriter struct{ to *bufio.Writer }

func newNDJSON(to io.Writer) *ndjsonWriter { return &ndjsonWriter{bufio.NewWriter(to)} }

func (n *ndjsonWriter) Write(events []history.Event) error {
	for i := range events {
		n.to.Write(oneLine(events[i].Record)) //nolint:errcheck // Flush says it
		n.to.WriteByte('\n')                  //nolint:errcheck // Flush says it
	}
	return n.to.Flush()
}

func (n *ndjsonWriter) End() error { return n.to.Flush() }

func oneLine(record []byte) []byte {
	if bytes.IndexByte(record, '\n') < 0 && bytes.IndexByte(record, '\r') < 0 {
		return record
	}
	return bytes.ReplaceAll(bytes.ReplaceAll(record, []byte("\r"), []byte(" ")), []byte("\n"), []byte(" "))
}
