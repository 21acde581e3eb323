package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/trailship/trailship/sinks/local"
)

const eventsHelp = `events looks events up in a store that a sinks.local of trailship has written, the newest first, as the Event history page
of AWS's console does. The store may be in use.

Several filters must all be true; one filter given several times is true when one of its values is. Values are matched
whole, and case counts. --username matches the names of users, roles and sessions, e-mail addresses, ARNs and principal
ids. --resource-name matches names, ids, ARNs and the last part of ARNs, those in requests and responses too.

Times are ISO 8601, UTC unless they say otherwise (2026-11-21, "2026-11-21 13:16", 2026-11-21T13:16:00+01:00), Unix seconds,
or a time span before now (-30m, -24h, -7d). Both bounds are included; a day as the end is the whole day.

The table shows control characters, and such as change the direction of text, as codes (\u202e). The csv is for
spreadsheets: a value that one might take for a formula begins with '. The json is that of aws cloudtrail lookup-events,
and the only output with everything as it was written.`

const eventsExample = `  trailship events --username alice --since -24h
  trailship events --event-name ConsoleLogin --outcome failure -o json
  trailship events --resource-name i-0123456789abcdef0 --read-only false --limit 0 -o csv > instance.csv`

func newEvents() *cobra.Command {
	var l lookup
	cmd := &cobra.Command{
		Use:     "events",
		Short:   "Look events up in a local store",
		Long:    eventsHelp,
		Example: eventsExample,
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			out, err := newEventWriter(l.output, cmd.OutOrStdout())
			if err != nil {
				return err
			}
			query, err := l.query(time.Now())
			if err != nil {
				return err
			}
			return l.run(cmd.Context(), query, out, cmd.ErrOrStderr())
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&l.store, "store", "trailship.db", "the store's file")
	for i, f := range lookupFilters() {
		flags.StringArrayVar(&l.values[i], f.flag, nil, f.usage)
	}
	flags.StringVar(&l.since, "since", "", "the earliest time")
	flags.StringVar(&l.until, "until", "", "the latest time")
	flags.IntVar(&l.limit, "limit", local.DefaultLimit, "how many events at most; 0: all")
	flags.StringVarP(&l.output, "output", "o", "table", "table, json or csv")
	return cmd
}

// lookupFilter is a flag that filters.
type lookupFilter struct {
	flag      string
	attribute local.Attribute
	usage     string
}

// filterCount is how many flags filter.
const filterCount = 12

func lookupFilters() [filterCount]lookupFilter {
	return [...]lookupFilter{
		{"event-name", local.EventName, "the call, such as RunInstances"},
		{"username", local.User, "who made it: a user, role or session"},
		{"resource-name", local.ResourceName, "name, id or ARN of something it was about"},
		{"resource-type", local.ResourceType, "type of such, as AWS::S3::Bucket"},
		{"event-source", local.EventSource, "the service, such as ec2.amazonaws.com"},
		{"access-key", local.AccessKey, "the key that signed it"},
		{"event-id", local.EventID, "its id"},
		{"read-only", local.ReadOnly, "true or false"},
		{"outcome", local.OutcomeIs, "success, failure, or denied: a failure for lack of permission"},
		{"account", local.Account, "the account it was recorded in"},
		{"region", local.Region, "the region"},
		{"source-ip", local.SourceIP, "the address, or the AWS service, it came from"},
	}
}

// lookup is one command line.
type lookup struct {
	store, since, until, output string
	limit                       int
	values                      [filterCount][]string
}

// query is what the flags ask for.
func (l *lookup) query(now time.Time) (q local.Query, err error) {
	for i, f := range lookupFilters() {
		if len(l.values[i]) > 0 {
			q.Filters = append(q.Filters, local.Filter{Attribute: f.attribute, Values: l.values[i]})
		}
	}
	if q.Since, _, err = parseWhen(l.since, now); err != nil {
		return q, fmt.Errorf("reading --since: %w", err)
	}
	until, day, err := parseWhen(l.until, now)
	if err != nil {
		return q, fmt.Errorf("reading --until: %w", err)
	}
	if day {
		until = until.AddDate(0, 0, 1).Add(-time.Second)
	}
	q.Until = until
	if l.limit < 0 {
		return q, fmt.Errorf("reading --limit: %d is no number of events", l.limit)
	}
	q.Records = l.output == outputJSON
	return q, nil
}

// eventWriter shows events. Its methods are called by one goroutine, end once at the end.
type eventWriter interface {
	write(events []local.Event) error
	end() error
}

// run shows the events of the query, page by page.
func (l *lookup) run(ctx context.Context, q local.Query, out eventWriter, notes io.Writer) error {
	store, err := local.OpenReader(ctx, local.Config{Path: l.store})
	if err != nil {
		return worked(err)
	}
	defer store.Close()
	shown := 0
	for more := true; more; more = q.Before != "" && (l.limit == 0 || shown < l.limit) {
		q.Limit = local.MaxLimit
		if l.limit > 0 {
			q.Limit = min(q.Limit, l.limit-shown)
		}
		page, err := store.Events(ctx, q)
		if wrong := (*local.QueryError)(nil); errors.As(err, &wrong) {
			return err
		}
		if err == nil {
			err = out.write(page.Events)
		}
		if err != nil {
			return worked(err)
		}
		shown += len(page.Events)
		q.Before = page.Next
	}
	if err := out.end(); err != nil {
		return worked(err)
	}
	return worked(l.note(ctx, store, shown, q.Before != "", notes))
}

// note says what the output does not: that there are more events, or where they are when none was found, so that an empty
// answer is not taken for nothing having happened.
func (l *lookup) note(ctx context.Context, store *local.Reader, shown int, more bool, to io.Writer) error {
	switch {
	case more:
		fmt.Fprintf(to, "The newest %d events. There are older ones: ask with --limit or --until.\n", shown)
	case shown == 0:
		oldest, newest, err := store.Span(ctx)
		if err != nil {
			return err
		}
		if newest.IsZero() {
			fmt.Fprintf(to, "No event matches: %s holds none of a known time.\n", l.store)
			return nil
		}
		fmt.Fprintf(to, "No event matches. Those in %s are from %s to %s.\n", l.store, oldest.Format(time.RFC3339), newest.Format(time.RFC3339))
	}
	return nil
}

// parseWhen reads a time as eventsHelp describes it; "" is no time. day says that it is a day without a time of day.
func parseWhen(text string, now time.Time) (at time.Time, day bool, err error) {
	if text == "" {
		return time.Time{}, false, nil
	}
	if span, ok := strings.CutPrefix(text, "-"); ok {
		d, err := parseSpan(span)
		if err != nil {
			return time.Time{}, false, fmt.Errorf("%q is no time span: write -30m, -24h or -7d", text)
		}
		return now.Add(-d), false, nil
	}
	if at, err := time.Parse(time.DateOnly, text); err == nil {
		return at, true, nil
	}
	if seconds, err := strconv.ParseInt(text, 10, 64); err == nil {
		return time.Unix(seconds, 0), false, nil
	}
	for _, layout := range []string{
		time.RFC3339, "2006-01-02T15:04Z07:00", "2006-01-02T15:04:05", "2006-01-02T15:04", time.DateTime, "2006-01-02 15:04",
	} {
		if at, err := time.Parse(layout, text); err == nil {
			return at, false, nil
		}
	}
	return time.Time{}, false, fmt.Errorf(`%q is no time: write 2026-11-21, "2026-11-21 13:16", 2026-11-21T13:16:00+01:00, Unix seconds, or -24h`, text)
}

// parseSpan reads a duration of Go's that may also be in days.
func parseSpan(text string) (time.Duration, error) {
	if days, ok := strings.CutSuffix(text, "d"); ok {
		n, err := strconv.ParseUint(days, 10, 16)
		return time.Duration(n) * 24 * time.Hour, err //nolint:gosec // of sixteen bits
	}
	d, err := time.ParseDuration(text)
	if err == nil && d < 0 {
		return 0, errors.New("negative twice")
	}
	return d, err
}
