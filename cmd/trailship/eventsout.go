package main

import (
	"bufio"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/trailship/trailship/sinks/local"
)

const (
	outputTable = "table"
	outputJSON  = "json"
	outputCSV   = "csv"
)

func newEventWriter(name string, to io.Writer) (eventWriter, error) {
	switch name {
	case outputTable:
		return &eventTable{to: tabwriter.NewWriter(to, 0, 0, 2, ' ', 0)}, nil
	case outputJSON:
		return &eventJSON{to: bufio.NewWriter(to)}, nil
	case outputCSV:
		w := csv.NewWriter(to)
		w.UseCRLF = true // RFC 4180
		return &eventCSV{to: w}, nil
	}
	return nil, fmt.Errorf("reading --output: there is no %q: write table, json or csv", name)
}

// eventTable is for people: the columns of AWS's console, and how the call ended.
type eventTable struct {
	to    *tabwriter.Writer
	begun bool
}

// cellWidth is how many characters of a value the table shows.
const cellWidth = 60

func (t *eventTable) write(events []local.Event) error {
	if len(events) > 0 && !t.begun {
		t.begun = true
		fmt.Fprintln(t.to, "EVENT TIME\tEVENT NAME\tUSER NAME\tEVENT SOURCE\tRESOURCES\tOUTCOME")
	}
	for i := range events {
		e := &events[i]
		outcome := e.Outcome.String()
		if e.Reason != "" {
			outcome += ": " + e.Reason
		}
		for _, text := range []string{eventTime(e), e.Name, e.User, e.Source} {
			fmt.Fprint(t.to, cell(text), "\t")
		}
		fmt.Fprintln(t.to, resourcesCell(e.Resources)+"\t"+cell(outcome))
	}
	return t.to.Flush()
}

func (t *eventTable) end() error { return nil }

// cell is a value as the table shows it.
func cell(text string) string {
	if text == "" {
		return "-"
	}
	return visible(text, cellWidth)
}

// resourcesCell names the first resource and counts the others.
func resourcesCell(all []local.Resource) string {
	if len(all) == 0 {
		return cell("")
	}
	text := all[0].Name
	if all[0].Type != "" {
		text += " (" + all[0].Type + ")"
	}
	if text = cell(text); len(all) > 1 {
		text += " +" + strconv.Itoa(len(all)-1)
	}
	return text
}

// visible is text of up to so many characters in which nothing moves the cursor, changes the direction of writing or is
// invisible: such characters are shown as codes.
func visible(text string, width int) string {
	var b strings.Builder
	n := 0
	for i, r := range text {
		if n++; n > width {
			b.WriteString("…")
			break
		}
		switch _, size := utf8.DecodeRuneInString(text[i:]); {
		case r == utf8.RuneError && size == 1:
			fmt.Fprintf(&b, `\x%02x`, text[i])
		case r == ' ' || unicode.IsGraphic(r) && !unicode.Is(unicode.Zs, r):
			b.WriteRune(r)
		case r > 0xffff:
			fmt.Fprintf(&b, `\U%08x`, r)
		default:
			fmt.Fprintf(&b, `\u%04x`, r)
		}
	}
	return b.String()
}

// eventTime is the event's time in UTC, "" when it has none.
func eventTime(e *local.Event) string {
	if e.Time.IsZero() {
		return ""
	}
	return e.Time.UTC().Format(time.RFC3339)
}

// eventJSON is the answer of LookupEvents, as the AWS CLI prints it, with members of our own behind AWS's. Source: AWS
// CloudTrail API Reference, "Event".
type eventJSON struct {
	to    *bufio.Writer
	begun bool
}

type lookupEvent struct {
	EventID         string `json:"EventId"`
	EventName       string
	ReadOnly        string
	AccessKeyID     string `json:"AccessKeyId,omitempty"`
	EventTime       string `json:",omitempty"`
	EventSource     string
	Username        string           `json:",omitempty"`
	Resources       []lookupResource `json:",omitempty"`
	CloudTrailEvent string

	Outcome         string
	Reason          string `json:",omitempty"`
	SourceIPAddress string `json:",omitempty"`
	AWSRegion       string `json:"AwsRegion,omitempty"`
	AccountID       string `json:"RecipientAccountId,omitempty"`
}

type lookupResource struct {
	ResourceType string `json:",omitempty"`
	ResourceName string
}

func (j *eventJSON) write(events []local.Event) error {
	for i := range events {
		e := &events[i]
		x := lookupEvent{
			EventID: e.ID, EventName: e.Name, ReadOnly: strconv.FormatBool(e.ReadOnly), AccessKeyID: e.AccessKey,
			EventTime: eventTime(e), EventSource: e.Source, Username: e.User, CloudTrailEvent: string(e.Record),
			Outcome: e.Outcome.String(), Reason: e.Reason, SourceIPAddress: e.SourceIP, AWSRegion: e.Region, AccountID: e.Account,
		}
		for _, r := range e.Resources {
			x.Resources = append(x.Resources, lookupResource{ResourceType: r.Type, ResourceName: r.Name})
		}
		text, err := json.Marshal(x)
		if err != nil {
			return fmt.Errorf("writing event %s: %w", e.ID, err)
		}
		j.begin()
		j.to.Write(text) //nolint:errcheck // Flush says it
	}
	return j.to.Flush()
}

// begin writes what stands in front of an event.
func (j *eventJSON) begin() {
	text := ",\n"
	if !j.begun {
		text = "{\"Events\": [\n"
	}
	j.begun = true
	j.to.WriteString(text) //nolint:errcheck // Flush says it
}

func (j *eventJSON) end() error {
	text := "\n]}\n"
	if !j.begun {
		text = "{\"Events\": []}\n"
	}
	j.to.WriteString(text) //nolint:errcheck // Flush says it
	return j.to.Flush()
}

// eventCSV is for spreadsheets, with the columns of the console's download.
type eventCSV struct {
	to    *csv.Writer
	begun bool
}

func (c *eventCSV) write(events []local.Event) error {
	if !c.begun {
		c.begun = true
		c.row("User name", "AWS access key", "Event time", "Event source", "Event name", "AWS region", "Source IP address",
			"User agent", "Error code", "Resources", "Request ID", "Event ID", "Read-only", "Event type", "Recipient Account Id")
	}
	for i := range events {
		e := &events[i]
		var resources []string
		for _, r := range e.Resources {
			resources = append(resources, strings.TrimSpace(r.Type+" "+r.Name))
		}
		c.row(e.User, e.AccessKey, eventTime(e), e.Source, e.Name, e.Region, e.SourceIP, e.UserAgent, e.ErrorCode,
			strings.Join(resources, "; "), e.RequestID, e.ID, strconv.FormatBool(e.ReadOnly), e.Type, e.Account)
	}
	c.to.Flush()
	return c.to.Error()
}

// row writes one row. A spreadsheet must take no value for a formula. Source: OWASP ASVS, 1.2.10.
func (c *eventCSV) row(values ...string) {
	for i, v := range values {
		if v != "" && strings.ContainsRune("=+-@\t\r\x00＝＋－＠", []rune(v)[0]) {
			values[i] = "'" + v
		}
	}
	c.to.Write(values) //nolint:errcheck // Flush says it
}

func (c *eventCSV) end() error { return nil }
