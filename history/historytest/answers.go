package historytest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/trailship/trailship/history"
)

// testPages walks through pages in both directions.
func testPages(t *testing.T, s history.Search) {
	t.Helper()
	all := make([]string, 0, len(Records()))
	for line := range strings.SplitSeq(strings.TrimSpace(cast), "\n") {
		id, _, _ := strings.Cut(line, " ")
		all = append(all, id)
	}
	for _, oldest := range []bool{false, true} {
		for _, filters := range [][]history.Filter{nil, {like(history.EventName, "*")}} {
			var got []string
			for q := (history.Query{Limit: 7, Oldest: oldest, Filters: filters}); ; {
				page, err := s.Events(t.Context(), q)
				if err != nil {
					t.Fatal(err)
				}
				for i := range page.Events {
					got = append(got, page.Events[i].ID)
				}
				if q.After = page.Next; page.Next == "" {
					break
				}
			}
			if !oldest {
				slices.Reverse(got)
			}
			if diff := cmp.Diff(all, got); diff != "" {
				t.Errorf("oldest first %v, filters %v (-want +got):\n%s", oldest, filters, diff)
			}
		}
	}
}

func testCounts(t *testing.T, s history.Search) {
	t.Helper()
	facets, err := s.Facets(t.Context(), ask(is(history.EventSource, "ec2.amazonaws.com")),
		[]history.Attribute{history.OutcomeIs, history.EventName, history.ErrorCode}, 3)
	if err != nil {
		t.Fatal(err)
	}
	want := history.Facets{Base: 10, Exact: true, Facets: []history.Facet{
		{Attribute: history.OutcomeIs, Values: []history.Count{{Value: "success", Count: 8}, {Value: "failure", Count: 2}, {Value: "denied", Count: 1}}},
		{Attribute: history.EventName, More: true, Values: []history.Count{
			{Value: "AuthorizeSecurityGroupIngress", Count: 3}, {Value: "ModifySnapshotAttribute", Count: 2}, {Value: "TerminateInstances", Count: 2},
		}},
		{Attribute: history.ErrorCode, Values: []history.Count{{Value: "Client.RequestLimitExceeded", Count: 1}, {Value: "Client.UnauthorizedOperation", Count: 1}}},
	}}
	if diff := cmp.Diff(want, facets); diff != "" {
		t.Errorf("facets (-want +got):\n%s", diff)
	}
	for text, want := range map[string]string{"terminate": "TerminateInstances", "KEY": "CreateAccessKey RotateKey ScheduleKeyDeletion", "no such": "", `"`: "", "*": ""} {
		facet, err := s.Values(t.Context(), history.EventName, text, 10)
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, v := range facet.Values {
			got = append(got, v.Value)
		}
		if sorted(got) != want {
			t.Errorf("values with %q: got %q, want %q", text, got, want)
		}
	}
	x, err := s.Extent(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if n := len(Records()); x.Oldest != Start() || x.Newest != Start().Add(time.Duration(n-1)*time.Second) || x.Events != int64(n) {
		t.Errorf("extent: got %+v", x)
	}
	testHistogram(t, s)
}

func testHistogram(t *testing.T, s history.Search) {
	t.Helper()
	for _, bars := range []int{1, 5, 500} {
		h, err := s.Histogram(t.Context(), history.Query{}, bars)
		if err != nil {
			t.Fatal(err)
		}
		var events, failed int64
		for i, b := range h.Bars {
			events += b.Count()
			failed += b.Failure + b.Denied
			if b.To.Sub(b.From) != h.Step || i > 0 && b.From != h.Bars[i-1].To {
				t.Errorf("%d bars: bar %d is from %v to %v, of a step of %v", bars, i, b.From, b.To, h.Step)
			}
		}
		if n := int64(len(Records())); len(h.Bars) > bars || events != n || failed != 6 || h.Total != n || h.Failed != 6 || !h.Exact {
			t.Errorf("%d bars: got %d bars, %d events, %d failed; total %d, %d failed, exact %v", bars, len(h.Bars), events, failed, h.Total, h.Failed, h.Exact)
		}
	}
	h, err := s.Histogram(t.Context(), ask(is(history.EventName, "NoSuchCall")), 10)
	if err != nil || len(h.Bars) != 0 || h.Total != 0 {
		t.Errorf("nothing: got %+v, %v", h, err)
	}
	h, err = s.Histogram(t.Context(), ask(is(history.EventName, "TerminateInstances")), 500)
	if err != nil || h.Total != 2 || h.Failed != 1 || len(h.Bars) < 2 {
		t.Fatalf("two events: got %+v, %v", h, err)
	}
	if first, last := h.Bars[0], h.Bars[len(h.Bars)-1]; first.Denied != 1 || last.Success != 1 {
		t.Errorf("two events: got %+v and %+v", first, last)
	}
}

func testEvent(t *testing.T, s history.Search) {
	t.Helper()
	e, err := s.Event(t.Context(), "create-key")
	if err != nil {
		t.Fatal(err)
	}
	got := fmt.Sprint(e.Name, " ", e.Source, " ", e.User, " ", e.Role, " ", e.Identity, " ", e.AccessKey, " ", e.SourceIP, " ", e.Region, " ", e.Account,
		" ", e.ReadOnly, " ", e.Outcome, " ", e.MFA, " ", e.Session)
	want := "CreateAccessKey iam.amazonaws.com bob@example.com Admin AssumedRole ASIABOB1 192.0.2.2 eu-west-1 111122223333" +
		" false success false AROAADMIN:bob@example.com 2026-11-21T10:00:01Z"
	if got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	if !strings.Contains(string(e.Record), "AKIAMALLORY") {
		t.Errorf("got a record without the key: %s", e.Record)
	}
	if !e.Derived && !slices.Contains(Records(), string(e.Record)) {
		t.Errorf("got another record: %s", e.Record)
	}
	for _, id := range []string{"no such", "", `"`, "*", "../_search"} {
		if _, err := s.Event(t.Context(), id); !errors.Is(err, history.ErrNotFound) {
			t.Errorf("event %q: got %v, want %v", id, err, history.ErrNotFound)
		}
	}
}

// testWrong asks what cannot be asked, and gives up.
func testWrong(t *testing.T, s history.Search) {
	t.Helper()
	for name, q := range map[string]history.Query{
		"attribute": ask(is("colour", "red")),
		"no value":  ask(is(history.User)),
		"limit":     {Limit: history.MaxLimit + 1},
		"cursor":    {After: "'; DROP"},
		"range":     {Since: history.At(Start()), Until: history.At(Start().Add(-time.Hour))},
		"word":      ask(is(history.ReadOnly, "perhaps")),
		"text":      find("\xff"),
		"star":      ask(like(history.LeafValue, "0.0.*")),
	} {
		_, err := s.Events(t.Context(), q)
		if wrong := (*history.QueryError)(nil); !errors.As(err, &wrong) {
			t.Errorf("%s: got %v, want a QueryError", name, err)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := s.Events(ctx, find("a")); !errors.Is(err, context.Canceled) {
		t.Errorf("given up: got %v, want %v", err, context.Canceled)
	}
}

// Empty asks a search that has no events: nothing is found, and nothing is wrong.
func Empty(t *testing.T, s history.Search) {
	t.Helper()
	page, err := s.Events(t.Context(), history.Query{})
	if err != nil || len(page.Events) != 0 || page.Next != "" {
		t.Errorf("events: got %d, next %q, %v; want none", len(page.Events), page.Next, err)
	}
	if _, err := s.Event(t.Context(), "any"); !errors.Is(err, history.ErrNotFound) {
		t.Errorf("event: got %v, want %v", err, history.ErrNotFound)
	}
	facets, err := s.Facets(t.Context(), history.Query{}, []history.Attribute{history.EventName, history.User}, 5)
	if err != nil || facets.Base != 0 || len(facets.Facets) != 2 || len(facets.Facets[0].Values)+len(facets.Facets[1].Values) > 0 {
		t.Errorf("facets: got %+v, %v; want two without values", facets, err)
	}
	h, err := s.Histogram(t.Context(), history.Query{}, 10)
	if err != nil || h.Total != 0 || len(h.Bars) != 0 {
		t.Errorf("histogram: got %+v, %v; want no bars", h, err)
	}
	if x, err := s.Extent(t.Context()); err != nil || x != (history.Extent{}) {
		t.Errorf("extent: got %+v, %v; want nothing", x, err)
	}
	for _, q := range history.Questions() {
		if page, err := s.Events(t.Context(), q.Query); err != nil || len(page.Events) > 0 {
			t.Errorf("%s: got %d events, %v; want none", q.Name, len(page.Events), err)
		}
	}
}
