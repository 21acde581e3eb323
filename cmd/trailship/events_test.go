package main

import (
	"context"
	"errors"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/testscript"
	"go.uber.org/zap"

	"github.com/trailship/trailship/history"
	"github.com/trailship/trailship/pipeline"
	"github.com/trailship/trailship/pipeline/cloudtrail"
	"github.com/trailship/trailship/pipeline/ecs"
	"github.com/trailship/trailship/sinks/local"
)

// makeStore is a command of the scripts: store FILE RECORDS makes a local store of the records in a file.
func makeStore(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: store FILE RECORDS")
	}
	store, err := local.Open(context.Background(), local.Config{Path: ts.MkAbs(args[0])}, zap.NewNop())
	ts.Check(err)
	batch := pipeline.NewBatch(1, ecs.NewEncoder(ecs.Config{}))
	reader := cloudtrail.NewReader()
	reader.Reset(strings.NewReader(ts.ReadFile(args[1])), nil)
	for {
		r, err := reader.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		ts.Check(err)
		at, _ := r.Time()
		batch.Add(r, r.Field(cloudtrail.EventID).Bytes(), "index", at)
	}
	_, err = store.Write(context.Background(), batch)
	ts.Check(err)
	ts.Check(store.Close())
}

func TestLookup_query(t *testing.T) {
	now := time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)
	at := func(hour, minute, second int) time.Time {
		return time.Date(2026, 11, 20, hour, minute, second, 0, time.UTC)
	}
	l := lookingUp{
		since: "2026-11-20", until: "2026-11-20", output: "json", text: "x y", oldest: true, question: "denied",
		filters: []string{"eventName*:Delete*"}, nots: []string{"region:us-east-1", "user:carol"},
		values: make(map[history.Attribute]*[]string),
	}
	for _, a := range history.Attributes() {
		l.values[a] = new([]string)
	}
	*l.values[history.User] = []string{"alice", "bob"}
	want := history.Query{
		Filters: []history.Filter{
			{Attribute: history.OutcomeIs, Values: []string{"denied"}},
			{Attribute: history.User, Values: []string{"alice", "bob"}},
			{Attribute: history.EventName, Values: []string{"Delete*"}, Glob: true},
			{Attribute: history.Region, Values: []string{"us-east-1"}, Not: true},
			{Attribute: history.User, Values: []string{"carol"}, Not: true},
		},
		Text: "x y", Oldest: true,
		Since: history.Bound{At: at(0, 0, 0), Text: "2026-11-20"},
		Until: history.Bound{At: at(23, 59, 59), Text: "2026-11-20"},
	}
	got, err := l.query(now)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("query (-want +got):\n%s", diff)
	}
}

func TestVisible(t *testing.T) {
	for _, tc := range []struct{ text, want string }{
		{"plain text", "plain text"},
		{"héllo 世界 😀", "héllo 世界 😀"},
		{"a\tb\nc\x1b[31m", `a\u0009b\u000ac\u001b[31m`},
		{"exe.\u202egnp", `exe.\u202egnp`},
		{"\u2066a\u2069\u200f\u200b", `\u2066a\u2069\u200f\u200b`},
		{"a\u00a0b\u2028", `a\u00a0b\u2028`},
		{"\U000e0041", `\U000e0041`},
		{"\xff", `\xff`},
		{"\ufffd", "\ufffd"},
		{strings.Repeat("é", 14), strings.Repeat("é", 14)},
		{strings.Repeat("é", 15), strings.Repeat("é", 14) + "…"},
		{"", ""},
	} {
		if got := visible(tc.text, 14); got != tc.want {
			t.Errorf("%q: got %q, want %q", tc.text, got, tc.want)
		}
	}
}

// stored is how many events the store at path has.
func stored(t *testing.T, path string) int {
	t.Helper()
	store, err := local.OpenReader(t.Context(), local.Config{Path: path})
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	page, err := store.Events(t.Context(), history.Query{Limit: history.MaxLimit})
	if err != nil {
		t.Fatal(err)
	}
	return len(page.Events)
}
