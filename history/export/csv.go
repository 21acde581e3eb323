package export

import (
	"encoding/csv"
	"io"
	"strconv"
	"strings"

	"github.com/trailship/trailship/history"
)

// csvWriter has the columns of the console's download, and two of our own behind them.
type csvWriter struct {
	to    *csv.Writer
	begun bool
}

func newCSV(to io.Writer) *csvWriter {
	w := csv.NewWriter(to)
	w.UseCRLF = true // RFC 4180
	return &csvWriter{to: w}
}

func (c *csvWriter) Write(events []history.Event) error {
	c.begin()
	for i := range events {
		e := &events[i]
		var resources []string
		for _, r := range e.Resources {
			resources = append(resources, strings.TrimSpace(r.Type+" "+r.Name))
		}
		c.row(e.User, e.AccessKey, eventTime(e), e.Source, e.Name, e.Region, e.SourceIP, e.UserAgent, e.ErrorCode,
			strings.Join(resources, "; "), e.RequestID, e.ID, strconv.FormatBool(e.ReadOnly), e.Type, e.Account,
			e.Outcome.String(), e.Reason)
	}
	c.to.Flush()
	return c.to.Error()
}

func (c *csvWriter) begin() {
	if c.begun {
		return
	}
	c.begun = true
	c.row("User name", "AWS access key", "Event time", "Event source", "Event name", "AWS region", "Source IP address",
		"User agent", "Error code", "Resources", "Request ID", "Event ID", "Read-only", "Event type", "Recipient Account Id",
		"Outcome", "Reason")
}

func (c *csvWriter) End() error {
	c.begin()
	c.to.Flush()
	return c.to.Error()
}

// row writes one row.
func (c *csvWriter) row(values ...string) {
	for i, v := range values {
		values[i] = Guarded(v)
	}
	c.to.Write(values) //nolint:errcheck // Flush says it
}

// Guarded is a value that no spreadsheet takes for a formula. Source: OWASP ASVS 1.2.10. Spreadsheets skip white space in
// front, and take the wide forms of the signs for the signs.
func Guarded(v string) string {
	first := strings.TrimLeft(v, " \u00a0\u3000\ufeff")
	if first != "" && strings.ContainsRune("=+-@\t\r\n\x00＝＋－＠", []rune(first)[0]) {
		return "'" + v
	}
	return v
}
