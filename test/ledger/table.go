package main

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"
	"time"
)

// printTable writes a line for each row, and below it what was wrong or worth a note.
func printTable(out io.Writer, results []*result, s setting) error {
	t := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintf(t, "row (seed %d)\ttroubles\tevents\tlost\tdoubled\tdeleted early\tdead letters\tredelivered\tMiB\tlate\tdrain\tbound\t\n", s.seed)
	for _, r := range results {
		if r.skipped != "" {
			fmt.Fprintf(t, "%s\tnot run: %s\t\n", r.row.name, r.skipped)
			continue
		}
		verdict := "ok"
		if len(r.problems) > 0 {
			verdict = "FAILED"
		}
		u := &r.tally.Sums
		fmt.Fprintf(t, "%s\t%d\t%d\t%d\t%d\t%d\t%d\t%d\t%d\t%s\t%s\t%s\t%s\n", r.row.name, r.happened, u.Events, u.Lost, u.Doubled,
			u.DeletedEarly, u.Letters, u.Redelivered, r.peak>>20, u.Late.Round(time.Millisecond), r.drain.Round(100*time.Millisecond), r.row.bound, verdict)
	}
	if err := t.Flush(); err != nil {
		return err
	}
	for _, r := range results {
		if said := slices.Concat(r.problems, r.notes); len(said) > 0 {
			if _, err := fmt.Fprintf(out, "%s: %s\n", r.row.name, strings.Join(said, "; ")); err != nil {
				return err
			}
		}
	}
	return nil
}
