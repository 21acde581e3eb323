package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/spf13/cobra"
	"go.uber.org/zap"

	"github.com/trailship/trailship/history"
	"github.com/trailship/trailship/history/export"
)

const eventsHelp = `events looks events up, the newest first, as the Event history page of AWS's console does: in the store that sinks.local
of a trailship has written (--store), or in the store or cluster that a configuration names (--config). It may be in use.

Several filters must all be true; one filter given several times is true when one of its values is. Values are matched
whole, and case counts. --username matches the names of users, roles and sessions, e-mail addresses, ARNs and principal
ids. --resource-name matches names, ids, ARNs and the last part of ARNs, those in requests and responses too.

--not NAME:VALUE leaves events out; NAME is a filter's name, as eventName. --filter "NAME*:VALUE" takes * in the value for
any text, whatever its case. The page writes filters in its address in this way, too.

--text looks for words in all of a record, whatever their case; "in quotes" they must stand together.

--question asks one of the questions that --questions lists, together with any filters. --histogram and --top count instead
of listing: events over time, and the most frequent values of attributes.

Times are ISO 8601, UTC unless they say otherwise (2026-11-21, "2026-11-21 13:16", 2026-11-21T13:16:00+01:00), Unix seconds,
or a time span before now (-30m, -24h, -7d). Both bounds are included; a day as the end is the whole day.

The table shows control characters, and such as change the direction of text, as codes (\u202e). The csv is for
spreadsheets: a value that one might take for a formula begins with '. The json is that of aws cloudtrail lookup-events;
ndjson is the records themselves, one on each line.`

const eventsExample = `  trailship events --username alice --since -24h
  trailship events --event-name ConsoleLogin --outcome failure -o json
  trailship events --question deletions --not username:terraform --top user,eventName
  trailship events --text "203.0.113.7 AdministratorAccess" --histogram
  trailship events --resource-name i-0123456789abcdef0 --read-only false --limit 0 -o csv > instance.csv`

func newEvents() *cobra.Command {
	l := lookingUp{values: make(map[history.Attribute]*[]string)}
	cmd := &cobra.Command{
		Use:     "events",
		Short:   "Look events up in a local store or a cluster",
		Long:    eventsHelp,
		Example: eventsExample,
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if l.list {
				return worked(printQuestions(cmd.OutOrStdout()))
			}
			query, err := l.query(time.Now())
			if err != nil {
				return err
			}
			return l.run(cmd.Context(), query, cmd.OutOrStdout(), cmd.ErrOrStderr())
		},
	}
	flags := cmd.Flags()
	for _, a := range history.Attributes() {
		values := new([]string)
		l.values[a] = values
		flags.StringArrayVar(values, history.Flag(a), nil, usageOf(a))
	}
	flags.StringArrayVar(&l.filters, "filter", nil, "NAME:VALUE, or with * in the value NAME*:VALUE")
	flags.StringArrayVar(&l.nots, "not", nil, "NAME:VALUE or NAME*:VALUE, to be left out")
	flags.StringVar(&l.text, "text", "", "words to look for in all of a record")
	flags.StringVar(&l.question, "question", "", "one of --questions")
	flags.BoolVar(&l.list, "questions", false, "list the questions, and exit")
	flags.StringVar(&l.since, "since", "", "the earliest time")
	flags.StringVar(&l.until, "until", "", "the latest time")
	flags.BoolVar(&l.oldest, "oldest-first", false, "begin with the oldest")
	flags.IntVar(&l.limit, "limit", history.DefaultLimit, "how many events, or values, at most; 0: all events")
	flags.StringVarP(&l.output, "output", "o", outputTable, "table, json, csv or ndjson")
	flags.BoolVar(&l.histogram, "histogram", false, "count events over time")
	flags.StringSliceVar(&l.top, "top", nil, "count the values of attributes, such as user,eventName")
	l.place.flags(cmd)
	cmd.MarkFlagsMutuallyExclusive("histogram", "top")
	return cmd
}

// lookingUp is one command line.
type lookingUp struct {
	place                place
	values               map[history.Attribute]*[]string
	filters, nots        []string
	text, question       string
	since, until, output string
	limit                int
	oldest, list         bool
	histogram            bool
	top                  []string
}

// query is what the flags ask for.
func (l *lookingUp) query(now time.Time) (q history.Query, err error) {
	if l.question != "" {
		asked, ok := history.FindQuestion(l.question)
		if !ok {
			return q, fmt.Errorf("reading --question: there is no %q: see trailship events --questions", l.question)
		}
		q = asked.Query
	}
	for _, a := range history.Attributes() {
		if values := *l.values[a]; len(values) > 0 {
			q.Filters = append(q.Filters, history.Filter{Attribute: a, Values: values})
		}
	}
	more, err := l.written()
	if err != nil {
		return q, err
	}
	q.Filters = append(q.Filters, more...)
	if q.Since, err = history.ParseBound(l.since, now, false); err != nil {
		return q, fmt.Errorf("reading --since: %w", plain(err))
	}
	if q.Until, err = history.ParseBound(l.until, now, true); err != nil {
		return q, fmt.Errorf("reading --until: %w", plain(err))
	}
	if l.limit < 0 {
		return q, fmt.Errorf("reading --limit: %d is no number of events", l.limit)
	}
	q.Text, q.Oldest = l.text, l.oldest
	return q, plain(q.Validate())
}

// written reads the filters of --filter and --not.
func (l *lookingUp) written() ([]history.Filter, error) {
	var q history.Query
	for _, text := range l.filters {
		if err := q.AddFilter(text); err != nil {
			return nil, fmt.Errorf("reading --filter: %w", plain(err))
		}
	}
	for _, text := range l.nots {
		if err := q.AddFilter("-" + text); err != nil {
			return nil, fmt.Errorf("reading --not: %w", plain(err))
		}
	}
	return q.Filters, nil
}

// plain is the reason of a QueryError, without the words that it is one.
func plain(err error) error {
	if wrong := (*history.QueryError)(nil); errors.As(err, &wrong) {
		return errors.New(wrong.Reason)
	}
	return err
}

// run answers the query.
func (l *lookingUp) run(ctx context.Context, q history.Query, to, notes io.Writer) error {
	answer, err := l.answerer(to)
	if err != nil {
		return err
	}
	found, err := l.place.open(ctx, zap.NewNop())
	if err != nil {
		return err
	}
	defer found.close() //nolint:errcheck // nothing was written
	err = answer(ctx, found, q, notes)
	if wrong := (*history.QueryError)(nil); errors.As(err, &wrong) {
		return err
	}
	return worked(err)
}

// answerer says how the flags want to be answered.
func (l *lookingUp) answerer(to io.Writer) (func(context.Context, *opened, history.Query, io.Writer) error, error) {
	if l.histogram || len(l.top) > 0 {
		count, err := newCounts(l.output, to)
		if err != nil {
			return nil, err
		}
		return func(ctx context.Context, o *opened, q history.Query, notes io.Writer) error {
			if l.histogram {
				return count.histogram(ctx, o, q, notes)
			}
			return count.top(ctx, o, q, toCount{l.top, l.limit, notes})
		}, nil
	}
	out, err := newEventWriter(l.output, to)
	if err != nil {
		return nil, err
	}
	return func(ctx context.Context, o *opened, q history.Query, notes io.Writer) error {
		return l.show(ctx, o, q, showing{out, notes})
	}, nil
}

// showing is where events go, and what is to be said about them.
type showing struct {
	out   export.Writer
	notes io.Writer
}

// show shows the events of the query, page by page.
func (l *lookingUp) show(ctx context.Context, o *opened, q history.Query, to showing) error {
	q.Records = l.output != outputTable && export.Records(l.output)
	shown, derived := 0, false
	for more := true; more; more = q.After != "" && (l.limit == 0 || shown < l.limit) {
		q.Limit = history.MaxLimit
		if l.limit > 0 {
			q.Limit = min(q.Limit, l.limit-shown)
		}
		page, err := o.Events(ctx, q)
		if err == nil {
			err = to.out.Write(page.Events)
		}
		if err != nil {
			return err
		}
		if page.Lacks != "" {
			fmt.Fprintf(to.notes, "Not everything: %s.\n", page.Lacks)
		}
		shown += len(page.Events)
		derived = derived || slices.ContainsFunc(page.Events, func(e history.Event) bool { return e.Derived })
		q.After = page.Next
	}
	if err := to.out.End(); err != nil {
		return err
	}
	if derived {
		fmt.Fprintf(to.notes, "%s does not keep all records themselves (output.keep_original): the rest is put together from its documents.\n", o.name)
	}
	return note(ctx, o, shown, q, to.notes)
}

// note says what the output does not: that there are more events, or where they are when none was found, so that an empty
// answer is not taken for nothing having happened.
func note(ctx context.Context, o *opened, shown int, q history.Query, to io.Writer) error {
	which := "newest"
	if q.Oldest {
		which = "oldest"
	}
	switch {
	case q.After != "":
		fmt.Fprintf(to, "The %s %d events. There are more: ask with --limit, or --since and --until.\n", which, shown)
	case shown == 0:
		x, err := o.Extent(ctx)
		if err != nil {
			return err
		}
		if x.Newest.IsZero() {
			fmt.Fprintf(to, "No event matches: %s holds none of a known time.\n", o.name)
			return nil
		}
		fmt.Fprintf(to, "No event matches. Those in %s are from %s to %s.\n", o.name, x.Oldest.Format(time.RFC3339), x.Newest.Format(time.RFC3339))
	}
	return nil
}
