package main

import (
	"context"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/trailship/trailship/history"
	"github.com/trailship/trailship/history/export"
)

// counts writes what events were counted: a table, CSV, or JSON, one object on each line for ndjson.
type counts struct {
	format string
	to     io.Writer
}

func newCounts(format string, to io.Writer) (*counts, error) {
	switch format {
	case outputTable, export.CSV, export.JSON, export.NDJSON:
		return &counts{format, to}, nil
	}
	return nil, unknownOutput(format)
}

// countBars is how many bars a histogram has on a terminal.
const countBars = 40

// histogram writes the histogram of a query.
func (c *counts) histogram(ctx context.Context, o *opened, q history.Query, notes io.Writer) error {
	h, err := o.Histogram(ctx, q, countBars)
	if err != nil {
		return err
	}
	most := int64(1)
	for _, b := range h.Bars {
		most = max(most, b.Count())
	}
	rows := make([][]any, len(h.Bars))
	for i, b := range h.Bars {
		rows[i] = []any{b.From.Format(time.RFC3339), b.Count(), b.Failure + b.Denied, strings.Repeat("#", int((b.Count()*30+most-1)/most))}
	}
	if err := c.rows([]string{"from", "events", "failed", ""}, rows); err != nil {
		return err
	}
	if h.Lacks != "" {
		fmt.Fprintf(notes, "Not everything: %s.\n", h.Lacks)
	}
	if h.Total == 0 {
		return note(ctx, o, 0, q, notes)
	}
	exact := ""
	if !h.Exact {
		exact = " at least"
	}
	fmt.Fprintf(notes, "%d events%s, %d of them failed. A bar is %s.\n", h.Total, exact, h.Failed, h.Step)
	return nil
}

// toCount says what is counted, how many values of each at most, and where to say what the counts do not.
type toCount struct {
	names []string
	limit int
	notes io.Writer
}

// top writes the most frequent values of attributes among the events of a query.
func (c *counts) top(ctx context.Context, o *opened, q history.Query, asked toCount) error {
	attributes := make([]history.Attribute, len(asked.names))
	for i, name := range asked.names {
		attributes[i] = history.Attribute(name)
	}
	if asked.limit == 0 || asked.limit > history.MaxFacets {
		asked.limit = history.MaxFacets
	}
	found, err := o.Facets(ctx, q, attributes, asked.limit)
	if err != nil {
		return err
	}
	switch {
	case found.Lacks != "":
		fmt.Fprintf(asked.notes, "Not everything: %s.\n", found.Lacks)
	case !found.Exact:
		fmt.Fprintf(asked.notes, "Counted among the newest %d events: narrow the time range for all.\n", found.Base)
	}
	var rows [][]any
	for _, f := range found.Facets {
		for _, v := range f.Values {
			rows = append(rows, []any{string(f.Attribute), v.Count, v.Value})
		}
	}
	return c.rows([]string{"attribute", "events", "value"}, rows)
}

// rows writes a table in the format that was asked for. A column without a name is for people only.
func (c *counts) rows(names []string, rows [][]any) error {
	switch c.format {
	case outputTable:
		return c.table(names, rows)
	case export.CSV:
		return c.csv(names, rows)
	}
	objects := make([]map[string]any, len(rows))
	for i, row := range rows {
		objects[i] = make(map[string]any)
		for k, name := range names {
			if name != "" {
				objects[i][name] = row[k]
			}
		}
	}
	to := json.NewEncoder(c.to)
	if c.format == export.JSON {
		return to.Encode(objects)
	}
	for _, object := range objects {
		if err := to.Encode(object); err != nil {
			return err
		}
	}
	return nil
}

func (c *counts) table(names []string, rows [][]any) error {
	t := tabwriter.NewWriter(c.to, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, strings.ToUpper(strings.Join(names, "\t")))
	for _, row := range rows {
		for k, v := range row {
			if k > 0 {
				fmt.Fprint(t, "\t")
			}
			fmt.Fprint(t, visible(fmt.Sprint(v), wideCell))
		}
		fmt.Fprintln(t)
	}
	return t.Flush()
}

func (c *counts) csv(names []string, rows [][]any) error {
	w := csv.NewWriter(c.to)
	w.UseCRLF = true
	named := make([]string, 0, len(names))
	for _, name := range names {
		if name != "" {
			named = append(named, name)
		}
	}
	w.Write(named) //nolint:errcheck // Flush says it
	for _, row := range rows {
		texts := make([]string, 0, len(row))
		for k, v := range row {
			if names[k] == "" {
				continue
			}
			if n, ok := v.(int64); ok {
				texts = append(texts, strconv.FormatInt(n, 10))
				continue
			}
			texts = append(texts, export.Guarded(fmt.Sprint(v)))
		}
		w.Write(texts) //nolint:errcheck // Flush says it
	}
	w.Flush()
	return w.Error()
}
