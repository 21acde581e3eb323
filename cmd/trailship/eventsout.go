package main

import (
	"fmt"
	"io"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/trailship/trailship/history"
	"github.com/trailship/trailship/history/export"
)

const outputTable = "table"

// newEventWriter makes the writer of a format: the table, or one of package export.
func newEventWriter(format string, to io.Writer) (export.Writer, error) {
	if format == outputTable {
		return &eventTable{to: tabwriter.NewWriter(to, 0, 0, 2, ' ', 0)}, nil
	}
	w, err := export.New(format, to)
	if err != nil {
		return nil, unknownOutput(format)
	}
	return w, nil
}

func unknownOutput(format string) error {
	return fmt.Errorf("reading --output: there is no %q: write table, json, csv or ndjson", format)
}

// eventTable is for people: the columns of AWS's console, and how the call ended.
type eventTable struct {
	to    *tabwriter.Writer
	begun bool
}

// How many characters of a value the table shows; a list of values alone has more room.
const (
	cellWidth = 60
	wideCell  = 200
)

// Write implements export.Writer.
func (t *eventTable) Write(events []history.Event) error {
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
		at := ""
		if !e.Time.IsZero() {
			at = e.Time.UTC().Format(time.RFC3339)
		}
		for _, text := range []string{at, e.Name, e.User, e.Source} {
			fmt.Fprint(t.to, cell(text), "\t")
		}
		fmt.Fprintln(t.to, resourcesCell(e.Resources)+"\t"+cell(outcome))
	}
	return t.to.Flush()
}

// End implements export.Writer.
func (t *eventTable) End() error { return nil }

// cell is a value as the table shows it.
func cell(text string) string {
	if text == "" {
		return "-"
	}
	return visible(text, cellWidth)
}

// resourcesCell names the first resource and counts the others.
func resourcesCell(all []history.Resource) string {
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
